"""One board, opened for a run: lease, port, modem, firmware, and the device that it is in the cloud."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from harness.credentials import CredentialRecords, KeyOrigin, LabCa, Provisioning, ProvisionRequest
from harness.errors import HarnessError, LabError
from harness.firmware import Login
from harness.lab import BoardConfig, Lab
from harness.policy.evaluation.expectations import Expectations
from harness.policy.evaluation.membership import Membership, Names
from harness.run.cloud import CloudBench
from harness.run.membership import DeviceMembership
from harness.run.onboarding import Onboarded, Written, onboard, write
from harness.run.open_board import Opened, open_board
from harness.timeline import Kind, Timeline
from harness.trial import AllowedAction, MqttConnection, ObservedPublish, ShadowUpdate, TrialContext, Trials, Verdict

_PATIENCE_LOCAL = 10.0
_PATIENCE_PUBLIC = 45.0  # LTE-M answers in a second or two; idle mode and bad radio take tens of seconds
_SETTLE_LOCAL = 2.0
_SETTLE_PUBLIC = 15.0  # AWS IoT does not promise order between topics, and shadow answers take their own way
_NO_TEAM = "00000000-0000-4000-8000-00000000dead"
_GRACE = 0.2
RECORDS = "boards"
"""The folder below the lab CA's in which the harness records what it wrote to which board."""
_CONNECT_GAP_PUBLIC = 1.1  # AWS IoT Core quotas: one CONNECT a second for each client id


@dataclass(frozen=True, slots=True)
class Provisioned:
    """The device that a board is in the cloud, with its credentials and its link for trials."""

    device_id: str
    credentials: Provisioning
    link: MqttConnection


