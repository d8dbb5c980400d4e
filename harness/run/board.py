"""One board of a run, with the device that it is in the cloud and the MQTT connection that trials are made on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from harness.cloud import Observer
from harness.credentials import KeyOrigin, Provisioning
from harness.errors import HarnessError, LabError, Misuse, about
from harness.firmware.nrf_cloud_commands import NrfCloudConnection
from harness.lab import AttachedStandIn, BoardConfig, Lab, StandIn
from harness.policy.evaluation.membership import Membership
from harness.run.board_sockets import BoardSockets
from harness.run.cloud import Cloud
from harness.run.cloud_device import CloudDevice
from harness.run.control_connect import send_control_connect
from harness.run.found_modes import FoundModes
from harness.run.leased_board import LeasedBoard
from harness.run.nrf_cloud_trials import NrfCloudTrials
from harness.run.open_board import OpenBoard
from harness.run.own_trials import OwnTrials
from harness.run.trial_connection import SETTLE_PUBLIC, allowed_delivery, allowed_topics, trial_connection
from harness.run.witnesses import BoardWitnesses
from harness.timeline import Kind, Timeline
from harness.trial import MqttConnection, TrialContext, Trials, Verdict
from harness.trial.experiment import Breaker, Conclusion, ExperimentResult, ExperimentRule, Night, Suspect
from harness.trial.experiment.rule import BREAKER
from harness.trial.wire.login_runner import ControlConnect

_GRACE = 0.2
_OWN_HOLD = 0.5  # seconds that a connection of the firmware's own has to stay, where no network is between


class LinkUnfit(LabError):
    """Something on the way to the cloud keeps every verdict from being proved, so the board's run ends."""


@dataclass(frozen=True, slots=True)
class Provisioned:
    """The device that a board is in the cloud, with its credentials and its link for trials."""

    device_id: str
    credentials: Provisioning
    link: MqttConnection


