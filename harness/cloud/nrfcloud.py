"""The part of nRF Cloud's REST API that an account uses in tests. nRF Cloud REST API reference (openapi.json)."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, Self

from harness.cloud.account_rest import AccountRest, path_of, read_object
from harness.cloud.bulk import FINAL_STATES, key_csv, onboarding_csv, row_errors
from harness.cloud.certificate_set import certificate_set
from harness.cloud.claims import CLAIM, Claims
from harness.cloud.created_things import HARNESS_TAG, CreatedThings, Note, no_note
from harness.cloud.endpoints import CloudEndpoints
from harness.cloud.firmware_updates import FirmwareUpdates
from harness.cloud.refusals import NotOurs, RestError, StillPending
from harness.cloud.team_devices import TEAM, TeamDevices
from harness.cloud.types import Account, BulkResult, CertificateSet, OnboardRow
from harness.errors import HarnessError, Misuse
from harness.timeline import Kind, Timeline

HARNESS_GATEWAY: Final = f"{HARNESS_TAG}-gateway"
"""The sub type of gateways. nRF Cloud makes a gateway of every device that has the word in its sub type."""
CODE: Final = "code"
"""The kind, for ``note``, of what deletes a JITP device that is in no team: its id, a space, its ownership code."""


class NrfCloud:
    """One team's account. It never changes a device that the harness did not put there (:attr:`made`).

    ``endpoints``: where the cloud is. ``api_key``: the team's. ``updates``: firmware bundles and update jobs.
    ``claims``: the boards that are claimed for the team. ``team_devices``: its own MQTT clients. ``not_ours``: a line
    for each thing that was to be deleted, but was left because somebody else made it. ``note``: called for each thing
    that is made, and before it is made if its id is known then. ``timeline``: may be replaced between tests. ``poll``:
    seconds from one look at an operation to the next. ``pause``: seconds before the first repeat of a call.

    Calls raise RestError when the cloud refuses, and CloudUnreachable when it does not answer.
    """

    def __init__(
        self,
        endpoints: CloudEndpoints,
        api_key: str,
        *,
        timeline: Timeline | None = None,
        poll: float | None = None,
        pause: float | None = None,
        note: Note = no_note,
    ) -> None:
        self.endpoints = endpoints
        self.timeline = timeline
        pause = pause if pause is not None else 0.5 if endpoints.public else 0.05
        poll = poll if poll is not None else 5.0 if endpoints.public else 0.05
        self.made = CreatedThings("device", note)
        self._unsure: set[str] = set()  # those of them for which the cloud has not confirmed that the POST made them
        self._codes = CreatedThings(CODE, note)
        self._rest = AccountRest(
            endpoints,
            api_key,
            note=self._note,
            pause=pause,
            poll=poll,
        )
        self.team_devices = TeamDevices(self._rest, note)
        self.updates = FirmwareUpdates(self._rest, self._only_ours, note)
        service = replace(endpoints, rest=endpoints.provisioning)
        claims_rest = AccountRest(service, api_key, note=self._note, pause=pause, poll=poll)
        self.claims = Claims(claims_rest, note, service.rest)
        self.not_ours: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the HTTPS session. Devices stay; see :meth:`delete_all_made`."""
        self._rest.close()
        self.claims.close()

    def account(self) -> Account:
        """Return the team that the API key belongs to."""
        answer = self._rest.call("GET", "/account")
        raw = read_object(answer, mqttEndpoint=str, mqttTopicPrefix=str, team=dict)
        return Account(str(raw["team"].get("tenantId", "")), raw["mqttTopicPrefix"], raw["mqttEndpoint"], raw)

    def device(self, device_id: str) -> dict[str, Any] | None:
        """Return the device's record, or None if the team has no such device."""
        return self._rest.find(path_of("devices", device_id))

    def recognise(self, device_id: str) -> dict[str, Any] | None:
        """Treat a device of an earlier run as made by this one (:attr:`made`), and return its record.

        Returns None if the team has no such device. Raises NotOurs if somebody else put it there.
        """
        found = self.device(device_id)
        if found is not None and device_id not in self.made:
            _check_ours(device_id, found)
            self.made.take(device_id)
        return found

    def wait_device(self, device_id: str, *, timeout: float = 30.0) -> dict[str, Any]:
        """Return the device's record as soon as there is one. The cloud answers an onboarding before it is done."""
        return self._rest.wait_for(lambda: self.device(device_id), f"device {device_id} to be in the account", timeout)

    def onboard_device(
        self, device_id: str, certificate_pem: str, sub_type: str = "", tags: Sequence[str] = ()
    ) -> None:
        """Put a device with its certificate (one PEM block, ES256) into the account.

        ``device_id``: the new device's. ``certificate_pem``: its certificate. ``sub_type``, ``tags``: as nRF Cloud
        shows them.

        A device that a killed run left under this id is deleted first. Raises NotOurs if somebody else put it there.
        """
        self._make_room(device_id)
        body: dict[str, Any] = {"certificate": certificate_pem, "tags": [HARNESS_TAG, *tags]}
        if sub_type:
            body["subType"] = sub_type
        # If the POST fails half-way, a device that is there afterwards and has our tag is ours to delete.
        self.made.add(device_id)
        self._unsure.add(device_id)
        self._rest.call("POST", path_of("devices", device_id), json=body, repeatable=True)
        self._unsure.discard(device_id)

    def onboard_devices(self, rows: Sequence[OnboardRow]) -> str:
        """Start a bulk onboarding and return its id for :meth:`wait_bulk`."""
        tagged = [
            OnboardRow(row.device_id, row.certificate_pem, row.sub_type, (HARNESS_TAG, *row.tags), row.firmware_types)
            for row in rows
        ]
        body = onboarding_csv(tagged)
        for row in rows:
            self._make_room(row.device_id)
        self.made.update(row.device_id for row in rows)
        self._unsure.update(row.device_id for row in rows)  # each row may fail by itself
        answer = self._rest.call("POST", "/devices", body=body, content_type="text/csv")
        return str(read_object(answer, "bulkOpsRequestId")["bulkOpsRequestId"])

    def register_public_key(self, device_id: str, public_key_pem: str) -> str:
        """Register nothing but the key that a device signs its JWTs with; return the bulk operation's id.

        Such a device may use location services, but neither MQTT nor the firmware update service.
        """
        if self.device(device_id) is not None and device_id not in self.made:
            raise NotOurs(f"cannot register a key for {device_id}: this run did not put it into the account")
        body = key_csv(device_id, public_key_pem)
        answer = self._rest.call("POST", "/devices/public-keys", body=body, content_type="text/csv")
        return str(read_object(answer, "bulkOpsRequestId")["bulkOpsRequestId"])

    def wait_bulk(self, bulk_id: str, *, timeout: float = 120.0) -> BulkResult:
        """Return how a bulk operation ended. Rows without an error are in the account, even if it FAILED."""

        def ended() -> dict[str, Any] | None:
            raw = read_object(self._rest.call("GET", path_of("bulk-ops-requests", bulk_id)), "status")
            return raw if raw["status"] in FINAL_STATES else None

        raw = self._rest.wait_for(ended, f"bulk operation {bulk_id} to end", timeout)
        url = raw.get("errorSummaryUrl")
        errors = row_errors(self._rest.fetch(url)) if url else {}
        return BulkResult(bulk_id, raw["status"], errors)

    def create_device_certificate(self, device_id: str, ownership_code: str) -> CertificateSet:
        """Let nRF Cloud make key and certificate for just-in-time provisioning (JITP) of a new device."""
        self._make_room(device_id)
        self.made.add(device_id)
        self._codes.add(f"{device_id} {ownership_code}")
        return certificate_set(
            self._rest.call(
                "POST", path_of("devices", device_id, "certificates"), body=ownership_code, content_type="text/plain"
            )
        )

    def associate(self, device_id: str, ownership_code: str, *, sub_type: str = "") -> None:
        """Bring a JITP-provisioned device into the team. It has its new rights from its next connection on.

        ``device_id``: of the device. ``ownership_code``: of its certificate. ``sub_type``: if it has the word gateway,
        the device becomes one.
        """
        ours = device_id in self.made or self.device(device_id) is None
        self._rest.call(
            "PUT",
            path_of("association", device_id),
            query={"subType": sub_type} if sub_type else None,
            body=ownership_code,
            content_type="text/plain",
        )
        if ours:
            self.made.add(device_id)

    def dissociate(self, device_id: str) -> None:
        """Take a device out of the team; it stays provisioned."""
        self._only_ours(device_id, "dissociate")
        try:
            self._rest.call("DELETE", path_of("association", device_id))
        except RestError as error:
            if error.status != 404 or error.attempts == 1:
                raise
            # The answer to an earlier try was lost on its way: the device is out of the team already.

    def delete_device(self, device_id: str) -> bool:
        """Delete a device; False if it was gone already. Raises NotOurs."""
        self._only_ours(device_id, "delete")
        if device_id in self._unsure and (found := self.device(device_id)) is not None:
            _check_ours(device_id, found)
        gone = self._rest.delete(path_of("devices", device_id))
        self.made.discard(device_id)
        self._unsure.discard(device_id)
        return gone

    def patch_state(
        self, device_id: str, *, desired: Mapping[str, Any] | None = None, reported: Mapping[str, Any] | None = None
    ) -> None:
        """Change parts of the device's shadow.

        ``device_id``: of the device. ``desired``, ``reported``: members to change; at least one is given.
        """
        self._only_ours(device_id, "change the state of")
        parts = {"desired": desired, "reported": reported}
        body = {name: part for name, part in parts.items() if part is not None}
        if not body:
            raise Misuse(f"patch_state({device_id!r}) got neither desired nor reported; give one of them")
        self._rest.call("PATCH", path_of("devices", device_id, "state"), json=body)

    def wait_reported(self, device_id: str, text: str, *, timeout: float = 10.0) -> bool:
        """Tell whether the reported state of ``device_id`` has ``text`` in it within ``timeout`` seconds."""

        def holds() -> bool | None:
            state = (self.device(device_id) or {}).get("state", {})
            return text in json.dumps(state.get("reported", {})) or None

        try:
            return self._rest.wait_for(holds, f"{device_id} to have reported {text}", timeout)
        except StillPending:
            return False

    def send_message(self, device_id: str, topic: str, message: Any) -> None:
        """Publish in the name of a device. ``topic``: without the team's prefix, e.g. ``d/<id>/d2c``.

        ``device_id``: the device's. ``message``: any JSON value.
        """
        self._only_ours(device_id, "send a message as")
        self._rest.call("POST", path_of("devices", device_id, "messages"), json={"topic": topic, "message": message})

    def messages(
        self,
        *,
        device_id: str | None = None,
        app_id: str | None = None,
        topic: str | None = None,
        since: datetime | None = None,
    ) -> list[dict[str, Any]]:
        """Return stored messages, oldest first. nRF Cloud stores what is published below ``<prefix>m/``.

        ``device_id``, ``app_id``, ``topic``: only messages with these. ``since``: only messages from this time on.
        """
        if app_id and topic:
            raise Misuse("messages() takes app_id or topic, not both: the API cannot search for both; leave one out")
        query = {"pageSort": "asc"}
        given = {"deviceId": device_id, "appId": app_id, "topic": topic}
        query |= {name: value for name, value in given.items() if value}
        if since is not None:
            stamp = since.astimezone(UTC).isoformat(timespec="milliseconds")
            query["inclusiveStart"] = stamp.replace("+00:00", "Z")
        return self._rest.items("/messages", query, "messages, narrow the search by device_id or since")

    def delete_all_made(self) -> list[str]:
        """Delete everything that this client made. Return one line for each thing that could not be deleted.

        See also :attr:`not_ours`.
        """
        left: list[str] = []
        jobs: list[tuple[Callable[[str], bool], str]] = self.updates.deletions()
        jobs += self.claims.deletions()
        jobs += [(self.delete_device, id_) for id_ in sorted(self.made)]
        jobs += self.team_devices.deletions()
        for delete, name in jobs:
            try:
                delete(name)
            except NotOurs as error:
                self.not_ours.append(str(error))
            except HarnessError as error:
                left.append(f"{name} is still in the account: {error}")
        return left

    def delete_left(self, things: Mapping[str, Collection[str]]) -> list[str]:
        """Delete what a killed run has left. ``things``: ids by kind, as ``note`` got them. Returns lines as
        :meth:`delete_all_made` does.

        A device is deleted, and a claim given up, only if it still carries the harness's tag. A device is also deleted
        if it is in no team and has one of our ownership codes.
        """
        for device_id, _, code in (entry.partition(" ") for entry in things.get(CODE, ())):
            if self.device(device_id) is None:
                with suppress(RestError):  # refused: there is no such device, or it has another code by now
                    self.associate(device_id, code, sub_type=HARNESS_TAG)
                    self.wait_device(device_id)
        self.team_devices.made.update(things.get(TEAM, ()))
        self.updates.take(things)
        self.claims.made.update(things.get(CLAIM, ()))
        for device_id in things.get("device", ()):
            with suppress(NotOurs):
                if self.recognise(device_id) is not None:
                    self.made.add(device_id)
        return self.delete_all_made()

    def _make_room(self, device_id: str) -> None:
        found = self.device(device_id)
        if found is None or device_id in self.made:
            return
        _check_ours(device_id, found)
        self._note(f"a former run left device {device_id}: deleting it", device_id=device_id)
        self._rest.delete(path_of("devices", device_id))
        self._rest.wait_for(lambda: self.device(device_id) is None or None, f"old device {device_id} to go", 30.0)

    def _only_ours(self, device_id: str, verb: str) -> None:
        if device_id not in self.made:
            raise NotOurs(f"cannot {verb} {device_id}: this run did not put it into the account; onboard it first")

    def _note(self, text: str, **data: Any) -> None:
        if self.timeline is not None:
            self.timeline.add(Kind.CLOUD, self.endpoints.name, text, **data)


def _check_ours(device_id: str, found: Mapping[str, Any]) -> None:
    if HARNESS_TAG not in found.get("tags", ()) and found.get("subType") not in (HARNESS_TAG, HARNESS_GATEWAY):
        raise NotOurs(
            f"device {device_id} is in the account already, without the tag {HARNESS_TAG}, so it is somebody else's;"
            " delete it in the account, or give the board another device_id in its boards file"
        )
