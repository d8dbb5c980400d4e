"""What a team does with devices: onboard, associate, dissociate, delete; and its MQTT team devices.

Facts: nRF Cloud REST API (OnboardDevice, AssociateDevice, DissociateDevice, DeleteDevice, CreateTeamDevice) and its
error codes; nRF Connect SDK, nRF Cloud library (the desired shadow that tells a device whether it is associated).
"""

import hmac
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from harness.virtual.cloud.broker.interfaces import Journal
from harness.virtual.cloud.formats import now_utc
from harness.virtual.cloud.registry.device_keys import DeviceKeys
from harness.virtual.cloud.registry.device_record import DeviceRecord
from harness.virtual.cloud.registry.onboarding import (
    DeviceCertificate,
    InvalidUpload,
    KeyRow,
    OnboardingRow,
    load_certificate,
)
from harness.virtual.cloud.registry.policies import ThingGroup
from harness.virtual.cloud.registry.registry import Registry
from harness.virtual.cloud.services.services import CloudServices
from harness.virtual.cloud.services.shadow import ShadowRequest
from harness.virtual.cloud.tls.ca import IssuedIdentity, LocalCa

_JITP_SUB_TYPE = "jitp-generic"
_DISCONNECT_COMMAND = b'{"appId":"DEVICE","messageType":"DISCON"}'


