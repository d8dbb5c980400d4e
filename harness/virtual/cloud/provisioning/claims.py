"""Boards claimed for the team, and the commands queued for them. No I/O.

Facts: nRF Cloud provisioning service as nRF Cloud Utils uses it (claimed-devices, provisioning commands, provisioning
rules); at most 20 commands wait for a board. UNCONFIRMED, chosen here: 422 for a token that cannot be read, 403 for one
that no trusted board signed, 409 for a board that is claimed; the final states SUCCEEDED and FAILED.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from harness.virtual.cloud.broker.interfaces import Journal
from harness.virtual.cloud.formats import iso, make_ulid, now_utc
from harness.virtual.cloud.provisioning.attestation import AttestationToken, InvalidAttestation, TrustedIdentities
from harness.virtual.cloud.registry.team import RestRefused

MOST_COMMANDS = 20


class CommandStatus(StrEnum):
    """The life cycle of a command."""

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass
class ProvisioningCommand:
    """A provisioning command. ``kind``: the name of the only member of the request. ``details``: its value."""

    command_id: str
    description: str
    kind: str
    details: dict[str, Any] = field(repr=False)
    created_at: datetime
    status: CommandStatus = CommandStatus.PENDING
    response: dict[str, Any] | None = field(default=None, repr=False)

    @property
    def waiting(self) -> bool:
        """Whether the board has not answered it yet."""
        return self.status in (CommandStatus.PENDING, CommandStatus.IN_PROGRESS)

    def item(self) -> dict[str, Any]:
        """Return the command as the API shows it."""
        item = {"id": self.command_id, "description": self.description, "status": str(self.status)}
        return {
            **item,
            "request": {self.kind: self.details},
            "createdAt": iso(self.created_at),
            **({} if self.response is None else {"response": self.response}),
        }


@dataclass
class ClaimedDevice:
    """A claimed board."""

    device_uuid: uuid.UUID
    device_type: str
    tags: tuple[str, ...]
    claimed_at: datetime
    commands: list[ProvisioningCommand] = field(default_factory=list)

    def item(self, owner: str) -> dict[str, Any]:
        """Return the board as the API shows it, without its IMEI, which is not known here."""
        return {
            "id": str(self.device_uuid),
            "deviceType": self.device_type,
            "ownerId": owner,
            "ownershipStatus": "CLAIMED",
            "status": "ACTIVE",
            "tags": list(self.tags),
            "claimedAt": iso(self.claimed_at),
        }


@dataclass(frozen=True)
class Rule:
    """A rule: commands for every board that is claimed with one of ``tags``."""

    rule_id: str
    name: str
    active: bool
    tags: tuple[str, ...]
    commands: tuple[tuple[str, dict[str, Any]], ...]

    def item(self) -> dict[str, Any]:
        """Return the rule as the API shows it."""
        commands = [{"request": {kind: details}} for kind, details in self.commands]
        head = {"id": self.rule_id, "name": self.name, "active": self.active}
        return {**head, "tags": list(self.tags), "commands": commands}


class Claims:
    """The team's claimed boards, its rules and its tags.

    ``identities``: keys that prove whose a claim token is. ``journal``: of refused claims too. ``now``: tells the time.
    """

    def __init__(self, identities: TrustedIdentities, journal: Journal, now: Callable[[], datetime] = now_utc) -> None:
        self._identities = identities
        self._journal = journal
        self._now = now
        self._devices: dict[uuid.UUID, ClaimedDevice] = {}
        self.rules: list[Rule] = []
        self.tags: dict[str, str] = {}

    def check(self, token: str) -> AttestationToken:
        """Return the token if its board can be claimed with it, else raise :class:`RestRefused`."""
        try:
            found = AttestationToken.parse(token)
        except InvalidAttestation as error:
            raise RestRefused(422, 42200, f"claimToken: {error}") from error
        key = self._identities.find(found.device_uuid)
        if key is None or not found.signed_by(key):
            known = "no identity key is trusted for it" if key is None else "its identity key did not sign the token"
            self._journal.write("claim_refused", device_uuid=str(found.device_uuid), reason=known)
            raise RestRefused(403, 40300, f"device {found.device_uuid} cannot be claimed: {known}")
        if found.device_uuid in self._devices:
            raise RestRefused(409, 40900, f"device {found.device_uuid} is claimed already")
        return found

    def claim(self, token: str, tags: Sequence[str] = ()) -> ClaimedDevice:
        """Claim the board that made ``token``, and queue the commands of rules with one of ``tags`` for it."""
        found = self.check(token)
        device = ClaimedDevice(found.device_uuid, found.device_type_name, tuple(tags), self._now())
        self._devices[found.device_uuid] = device
        self._journal.write("claim", device_uuid=str(found.device_uuid), tags=list(tags))
        for rule in self.rules:
            if rule.active and set(rule.tags) & set(tags):
                for kind, details in rule.commands:
                    self.add_command(device, kind, details, rule.name)
        return device

    def unclaim(self, device_uuid: str) -> None:
        """Give a board up. Raises :class:`RestRefused` 404/40410 if it is not claimed."""
        device = self.device(device_uuid)
        del self._devices[device.device_uuid]
        self._journal.write("unclaim", device_uuid=str(device.device_uuid))

    @property
    def devices(self) -> list[ClaimedDevice]:
        """The claimed boards, in the order in which they were claimed."""
        return list(self._devices.values())

    def device(self, device_uuid: str) -> ClaimedDevice:
        """Return a claimed board. Raises :class:`RestRefused` 404/40410."""
        try:
            return self._devices[uuid.UUID(device_uuid)]
        except (ValueError, KeyError):
            raise RestRefused(404, 40410, f"device {device_uuid[:40]} is not claimed") from None

    def add_command(
        self, device: ClaimedDevice, kind: str, details: dict[str, Any], description: str
    ) -> ProvisioningCommand:
        """Queue a command. Raises :class:`RestRefused` 422 if too many wait.

        ``device``: the board. ``kind``, ``details``: of the command, as the API has them. ``description``: for people.
        """
        if sum(command.waiting for command in device.commands) >= MOST_COMMANDS:
            raise RestRefused(422, 42200, f"{MOST_COMMANDS} commands are waiting for the device already")
        now = self._now()
        command = ProvisioningCommand(make_ulid(now), description, kind, details, now)
        device.commands.append(command)
        self._journal.write(
            "provisioning_command", device_uuid=str(device.device_uuid), command_id=command.command_id, kind=kind
        )
        return command

    def command(self, device_uuid: str, command_id: str) -> ProvisioningCommand:
        """Return a command of a board. Raises :class:`RestRefused` 404/40410."""
        for command in self.device(device_uuid).commands:
            if command.command_id == command_id:
                return command
        raise RestRefused(404, 40410, f"command {command_id[:40]} was not found")

    def add_rule(self, name: str, *, active: bool, tags: Sequence[str], commands: Sequence[tuple[str, Any]]) -> Rule:
        """Add a provisioning rule.

        ``name``: for people. ``active``: the rule is applied. ``tags``: boards claimed with one of these get the
        commands. ``commands``: the description and request of each.
        """
        rule = Rule(make_ulid(self._now()), name, active, tuple(tags), tuple(commands))
        self.rules.append(rule)
        return rule
