"""Devices over REST: onboarding, looking up, state, association, deletion.

Facts: nRF Cloud REST API, operations OnboardDevice, FetchDevice, ListDevices, UpdateDeviceState, DeleteDevice,
AssociateDevice and DissociateDevice.
"""

import json
from typing import Any

from aiohttp import web

from harness.virtual.cloud.registry.device_record import DeviceRecord
from harness.virtual.cloud.registry.onboarding import InvalidUpload, check_row, check_tags
from harness.virtual.cloud.registry.team import RestRefused
from harness.virtual.cloud.rest.api import BASE, Api
from harness.virtual.cloud.rest.request import (
    PAGING,
    accepted,
    answer_page,
    invalid,
    read_flag,
    read_json,
    read_object,
    read_ownership_code,
    read_query,
    read_strings,
)
from harness.virtual.cloud.services import shadow as core
from harness.virtual.cloud.services.shadow import ShadowRejected

_DEVICE_MEMBERS = ("certificate", "subType", "tags", "supportedFirmwareTypes")
_NOT_DEVICES = ("tags", "certificates", "public-keys", "mqtt-team")
_NO_SUB_TYPE = "unknown"  # the API shows such a value for every device (UNCONFIRMED: this one)
_FLAGS = ("includeState", "includeStateMeta")
_FILTERS = ("tags", "deviceIds", "deviceTypes", "subTypes")