class Board:
    """Opens a board when a test needs it, and keeps it for the run: board, device and connection in step.

    ``lab``: finds and leases it. ``config``: its entry in the boards file. ``cloud``: the one that it uses.
    ``ca_folder``, ``key_origin``, ``renew``: see CloudDevice. ``confidence``: of verdicts, in place of the boards
    file's. ``progress`` takes what is done, step by step.

    Attributes: ``device``: what the board is in its cloud. ``sockets``: what its modem carries for others.
    """

    def __init__(
        self,
        lab: Lab,
        config: BoardConfig,
        cloud: Cloud,
        *,
        ca_folder: Path,
        key_origin: KeyOrigin | None = None,
        renew: bool = False,
        confidence: float | None = None,
        progress: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self.config = config
        self.cloud = cloud
        self._lab = lab
        modes = FoundModes(ca_folder / "modes") if config.outlives_run else None
        self._leased = LeasedBoard(lab, config, progress, modes, state=ca_folder)
        self.device = CloudDevice(
            self._leased, cloud, ca_folder=ca_folder, key_origin=key_origin, renew=renew, disconnect=self._disconnect
        )
        self.sockets = BoardSockets(self._leased, self.device, cloud)
        self._provisioned: Provisioned | None = None
        self._confidence = confidence
        self._night = Night()
        self._breaker = Breaker()
        self._suspect: Suspect | None = None
        self._witnesses: BoardWitnesses | None = None

    @property
    def _pace(self) -> int:
        """Bit/s of the serial line; 0: a virtual board's without a pace."""
        return self.opened.port.settings.baudrate if self.config.virtual is None else self.config.virtual.baud

    @property
    def name(self) -> str:
        """The board's name in the boards file."""
        return self.config.name

    @property
    def timeline(self) -> Timeline:
        """Everything that happens to the board during the run, and what its cloud sees while its tests run."""
        return self._leased.timeline

    @property
    def stand_in(self) -> StandIn | AttachedStandIn:
        """The process that plays the board, which takes commands while it runs. Raises Misuse for a real board."""
        return self._lab.stand_ins.of(self.config)

    def begin(self) -> None:
        """Begin a test of this board: record its cloud here, and look once for a board that went away."""
        self.cloud.record_into(self.timeline)
        self.device.begin()
        if not self._leased.begin():
            self._provisioned = None
            self.device.board_lost()

    @property
    def opened(self) -> OpenBoard:
        """Port, modem and firmware; opened on first use. Raises LabError: no port, busy, silent, wrong firmware."""
        return self._leased.opened

    @property
    def alive(self) -> bool:
        """Whether the board is open and its port still there."""
        return self._leased.alive

    @property
    def observer(self) -> Observer:
        """The team's MQTT device, which hears the topics of this board's device. Raises LabError."""
        observer, device_id = self.cloud.observer, self.device.id
        for below in (f"m/d/{device_id}", device_id, f"gateways/{device_id}"):
            observer.listen(f"{observer.prefix}{below}/#")
        return observer

    @property
    def provisioned(self) -> Provisioned:
        """The board as a device of the cloud, registered in the radio network."""
        onboarded = self.device.onboarded
        if self._provisioned is None:
            self.opened.modem.register()
            link = trial_connection(self.opened, self.device, self.observer, baud=self._pace)
            self._witnesses = self._board_witnesses()
            self._provisioned = Provisioned(self.device.id, onboarded.credentials, link)
        return self._provisioned

    def provision(self, key_origin: KeyOrigin | None = None, *, renew: bool = True) -> Provisioned:
        """Provision the board for this test, by ``key_origin`` or its own; ``renew`` False keeps valid credentials.

        The next test that needs a device finds the board provisioned by its own key origin again.
        """
        self.device.provision_by(key_origin, renew=renew)
        return self.provisioned

    def be(self, membership: Membership) -> None:
        """Make the device a member of its team, a gateway, or neither; its rights change with its next connection.

        Raises LabError. Whatever the device is then, the next use of it begins by asking the cloud.
        """
        link, now = self.provisioned.link, self.device.membership
        if membership is now:
            return
        self.timeline.add(Kind.STEP, self.name, f"the device is {now} and is made {membership}")
        try:
            self.device.change_membership(membership)
        finally:
            link.forget()

    def cycle_power(self) -> str:
        """Take the board's power away and give it back; return what proves that it restarted.

        Its device stays what it is in the cloud; its connection is gone. Raises Misuse: the boards file has no power:
        for it; PowerUnproven: nothing shows a restart; LabError: one restart too many.
        """
        self._disconnect()
        return self._leased.cycle_power()

    def trials(self, record: Callable[[Verdict], None]) -> Trials:
        """Return trials on the provisioned device's connection; every verdict goes to ``record``."""
        opened, link = self.opened, self.provisioned.link
        check = partial(self.check, grace=_GRACE)
        explain = self.device.expectations.explain
        around = TrialContext(
            self.timeline,
            self.rule,
            self._night,
            allowed_topics(self.device),
            allowed_delivery(opened, self.device),
            check,
            explain,
            record,
            witnesses={} if self._witnesses is None else self._witnesses.asked(),
            begin=self._begin_trial,
            found=self._found,
            listen=lambda topic: self.cloud.observer.listen(topic),
            control_connect=self._control_connect(),
            settled=None if self._witnesses is None else self._witnesses.settled,
        )
        return Trials(link, opened.modem, around)

    def _control_connect(self) -> ControlConnect | None:
        return partial(send_control_connect, self.sockets.new) if self.sockets.missing is None else None

    def _board_witnesses(self) -> BoardWitnesses:
        cloud, public = self.cloud, self.cloud.endpoints.public
        return BoardWitnesses(
            self.opened.port,
            cloud.api,
            lambda: self.observer,
            self.device.id,
            public=public,
            settle=SETTLE_PUBLIC,
        )

    def _begin_trial(self) -> None:
        if self._witnesses is not None:
            self._witnesses.begin()

    def _found(self, result: ExperimentResult) -> None:
        """Learn from a trial: what the cloud says of a refusal that is proved, and what keeps others from being it."""
        if result.conclusion is Conclusion.POLICY_DISCONNECT and self._witnesses is not None:
            self._witnesses.word.calibrate()
        self._suspect = self._breaker.take(result) or self._suspect

    @property
    def rule(self) -> ExperimentRule:
        """How sure the board's verdicts must be, and what they may cost."""
        return self._lab.file.verdicts.rule(public=self.cloud.endpoints.public, confidence=self._confidence)

    def own_trials(self, record: Callable[[Verdict], None]) -> OwnTrials:
        """Return trials on the connection that the firmware holds itself; every verdict goes to ``record``.

        Raises Misuse: it holds none.
        """
        opened, cloud = self.opened, self.cloud
        if opened.own is None:
            raise Misuse(f"{self.name}: {opened.firmware} makes no connection by itself")
        _ = self.provisioned  # its credentials, its device, and the network
        device_id = self.device.id

        def reported() -> Callable[[float], bool]:
            cloud.api.patch_state(device_id, reported={"connection": None})
            return lambda timeout: cloud.api.wait_reported(device_id, "keepalive", timeout=timeout)

        hold = self.rule.hold if cloud.endpoints.public else _OWN_HOLD
        return OwnTrials(
            opened.own,
            opened.modem,
            self.timeline,
            reported=reported,
            patience=self.device.patience,
            hold=hold,
            check=partial(self.check, grace=_GRACE),
            record=record,
        )

    def nrf_cloud_trials(self, connection: NrfCloudConnection, record: Callable[[Verdict], None]) -> NrfCloudTrials:
        """Return trials on the connection that #XNRFCLOUD makes; every verdict goes to ``record``."""
        return NrfCloudTrials(
            connection,
            self.timeline,
            patience=self.device.patience,
            hold=self.rule.hold if self.cloud.endpoints.public else _OWN_HOLD,
            check=partial(self.check, grace=_GRACE),
            record=record,
        )

    def check(self, *, grace: float = 0.0) -> None:
        """Raise LabError when the process behind the board or the cloud is dead, or the link spoils every verdict.

        ``grace``: seconds to wait for it to be seen dead; for whoever has just lost a connection to it.
        """
        self._lab.stand_ins.check(self.name, grace=grace)
        self.cloud.check(grace=grace)
        if self._suspect is not None:
            raise LinkUnfit(
                f"{self.name}: {BREAKER} verdicts in a row could not be proved because of the same suspect:"
                f" {self._suspect}; mend the way to the cloud first (docs/verdicts.md)"
            )

    def properties(self) -> dict[str, str]:
        """Return what a report says of the board: name, cloud, and what the board said of itself so far."""
        known = self._leased.properties() | self.device.properties()
        return {"board": self.name, "cloud": self.cloud.name, **known}

    def known_names(self) -> dict[str, str]:
        """Return the names for ``{device}`` and ``{tenant}`` in texts of this board's tests, as far as known."""
        names = {"{device}": self.properties().get("device_id"), "{tenant}": self.cloud.known_tenant}
        return {placeholder: name for placeholder, name in names.items() if name}

    def close(self) -> list[str]:
        """Leave the board as it was found, and its device an ordinary member of its team.

        Returns a line for each thing that could not be done.
        """
        left: list[str] = []
        if self._leased.alive:
            for leave in (self._disconnect, self._leased.restore):  # each whatever became of the other
                try:
                    leave()
                except HarnessError as error:
                    left.append(f"{self.name}: not left as it was found: {about(self.name, error)}")
        left += self.device.close()
        self._leased.close()
        return left

    def _disconnect(self) -> None:
        provisioned, self._provisioned = self._provisioned, None
        if provisioned is not None:
            provisioned.link.disconnect()