class BoardBench:
    """Opens a board when a test needs it, keeps it for the run, and reopens it once when it came back.

    A board that failed stays failed for the run: later tests get the first error at once, not each its own time-out.
    ``ca_folder``: the lab's CA and the records of what was written to boards. ``key_origin``: None as the boards file
    says; ``renew``: credentials are made anew although valid ones are there. ``progress`` takes what is done,
    step by step.
    """

    def __init__(
        self,
        lab: Lab,
        config: BoardConfig,
        cloud: CloudBench,
        *,
        ca_folder: Path,
        key_origin: KeyOrigin | None = None,
        renew: bool = False,
        progress: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self.config = config
        self._own_key_origin = key_origin or KeyOrigin(config.provision)
        self.key_origin = self._own_key_origin
        self.records = CredentialRecords(ca_folder / RECORDS)
        self.cloud = cloud
        self.timeline = Timeline()
        self._lab = lab
        self._ca_folder = ca_folder
        self._renew = renew
        self._progress = progress
        self._leases = ExitStack()
        self._leased = False
        self._opened: Opened | None = None
        self._onboarded: Onboarded | None = None
        self._provisioned: Provisioned | None = None
        self._broken: HarnessError | None = None
        self._found_mode: int | None = None
        self._device = DeviceMembership(config.name, cloud)

    @property
    def name(self) -> str:
        """The board's name in the boards file."""
        return self.config.name

    def begin(self, timeline: Timeline) -> None:
        """Record into ``timeline`` from now on (a test begins); a board that went away is looked for once."""
        self.timeline = timeline
        self.cloud.begin(timeline)
        self.key_origin = self._own_key_origin
        if self._opened is not None:
            self._opened.port.timeline = timeline
            if not self._opened.port.alive:
                timeline.add(Kind.FAULT, self.name, "the port had gone away: it is opened anew")
                self._shut()
        if self._provisioned is not None:
            self._provisioned.link.timeline = timeline

    @property
    def opened(self) -> Opened:
        """Port, modem and firmware; opened on first use. Raises LabError: no port, busy, silent, wrong firmware."""
        if self._broken is not None:
            # The same object again would carry the first test's traceback along.
            raise type(self._broken)(*self._broken.args)
        if self._opened is None:
            try:
                self._opened = self._open()
            except LabError as error:
                self._broken = error
                raise
        return self._opened

    @property
    def provisioned(self) -> Provisioned:
        """The board as a device of the cloud, registered in the radio network."""
        onboarded = self.onboarded
        if self._provisioned is None:
            self.opened.modem.register()
            self._provisioned = Provisioned(self.device_id, onboarded.credentials, self._link(self.opened))
        return self._provisioned

    @property
    def onboarded(self) -> Onboarded:
        """The board as a device of the cloud: credentials written or found valid, device in the account."""
        if self._onboarded is not None and self._onboarded.credentials.key_origin is not self.key_origin:
            self._forget()
        if self._onboarded is not None:
            return self._onboarded
        self._device.restore()  # onboarding cannot find what is in no team
        onboarded = self.take(self._onboard())
        _ = self._device.now  # what an earlier run left may be a gateway
        return onboarded

    def provision(self, key_origin: KeyOrigin | None = None, *, renew: bool = True) -> Provisioned:
        """Provision the board for this test, by ``key_origin`` or its own; ``renew`` False keeps valid credentials.

        The next test that needs a device finds the board provisioned its own way again.
        """
        self._forget()
        self.key_origin = key_origin or self.key_origin
        self._renew = renew
        return self.provisioned

    def write_credentials(self) -> Written:
        """Do the board's part of onboarding alone, for several boards whose devices are registered together."""
        return write(self.opened, self.cloud, self._request())

    def take(self, onboarded: Onboarded) -> Onboarded:
        """Take note of how the board was onboarded, alone or together with others; return what is known of it."""
        self._onboarded = self._device.take(onboarded)
        return self._onboarded

    @property
    def sec_tag(self) -> int:
        """The sec_tag with the board's credentials; before it is provisioned the one that the boards file prefers."""
        return self.config.all_sec_tags[0] if self._onboarded is None else self._onboarded.credentials.sec_tag

    def login(self, *, client_id: str = "", sec_tag: int | None = None) -> Login:
        """Return the MQTT login of the provisioned device; ``client_id`` and ``sec_tag`` may be replaced."""
        host, port = self.cloud.endpoints.device_mqtt
        return Login(client_id or self.device_id, host, port, self.sec_tag if sec_tag is None else sec_tag)

    @property
    def device_id(self) -> str:
        """The board's device id in nRF Cloud: from the boards file, else the modem's device UUID."""
        device_id = self.config.device_id or self.opened.identity.device_uuid
        if device_id is None:
            raise LabError(f"{self.name}: the modem has no device UUID: give the board a device_id in the boards file")
        return device_id

    @property
    def membership(self) -> Membership:
        """What the device is in its team, as the cloud said or this run made it."""
        _ = self.onboarded
        return self._device.now

    @property
    def expectations(self) -> Expectations:
        """What the policy documents say of the provisioned device."""
        return Expectations(self.cloud.documents, self.names, self.membership)

    @property
    def names(self) -> Names:
        """The names that policies fill in for this device, and those of a device and a team that are not there."""
        return Names(self.device_id, f"{self.device_id}-other", self.cloud.account.tenant_id, _NO_TEAM)

    @property
    def patience(self) -> float:
        """Seconds that one answer of the cloud may take."""
        return _PATIENCE_PUBLIC if self.cloud.endpoints.public else _PATIENCE_LOCAL

    def check(self, *, grace: float = 0.0) -> None:
        """Raise LabError when the process behind the board or the cloud is dead.

        ``grace``: seconds to wait for it to be seen dead; for whoever has just lost a connection to it.
        """
        self._lab.check(self.name, grace=grace)
        self.cloud.check(grace=grace)

    def be(self, membership: Membership) -> None:
        """Make the device a member of its team, a gateway, or neither; its rights change with its next connection.

        Raises LabError. Whatever the device is then, the next use of it begins by asking the cloud.
        """
        link = self.provisioned.link
        if membership is self.membership:
            return
        self.timeline.add(Kind.STEP, self.name, f"the device is {self.membership} and is made {membership}")
        try:
            self._device.change(membership)
        finally:
            link.forget()

    def cannot_be(self, membership: Membership) -> str | None:
        """Return why the device must not be brought to ``membership``, or None."""
        _ = self.onboarded
        return self._device.cannot_be(membership)

    def trials(self, record: Callable[[Verdict], None]) -> Trials:
        """Return trials on the provisioned device's connection; every verdict goes to ``record``."""
        opened, link = self.opened, self.provisioned.link
        check = partial(self.check, grace=_GRACE)
        endpoints = self.cloud.endpoints
        around = TrialContext(self.timeline, endpoints.hold, check, self.expectations.explain, record)
        return Trials(link, opened.modem, opened.port, around)

    def properties(self) -> dict[str, str]:
        """Return what a report says of the board: name, cloud, and what the board said of itself so far."""
        found = {"board": self.name, "cloud": self.cloud.name}
        if self._opened is not None:
            identity = self._opened.identity
            found |= {
                "imei": identity.imei,
                "model": identity.model,
                "modem_firmware": identity.firmware,
                "firmware": self._opened.firmware.product,
            }
        if self._onboarded is not None:
            credentials = self._onboarded.credentials
            found |= {
                "device_id": credentials.device_id,
                "provisioned_by": str(credentials.key_origin),
                "private_key": credentials.security,
                "credentials": "kept" if credentials.kept else "written",
                "sec_tag": str(credentials.sec_tag),
            }
            if self._onboarded.attempts:
                found["jitp_attempts"] = str(self._onboarded.attempts)
        return found

    def close(self) -> list[str]:
        """Leave the board in the functional mode in which it was found, and its device an ordinary member of its team.

        Returns a line for what could not be done.
        """
        left: list[str] = []
        if self._opened is not None and self._opened.port.alive:
            try:
                if self._provisioned is not None:
                    self._provisioned.link.disconnect()
                if self._found_mode is not None:
                    self._opened.modem.set_functional_mode(self._found_mode)
            except HarnessError as error:
                left.append(f"{self.name}: not left as it was found: {error}")
        left += self._device.close()
        self._shut()
        self._leases.close()
        return left

    def _open(self) -> Opened:
        if not self._leased:
            self._leases.enter_context(self._lab.lease(self.config))
            self._leased = True
        url = self._lab.port_url(self.config)
        self._step(f"opening {url}")
        opened = open_board(self.config, url, self.timeline)
        if self._found_mode is None:
            self._found_mode = opened.found_mode
        return opened

    def _onboard(self) -> Onboarded:
        request = self._request()
        onboarded = onboard(
            self.opened, self.cloud, request, lambda sec_tag: self.login(sec_tag=sec_tag), patience=self.patience
        )
        self._renew = False  # once is enough: a board that came back in the same run has what was asked for
        return onboarded

    def _request(self) -> ProvisionRequest:
        return ProvisionRequest(
            device_id=self.device_id,
            sec_tags=self.config.all_sec_tags,
            key_origin=self.key_origin,
            ca=LabCa.load_or_create(self._ca_folder),
            root_ca_pem=self.cloud.endpoints.root_ca_pem,
            records=self.records,
            adopt=self.config.adopt,
            renew=self._renew,
            progress=self._step,
        )

    def _forget(self) -> None:
        if self._provisioned is not None:
            self._provisioned.link.disconnect()
        self._provisioned = None
        self._onboarded = None

    def _step(self, text: str) -> None:
        self.timeline.add(Kind.STEP, self.name, text)
        self._progress(text)

    def _link(self, opened: Opened) -> MqttConnection:
        prefix, device, device_id = self.cloud.account.mqtt_prefix, opened.firmware, self.device_id
        observer = self.cloud.observer
        actions: list[AllowedAction] = [
            ObservedPublish(device, observer, f"{prefix}m/d/{device_id}/d2c"),
            ObservedPublish(device, observer, f"{prefix}{device_id}/jobs/harness"),
            ShadowUpdate(device, device_id),
        ]
        gap = _CONNECT_GAP_PUBLIC if self.cloud.endpoints.public else 0.0
        settle = _SETTLE_PUBLIC if self.cloud.endpoints.public else _SETTLE_LOCAL
        return MqttConnection(
            device, self.login(), actions, self.timeline, gap=gap, patience=self.patience, settle=settle
        )

    def _shut(self) -> None:
        if self._opened is not None:
            self._opened.firmware.close()
            self._opened.port.close()
        self._opened = None
        self._onboarded = None
        self._provisioned = None
