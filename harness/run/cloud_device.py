"""The device that a board is in its cloud: onboarded when first needed; its names, login, membership and rights."""

from collections.abc import Callable
from pathlib import Path

from harness.credentials import CredentialRecords, KeyOrigin, LabCa, ProvisionRequest
from harness.errors import LabError
from harness.firmware import Login
from harness.policy import PolicyDocument
from harness.policy.evaluation.expectations import Expectations
from harness.policy.evaluation.membership import Membership, Names
from harness.run.cloud import Cloud
from harness.run.leased_board import LeasedBoard
from harness.run.membership import DeviceMembership
from harness.run.onboarding import Onboarded, WrittenCredentials, onboard, write

_PATIENCE_LOCAL = 10.0
_PATIENCE_PUBLIC = 45.0  # LTE-M answers in a second or two; idle mode and bad radio take tens of seconds
_NO_TEAM = "00000000-0000-4000-8000-00000000dead"
RECORDS = "boards"
"""The folder below the lab CA's in which the harness records what it wrote to which board."""


class CloudDevice:
    """The device that ``board`` is in ``cloud``.

    ``ca_folder``: the lab's CA and the records of what was written to boards. ``key_origin``: None as the boards file
    says; ``renew``: credentials are made anew although valid ones are there. ``disconnect`` ends the device's MQTT
    connection: called before its credentials change.
    """

    def __init__(
        self,
        board: LeasedBoard,
        cloud: Cloud,
        *,
        ca_folder: Path,
        key_origin: KeyOrigin | None,
        renew: bool,
        disconnect: Callable[[], None],
    ) -> None:
        self.cloud = cloud
        self._own_key_origin = key_origin or KeyOrigin(board.config.provision)
        self.key_origin = self._own_key_origin
        self.records = CredentialRecords(ca_folder / RECORDS)
        self._board = board
        self._config = board.config
        self._ca_folder = ca_folder
        self._renew = renew
        self._disconnect = disconnect
        self._onboarded: Onboarded | None = None
        self._membership = DeviceMembership(board.config.name, cloud)
        self._asked: tuple[tuple[PolicyDocument, ...], Names, Membership] | None = None
        self._expectations: Expectations | None = None

    def begin(self) -> None:
        """Begin a test: keys are made by the board's own key origin again."""
        self.key_origin = self._own_key_origin

    @property
    def id(self) -> str:
        """The device id in nRF Cloud: from the boards file, else the modem's device UUID."""
        device_id = self._config.device_id or self._board.opened.identity.device_uuid
        if device_id is None:
            raise LabError(
                f"{self._config.name}: the modem has no device UUID, as on every nRF9160: give the board a"
                " device_id in the boards file"
            )
        return device_id

    @property
    def names(self) -> Names:
        """The names that policies fill in for this device, and those of a device and a team that are not there."""
        return Names(self.id, f"{self.id}-other", self.cloud.account.tenant_id, _NO_TEAM)

    @property
    def onboarded(self) -> Onboarded:
        """The board as a device of the cloud: credentials written or found valid, device in the account."""
        if self._onboarded is not None and self._onboarded.credentials.key_origin is not self.key_origin:
            self._forget()
        if self._onboarded is not None:
            return self._onboarded
        self._membership.restore()  # onboarding cannot find a device in no team
        onboarded = self.take(self._onboard())
        _ = self._membership.now  # what an earlier run left may be a gateway
        return onboarded

    def provision_by(self, key_origin: KeyOrigin | None, *, renew: bool) -> None:
        """Have credentials made by ``key_origin`` when the device is needed next; None: as now."""
        self._forget()
        self.key_origin = key_origin or self.key_origin
        self._renew = renew

    def write_credentials(self) -> WrittenCredentials:
        """Do the board's part of onboarding alone, for several boards whose devices are registered together."""
        return write(self._board.opened, self.cloud, self._request())

    def take(self, onboarded: Onboarded) -> Onboarded:
        """Take note of how the board was onboarded, alone or together with others; return what is known of it."""
        self._onboarded = self._membership.take(onboarded)
        return self._onboarded

    @property
    def sec_tag(self) -> int:
        """The sec_tag with the board's credentials; before it is provisioned the one that the boards file prefers."""
        return self._config.all_sec_tags[0] if self._onboarded is None else self._onboarded.credentials.sec_tag

    def login(self, *, client_id: str = "", sec_tag: int | None = None) -> Login:
        """Return the MQTT login of the provisioned device; ``client_id`` and ``sec_tag`` may be replaced."""
        host, port = self.cloud.endpoints.device_mqtt
        return Login(client_id or self.id, host, port, self.sec_tag if sec_tag is None else sec_tag)

    @property
    def membership(self) -> Membership:
        """The device's membership, as the cloud said or this run made it."""
        _ = self.onboarded
        return self._membership.now

    def cannot_be(self, membership: Membership) -> str | None:
        """Return why the device must not get ``membership``, or None."""
        _ = self.onboarded
        return self._membership.cannot_be(membership)

    def change_membership(self, membership: Membership) -> None:
        """Give the device this membership; its rights change with its next connection. Raises LabError."""
        self._membership.change(membership)

    @property
    def expectations(self) -> Expectations:
        """What the policy documents say of the provisioned device.

        The same object as long as that is the same, because it compiles the documents when it is first asked.
        """
        asked = self.cloud.documents, self.names, self.membership
        if self._expectations is None or self._asked != asked:
            self._asked, self._expectations = asked, Expectations(*asked)
        return self._expectations

    @property
    def patience(self) -> float:
        """Seconds that one answer of the cloud to the device may take."""
        return _PATIENCE_PUBLIC if self.cloud.endpoints.public else _PATIENCE_LOCAL

    def properties(self) -> dict[str, str]:
        """Return what a report says of the device."""
        if self._onboarded is None:
            return {}
        credentials = self._onboarded.credentials
        found = {
            "device_id": credentials.device_id,
            "provisioned_by": str(credentials.key_origin),
            "private_key": credentials.security,
            "credentials": "kept" if credentials.kept else "written",
            "sec_tag": str(credentials.sec_tag),
        }
        if self._onboarded.attempts:
            found["jitp_attempts"] = str(self._onboarded.attempts)
        return found

    def board_lost(self) -> None:
        """Note that the board has to be opened anew, and that its credentials have to be checked again."""
        self._onboarded = None

    def close(self) -> list[str]:
        """Make the device an ordinary member of its team again. Returns a line if that failed."""
        if self._board.alive and not self._config.outlives_run:
            for sec_tag in self._config.all_sec_tags:
                self.records.remove(self._board.opened.identity.imei, sec_tag)
        return self._membership.close()

    def _onboard(self) -> Onboarded:
        request = self._request()
        onboarded = onboard(
            self._board.opened, self.cloud, request, lambda sec_tag: self.login(sec_tag=sec_tag), patience=self.patience
        )
        self._renew = False  # once is enough: a board that came back in the same run has its new credentials
        return onboarded

    def _request(self) -> ProvisionRequest:
        return ProvisionRequest(
            device_id=self.id,
            sec_tags=self._config.all_sec_tags,
            key_origin=self.key_origin,
            ca=LabCa.load_or_create(self._ca_folder),
            root_ca_pem=self.cloud.endpoints.root_ca_pem,
            records=self.records,
            adopt=self._config.adopt,
            renew=self._renew,
            progress=self._board.step,
        )

    def _forget(self) -> None:
        self._disconnect()
        self._onboarded = None