class DeviceRoutes:
    """Handlers about the team's devices."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._team = api.team

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        # Fixed paths below /devices are not devices, whatever the method.
        device = f"{BASE}/devices/{{deviceId:(?!(?:{'|'.join(_NOT_DEVICES)})$)[^/]+}}"
        association = f"{BASE}/association/{{deviceId}}"
        return [
            web.get(f"{BASE}/devices", self.list),
            web.get(device, self.fetch),
            web.post(device, self.onboard),
            web.delete(device, self.delete),
            web.patch(f"{BASE}/devices/{{deviceId}}/state", self.update_state),
            web.put(f"{BASE}/devices/{{deviceId}}/name", self.rename),
            web.put(f"{BASE}/devices/{{deviceId}}/tags", self.retag),
            web.put(association, self.associate),
            web.delete(association, self.dissociate),
        ]

    async def onboard(self, request: web.Request) -> web.Response:
        """OnboardDevice: JSON with a PEM certificate or public key."""
        body = await read_object(request, allowed=_DEVICE_MEMBERS)
        pem, sub_type = body.get("certificate"), body.get("subType", "")
        if not isinstance(pem, str) or not isinstance(sub_type, str):
            raise invalid("certificate is required; it and subType must be strings")
        tags, firmware_types = read_strings(body, "tags"), read_strings(body, "supportedFirmwareTypes")
        try:
            row = check_row(request.match_info["deviceId"], sub_type, tags, firmware_types, pem)
        except InvalidUpload as error:
            raise invalid(str(error)) from error
        self._team.onboard(row)
        return accepted()

    async def fetch(self, request: web.Request) -> web.Response:
        """FetchDevice; ``transform`` (JSONata) is not available here."""
        read_query(request, allowed=())
        record = self._team.device(request.match_info["deviceId"])
        return web.json_response(self._show(record, state=True, metadata=True))

    async def list(self, request: web.Request) -> web.Response:
        """ListDevices, with those of its filters that a harness uses."""
        query = read_query(request, allowed=(*_FLAGS, *PAGING, "deviceNameFuzzy"), repeatable=_FILTERS)
        state = read_flag(query, "includeState", default=True)
        metadata = read_flag(query, "includeStateMeta", default=False)
        return answer_page(
            query,
            (record for record in self._team.devices() if _matches(record, query)),
            number=lambda record: record.number,
            show=lambda record: self._show(record, state=state, metadata=metadata),
        )

    async def delete(self, request: web.Request) -> web.Response:
        """DeleteDevice. The optional ownership code in the body matters for JITP devices only."""
        device_id = request.match_info["deviceId"]
        self._team.delete(device_id)
        self._api.fota.forget(device_id)
        return accepted()

    async def update_state(self, request: web.Request) -> web.Response:
        """UpdateDeviceState: ``reported`` and ``desired`` without the outer ``state``."""
        record = self._team.device(request.match_info["deviceId"])
        body = await read_object(request, allowed=("reported", "desired"))
        if not body or not all(isinstance(section, dict) for section in body.values()):
            raise invalid("the body must hold reported or desired, each an object")
        document: dict[str, Any] = {"state": body}
        condition = request.headers.get("If-Match")
        if condition is not None:
            if not condition.strip('"').isdecimal():
                raise invalid("If-Match must be a version number")
            document["version"] = int(condition.strip('"'))
        try:
            self._api.services.update_shadow(record.device_id, core.parse_update(json.dumps(document).encode()))
        except ShadowRejected as refusal:
            # UNCONFIRMED what the API answers to a version mismatch or a state that is too large.
            status = 422 if refusal.code == 400 else refusal.code
            raise RestRefused(status, status * 100, refusal.message) from refusal
        return accepted()

    async def rename(self, request: web.Request) -> web.Response:
        """UpdateDeviceName: a string; nRF Cloud Utils sends a list with one."""
        body = await read_json(request)
        name = body[0] if isinstance(body, list) and len(body) == 1 else body
        if not isinstance(name, str) or not name:
            raise invalid("the body must be the device's name, a JSON string")
        self._team.describe(request.match_info["deviceId"], name=name)
        return accepted()

    async def retag(self, request: web.Request) -> web.Response:
        """UpdateDeviceTags: a list that replaces the former one."""
        tags = read_strings({"tags": await read_json(request)}, "tags")
        try:
            check_tags(tags)
        except InvalidUpload as error:
            raise invalid(str(error)) from error
        self._team.describe(request.match_info["deviceId"], tags=tags)
        return accepted()

    async def associate(self, request: web.Request) -> web.Response:
        """AssociateDevice: the body is the ownership code, as plain text or as a JSON string."""
        query = read_query(request, allowed=("subType",))
        code = await read_ownership_code(request)
        self._team.associate(request.match_info["deviceId"], code, query.get("subType", [None])[0])
        return accepted()

    async def dissociate(self, request: web.Request) -> web.Response:
        """DissociateDevice."""
        self._team.dissociate(request.match_info["deviceId"])
        return accepted()

    def _show(self, record: DeviceRecord, *, state: bool, metadata: bool) -> dict[str, Any]:
        shadow = self._api.services.shadow(record.device_id)
        item: dict[str, Any] = {
            "id": record.device_id,
            "name": record.name or record.device_id,
            "type": record.device_type,
            "subType": record.sub_type or _NO_SUB_TYPE,
            "tags": list(record.tags),
            "tenantId": self._team.tenant_id,
            "$meta": record.meta(str(shadow.version)),
        }
        if record.firmware_types:
            item["firmware"] = {"supports": list(record.firmware_types)}
        if state:
            delta = shadow.delta()
            item["state"] = {
                "reported": {},
                "desired": {},
                **(shadow.state or {}),
                **({"delta": delta} if delta else {}),
                **({"metadata": shadow.metadata} if metadata else {}),
                "version": shadow.version,
            }
        return item


def _matches(record: DeviceRecord, query: dict[str, list[str]]) -> bool:
    return (
        ("deviceIds" not in query or record.device_id in query["deviceIds"])
        and ("deviceTypes" not in query or record.device_type in query["deviceTypes"])
        and ("subTypes" not in query or record.sub_type in query["subTypes"])
        and ("tags" not in query or any(tag in record.tags for tag in query["tags"]))
        and query.get("deviceNameFuzzy", [""])[0].lower() in record.device_id.lower()
    )
