"""REST: any answer of the cloud to the harness's calls, and any body of a client to the stand-in's shadow."""

from collections.abc import Callable, Mapping
from typing import Any

import requests
from requests.adapters import BaseAdapter

from harness.cloud import CloudEndpoints, NrfCloud
from harness.cloud.connection_state import ConnectionState
from harness.cloud.rest import LONGEST_PAUSE, retry_after
from harness.errors import HarnessError
from harness.virtual.cloud.services.shadow import Shadow, ShadowRejected, parse_plain, parse_update, update

_STATUS = (200, 200, 200, 202, 400, 401, 404, 422)
_ENDPOINTS: Mapping[str, Any] = {
    "name": "fuzz",
    "rest": "https://fuzz.invalid/v1",
    "rest_ca": None,
    "device_mqtt": ("fuzz.invalid", 8883),
    "observer_mqtt": None,
    "root_ca_pem": "",
    "public": False,
    "jitp": ("fuzz.invalid", 8443),
    "provisioning": "https://fuzz.invalid/v1",
}


class _Answer(BaseAdapter):
    """Answers every request with the same bytes."""

    status, body = 200, b""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, response._content = self.status, self.body
        response.request, response.url = request, request.url or ""
        return response

    def close(self) -> None:
        """Nothing is open."""


def _cloud() -> tuple[NrfCloud, _Answer]:
    cloud = NrfCloud(CloudEndpoints(**_ENDPOINTS), "k" * 40)
    answer = _Answer()
    for client in (cloud._rest, cloud.claims._rest):
        client._session.mount("https://", answer)
    return cloud, answer


_CLOUD, _ANSWER = _cloud()
_CALLS: tuple[Callable[[], Any], ...] = (
    _CLOUD.account,
    lambda: ConnectionState.of(_CLOUD.device("d")),
    lambda: _CLOUD.messages(device_id="d"),
    _CLOUD.team_devices.create,
    lambda: _CLOUD.updates.execution("d", "j"),
    lambda: _CLOUD.claims.state("u", "c").fault,
)


def one_input(data: bytes) -> None:
    """The first byte chooses call and status. Documented errors: HarnessError; ShadowRejected of the stand-in."""
    if not data:
        return
    choice, body = data[0], data[1:]
    if choice >= 0xF0:
        pause = retry_after(body.decode("latin-1"))
        assert pause is None or 0.0 <= pause <= LONGEST_PAUSE, pause
        return
    if choice >= 0xC0:
        _shadow(body)
        return
    _ANSWER.status, _ANSWER.body = _STATUS[choice // len(_CALLS) % len(_STATUS)], body
    try:
        _CALLS[choice % len(_CALLS)]()
    except HarnessError as error:
        assert "\n" not in str(error), str(error)


def _shadow(body: bytes) -> None:
    try:
        update(Shadow(), parse_update(body), 0)
        parse_plain(body)
    except ShadowRejected as refusal:
        refusal.document(0)
