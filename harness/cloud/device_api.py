"""nRF Cloud's REST API as a device calls it: with its own JWT in place of the team's API key.

Source: nRF Cloud REST API reference, "JSON Web Token" security of its operations. Location services take a token of
any registered key; the firmware update service takes only tokens of devices that were provisioned with a certificate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

import requests
from requests.adapters import BaseAdapter

from harness.cloud.endpoints import CloudEndpoints
from harness.cloud.refusals import RestError
from harness.cloud.rest import RestClient
from harness.timeline import Kind, Timeline

_NOTHING_THERE = 40499  # the caller may ask, and there is nothing, e.g. no pending FOTA job


@dataclass(frozen=True, slots=True)
class RestAnswer:
    """One answer of any status. ``code``: nRF Cloud's own number, or None.

    ``foreign``: the call is granted with a body that is no JSON, as a portal in between does, and the API never.
    """

    status: int
    code: int | None = None
    message: str = ""
    foreign: bool = False

    @property
    def authorised(self) -> bool:
        """Whether the caller was allowed to ask, even if there was nothing to return."""
        return (200 <= self.status < 300 and not self.foreign) or self.code == _NOTHING_THERE

    @property
    def denied(self) -> bool:
        """Whether the caller was not allowed to ask.

        UNCONFIRMED which of 401 and 403 nRF Cloud sends for which reason: both are accepted.
        """
        return self.status in (401, 403)

    def __str__(self) -> str:
        number = "" if self.code is None else f" (code {self.code})"
        foreign = ", with a body that is no JSON" if self.foreign else ""
        return f"{self.status}{number}{foreign}{': ' + self.message if self.message else ''}"


class DeviceApi:
    """Calls with a device's token. An answer of any status is returned; no answer raises CloudUnreachable.

    ``endpoints``: how the cloud is reached. ``timeline``: gets a note of each repeat. ``adapter``: carries the calls;
    None: this computer's network does.
    """

    def __init__(self, endpoints: CloudEndpoints, timeline: Timeline, *, adapter: BaseAdapter | None = None) -> None:
        self.timeline = timeline
        self._name = endpoints.name
        pause = 0.5 if endpoints.public else 0.05
        self._rest = RestClient(endpoints, None, note=self._note, pause=pause, adapter=adapter)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the session."""
        self._rest.close()

    def device(self, device_id: str, token: str | None) -> RestAnswer:
        """Ask for a device's record (FetchDevice)."""
        return self._call("GET", f"/devices/{quote(device_id, safe=':')}", token)

    def update_state(self, device_id: str, token: str | None, reported: Mapping[str, Any]) -> RestAnswer:
        """Change what a device reports of itself (UpdateDeviceState).

        ``device_id``: of the device. ``token``: its JWT, None for none. ``reported``: the members to change.
        """
        return self._call("PATCH", f"/devices/{quote(device_id, safe=':')}/state", token, {"reported": reported})

    def current_fota_job(self, device_id: str, token: str | None) -> RestAnswer:
        """Ask for the pending firmware update (FetchCurrentFOTAJobExecution); 40499 when there is none."""
        return self._call("GET", f"/fota-job-executions/{quote(device_id, safe=':')}/current", token)

    def ground_fix(self, token: str | None) -> RestAnswer:
        """Ask for the location of an LTE cell of the test network (GetLocationFromCellTowersOrWifiNetworks)."""
        cell = {"mcc": 1, "mnc": "01", "eci": 21627653, "tac": 2305}
        return self._call("POST", "/location/ground-fix", token, {"lte": [cell]})

    def _call(self, method: str, path: str, token: str | None, body: Any = None) -> RestAnswer:
        try:
            response = self._rest.call(method, path, json=body, repeatable=True, token=token)
        except RestError as refusal:
            return RestAnswer(refusal.status, refusal.code, refusal.message)
        return RestAnswer(response.status_code, foreign=bool(response.content) and not _is_json(response))

    def _note(self, text: str, **data: Any) -> None:
        self.timeline.add(Kind.CLOUD, self._name, f"as a device: {text}", **data)


def _is_json(response: requests.Response) -> bool:
    try:
        response.json()
    except (ValueError, RecursionError):
        return False
    return True