class RestRefused(Exception):
    """The team may not, or cannot, do this: ``message``. ``status``: of HTTP. ``code``: nRF Cloud's own number."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Team:
    """One team. ``prefix``: its MQTT topic prefix with trailing slash, ``prod/<tenant id>/``.

    ``tenant_id``: the team's id. ``registry``, ``services``: of the cloud. ``ca``: issues team devices. ``journal``:
    gets what is done. ``now``: the clock. ``disconnect``: ends the connection of a client id, if it has one.
    ``changed``: called with the ID of each device whose record changes. Public: ``keys``, which verify the devices'
    JWTs.
    """

    def __init__(
        self,
        tenant_id: str,
        prefix: str,
        *,
        registry: Registry,
        services: CloudServices,
        ca: LocalCa,
        journal: Journal,
        disconnect: Callable[[str], object],
        now: Callable[[], datetime] = now_utc,
        changed: Callable[[str], object] = lambda device_id: None,
    ) -> None:
        self.tenant_id = tenant_id
        self.prefix = prefix
        self._registry = registry
        self._services = services
        self._ca = ca
        self._journal = journal
        self._disconnect = disconnect
        self._now = now
        self._records: dict[str, DeviceRecord] = {}
        self._count = 0
        self._team_devices: dict[str, str] = {}
        self._changed = changed
        self.keys = DeviceKeys(lambda name: registry.certificate_of(name) if self._owns(name) else None, changed)

    def devices(self) -> Iterator[DeviceRecord]:
        """Yield the devices of this team."""
        return (record for record in self._records.values() if self._owns(record.device_id))

    def tags(self) -> list[str]:
        """Return all tags of the team's devices."""
        return sorted({tag for record in self.devices() for tag in record.tags})

    def certified_device(self, device_id: str) -> DeviceRecord:
        """Return a device of this team that has a certificate. Raises RestRefused 404/40410 for any other.

        "Device security": the Firmware Update Service is for devices provisioned with an X.509 certificate, although
        their REST calls do not use it. What nRF Cloud answers to other devices is UNCONFIRMED.
        """
        record = self.device(device_id)
        if self._registry.certificate_of(device_id) is None:
            raise RestRefused(404, 40410, f"device {device_id} has a public key only, no certificate")
        return record

    def device(self, device_id: str) -> DeviceRecord:
        """Return a device of this team. Raises :class:`RestRefused` 404/40410 for any other."""
        if not self._owns(device_id):
            raise RestRefused(404, 40410, f"device {device_id} was not found")
        return self._records[device_id]

    def onboard(self, row: OnboardingRow) -> None:
        """Register a device, which is provisioned and associated then. Raises RestRefused 422/42200.

        A device that was dissociated can be onboarded again with its certificate.
        """
        try:
            certificate = load_certificate(row.pem)
        except InvalidUpload as error:
            raise RestRefused(422, 42200, str(error)) from error
        known = self._registry.certificate_of(row.device_id)
        # What nRF Cloud answers to an id or a certificate that it knows is UNCONFIRMED. A refusal never takes a device
        # from its owner. A device in no team has no owner, so it is taken if it comes with its own certificate.
        if self._registry.thing(row.device_id):
            record = self._records.get(row.device_id)
            if record is None or self._owns(row.device_id) or certificate is None or known != certificate:
                raise RestRefused(422, 42200, f"device {row.device_id} is onboarded already; delete it first")
            record.sub_type, record.tags, record.firmware_types = row.sub_type, row.tags, row.firmware_types
            self._take_key(row, certificate)
            self._join(record)
            return
        if certificate and self._registry.certificate_registered(certificate.certificate_id):
            raise RestRefused(422, 42200, "this certificate belongs to another device")
        record = self._add(row.device_id, row.sub_type, row.tags, row.firmware_types)
        if certificate:
            self._registry.attach(row.device_id, certificate)
        self._take_key(row, certificate)
        self._journal.write(
            "onboard", device_id=row.device_id, certificate_id=certificate.certificate_id if certificate else None
        )
        self._join(record)

    def exists(self, device_id: str) -> bool:
        """Tell whether a device, or any other client, has this id, in any team."""
        return self._registry.thing(device_id) is not None

    def provision(self, device_id: str, certificate: DeviceCertificate, ownership_code: str) -> None:
        """Make a device that is in no team until it is associated. Raises RestRefused 422/42200 if it exists.

        ``device_id``: its name. ``certificate``: the only one with which it connects. ``ownership_code``: needed to
        associate it.
        """
        if self.exists(device_id):
            raise RestRefused(422, 42200, f"device {device_id} exists already")
        record = self._add(device_id, _JITP_SUB_TYPE)
        record.ownership_code = ownership_code
        self._registry.attach(device_id, certificate)
        self.keys.forget(device_id)
        self._desire(device_id, {"pairing": {"state": "not_associated"}})

    def register_public_key(self, row: KeyRow) -> None:
        """Let the device, onboarded or not, sign JWTs with this key. Raises RestRefused 422/42200."""
        if self._registry.thing(row.device_id) and not self._owns(row.device_id):
            raise RestRefused(422, 42200, f"device {row.device_id} is not one of this team")
        try:
            self.keys.register(row.device_id, row.pem)
        except InvalidUpload as error:
            raise RestRefused(422, 42200, str(error)) from error
        self._journal.write("public_key", device_id=row.device_id)

    def register_certificate(self, row: KeyRow) -> None:
        """Give an onboarded device another certificate and so another key for JWTs. Raises RestRefused 404 or 422.

        UNCONFIRMED, chosen here: the former certificate can no longer connect, but its present connection stays.
        """
        self.device(row.device_id)
        try:
            certificate = load_certificate(row.pem)
        except InvalidUpload as error:
            raise RestRefused(422, 42200, str(error)) from error
        if certificate is None:
            raise RestRefused(422, 42200, "a certificate is needed, not a bare public key")
        if certificate != self._registry.certificate_of(row.device_id):
            if self._registry.certificate_registered(certificate.certificate_id):
                raise RestRefused(422, 42200, "this certificate belongs to another device")
            self._registry.detach_all(row.device_id)
            self._registry.attach(row.device_id, certificate)
        self.keys.forget(row.device_id)
        self._records[row.device_id].updated_at = self._now()
        self._journal.write("certificate", device_id=row.device_id, certificate_id=certificate.certificate_id)

    def describe(self, device_id: str, *, name: str | None = None, tags: Sequence[str] | None = None) -> None:
        """Change the name or the tags of a device. Raises RestRefused 404/40410.

        ``device_id``: the device's. ``name``, ``tags``: the new ones; None: no change.
        """
        record = self.device(device_id)
        record.name = record.name if name is None else name
        record.tags = record.tags if tags is None else tuple(tags)
        record.updated_at = self._now()
        self._changed(device_id)

    def associate(self, device_id: str, ownership_code: str, sub_type: str | None = None) -> None:
        """Add a provisioned device to the team. A second time it only changes the sub type.

        ``device_id``: the device's. ``ownership_code``: with which it was made; a device with a certificate of its own
        has none. ``sub_type``: the new one; None: no change.
        """
        record = self._records.get(device_id)
        if record is None:
            raise RestRefused(404, 40412, f"device {device_id} has not been provisioned yet")
        if record.ownership_code is None:
            raise RestRefused(404, 40411, f"no ownership code is known for device {device_id}")
        if not hmac.compare_digest(ownership_code.encode(), record.ownership_code.encode()):
            raise RestRefused(401, 40102, "wrong ownership code")
        if sub_type is not None:
            record.sub_type = sub_type
        self._join(record)

    def dissociate(self, device_id: str) -> None:
        """Remove a device from the team. It stays provisioned, and its shadow tells it."""
        if not self._owns(device_id):
            raise RestRefused(404, 40413, f"device {device_id} was not found")
        self._registry.dissociate(device_id)
        self.keys.forget(device_id)
        self._records[device_id].updated_at = self._now()
        self._journal.write("dissociate", device_id=device_id)
        pairing = {"state": "not_associated", "topics": None}
        self._desire(device_id, {"pairing": pairing, "nrfcloud_mqtt_topic_prefix": None})

    def delete(self, device_id: str) -> None:
        """Delete a device of the team: tell it to disconnect, and forget its certificate."""
        if not self._owns(device_id):
            raise RestRefused(404, 40414, f"device {device_id} was not found")
        for leaf in ("c2d", "c2d/r"):  # older and current firmware subscribe to different topics
            self._services.publish_for_device(f"{self.prefix}m/d/{device_id}/{leaf}", _DISCONNECT_COMMAND, device_id)
        del self._records[device_id]
        self.keys.forget(device_id)
        self._registry.remove_thing(device_id)
        self._services.forget_shadow(device_id)
        self._journal.write("delete", device_id=device_id)
        self._disconnect(device_id)

    def create_team_device(self) -> tuple[str, IssuedIdentity]:
        """Make an MQTT team device; return its client id and identity. The private key is not kept."""
        client_id = f"mqtt-team-{uuid.uuid4()}"
        self._registry.add_thing(client_id, ThingGroup.TEAM, thing_type="MqttTeamDevice")
        self._registry.associate(client_id, self.tenant_id)
        return client_id, self._give_identity(client_id)

    def rotate_team_device(self, client_id: str) -> IssuedIdentity:
        """Give a team device a new identity. The old one can no longer connect. Raises RestRefused 404/40410."""
        self.team_certificate(client_id)
        self._registry.detach_all(client_id)
        return self._give_identity(client_id)

    def is_team_client(self, client_id: str) -> bool:
        """Tell whether this is the client id of an MQTT team device."""
        return client_id in self._team_devices

    def team_certificate(self, client_id: str) -> str:
        """Return the certificate (PEM) of a team device. Raises RestRefused 404/40410."""
        if client_id not in self._team_devices:
            raise RestRefused(404, 40410, f"team device {client_id} was not found")
        return self._team_devices[client_id]

    def delete_team_device(self, client_id: str) -> None:
        """Remove a team device and end its connection. Raises RestRefused 404/40410."""
        self.team_certificate(client_id)
        del self._team_devices[client_id]
        self._registry.remove_thing(client_id)
        self._journal.write("team_device_deleted", client_id=client_id)
        self._disconnect(client_id)

    def snapshot(self, name: str) -> dict[str, Any] | None:
        """Return what the team knows about a device, see :class:`harness.virtual.cloud.registry.state_keeper.Part`."""
        record, key, certificate = self._records.get(name), self.keys.registered(name), self._team_devices.get(name)
        known = {
            "record": record.to_json() if record else None,
            "public_key": key,
            "team_device": certificate,
        }
        return {part: content for part, content in known.items() if content} or None

    def restore(self, name: str, content: dict[str, Any]) -> None:
        """Take back a :meth:`snapshot`."""
        if "record" in content:
            record = self._records[name] = DeviceRecord.from_json(content["record"])
            self._count = max(self._count, record.number)
        if "public_key" in content:
            self.keys.register(name, content["public_key"])
        if "team_device" in content:
            self._team_devices[name] = content["team_device"]

    def _add(
        self, device_id: str, sub_type: str, tags: tuple[str, ...] = (), firmware_types: tuple[str, ...] = ()
    ) -> DeviceRecord:
        now = self._now()
        self._count += 1
        record = DeviceRecord(device_id, self._count, sub_type, tags, firmware_types, now, now)
        self._records[device_id] = record
        self._registry.add_thing(device_id, ThingGroup.PROVISIONED, thing_type=record.device_type)
        return record

    def _owns(self, device_id: str) -> bool:
        thing = self._registry.thing(device_id)
        return device_id in self._records and thing is not None and thing.attributes.get("tenantId") == self.tenant_id

    def _take_key(self, row: OnboardingRow, certificate: DeviceCertificate | None) -> None:
        if certificate:
            self.keys.forget(row.device_id)
        else:
            self.keys.register(row.device_id, row.pem)

    def _join(self, record: DeviceRecord) -> None:
        groups = (
            [ThingGroup.ASSOCIATED, ThingGroup.GATEWAY] if record.device_type == "Gateway" else [ThingGroup.ASSOCIATED]
        )
        self._registry.associate(record.device_id, self.tenant_id, *groups)
        record.updated_at = self._now()
        self._journal.write("associate", device_id=record.device_id, groups=[str(group) for group in groups])
        own = f"{self.prefix}m/d/{record.device_id}"
        pairing = {"state": "paired", "topics": {"d2c": f"{own}/d2c", "c2d": f"{own}/c2d"}}
        self._desire(record.device_id, {"pairing": pairing, "nrfcloud_mqtt_topic_prefix": self.prefix})

    def _desire(self, device_id: str, desired: dict[str, object]) -> None:
        self._services.update_shadow(device_id, ShadowRequest({"desired": desired}))

    def _give_identity(self, client_id: str) -> IssuedIdentity:
        identity = self._ca.issue_client(client_id)
        certificate = load_certificate(identity.certificate_pem)
        assert isinstance(certificate, DeviceCertificate)  # noqa: S101  # our own CA issues certificates, not bare keys
        self._registry.attach(client_id, certificate)
        self._team_devices[client_id] = identity.certificate_pem
        self._journal.write("team_device", client_id=client_id, certificate_id=certificate.certificate_id)
        return identity
