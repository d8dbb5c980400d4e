"""One board, opened for a run: lease, port, modem, firmware, and the device that it is in the cloud."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from harness.at import AtPort, PortSettings
from harness.bench.cloud import CloudBench
from harness.bench.expectations import Expectations
from harness.credentials import DeviceCredentials, LabCa, provision_on_device
from harness.errors import HarnessError, LabError
from harness.firmware import Login, MqttFirmware, framed_urcs, open_firmware
from harness.lab import BoardConfig, Lab
from harness.modem import Identity, Modem
from harness.timeline import Kind, Timeline
from harness.trial import AllowedAction, Link, ObservedPublish, ShadowUpdate, Surroundings, Trials, Verdict

_PATIENCE_LOCAL = 10.0
_PATIENCE_PUBLIC = 45.0  # LTE-M answers in a second or two; idle mode and bad radio take tens of seconds
_SETTLE_LOCAL = 1.0
_SETTLE_PUBLIC = 15.0  # AWS IoT does not promise order between topics, and shadow answers take their own way
_GRACE = 0.2
_CONNECT_GAP_PUBLIC = 1.1  # AWS IoT Core quotas: one CONNECT a second for each client id


@dataclass(frozen=True, slots=True)
class Opened:
    """What is there once a board answers."""

    port: AtPort
    modem: Modem
    identity: Identity
    firmware: MqttFirmware


@dataclass(frozen=True, slots=True)
class Provisioned:
    """The device that a board is in the cloud, with its credentials and its link for trials."""

    device_id: str
    credentials: DeviceCredentials
    link: Link


class BoardBench:
    """Opens a board when a test needs it, keeps it for the run, and reopens it once when it came back.

    A board that failed stays failed for the run: later tests get the first error at once, not each its own time-out.
    """

    def __init__(self, lab: Lab, config: BoardConfig, cloud: CloudBench, *, ca_folder: Path) -> None:
        self.config = config
        self.cloud = cloud
        self.timeline = Timeline()
        self._lab = lab
        self._ca_folder = ca_folder
        self._leases = ExitStack()
        self._leased = False
        self._opened: Opened | None = None
        self._provisioned: Provisioned | None = None
        self._broken: HarnessError | None = None
        self._found_mode: int | None = None
        self.associated = True  # as onboarding leaves it; a test that changes it says so here

    @property
    def name(self) -> str:
        """The board's name in the boards file."""
        return self.config.name

    def begin(self, timeline: Timeline) -> None:
        """Record into ``timeline`` from now on (a test begins); a board that went away is looked for once."""
        self.timeline = timeline
        self.cloud.begin(timeline)
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
        """The board as a device of the cloud: key made on the board, certificate written, onboarded, registered."""
        if self._provisioned is None:
            self._provisioned = self._provision()
        return self._provisioned

    def login(self, **changes: str) -> Login:
        """Return the MQTT login of the provisioned device; ``client_id`` may be replaced."""
        host, port = self.cloud.endpoints.device_mqtt
        client_id = changes.get("client_id") or self.device_id
        return Login(client_id, host, port, self.config.sec_tag)

    @property
    def device_id(self) -> str:
        """The board's device id in nRF Cloud: from the boards file, else the modem's device UUID."""
        device_id = self.config.device_id or self.opened.identity.device_uuid
        if device_id is None:
            raise LabError(f"{self.name}: the modem has no device UUID: give the board a device_id in the boards file")
        return device_id

    @property
    def expectations(self) -> Expectations:
        """What the policy documents say of the provisioned device."""
        return Expectations(self.device_id, self.cloud.account.tenant_id, associated=self.associated)

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

    def dissociate(self) -> None:
        """Take the device out of its team; its rights change with its next connection."""
        provisioned = self.provisioned
        self.cloud.api.dissociate(provisioned.device_id)
        self.associated = False
        provisioned.link.forget()

    def associate(self) -> None:
        """Bring the device back into its team; its rights change with its next connection.

        By onboarding it again: a device that came with its own certificate has no ownership code for PUT /association.
        """
        provisioned = self.provisioned
        self.cloud.api.onboard_device(provisioned.device_id, provisioned.credentials.certificate_pem)
        self.cloud.api.wait_device(provisioned.device_id)
        self.associated = True
        provisioned.link.forget()

    def trials(self, record: Callable[[Verdict], None]) -> Trials:
        """Return trials on the provisioned device's connection; every verdict goes to ``record``."""
        opened, link = self.opened, self.provisioned.link
        check = partial(self.check, grace=_GRACE)
        endpoints = self.cloud.endpoints
        settle = _SETTLE_PUBLIC if endpoints.public else _SETTLE_LOCAL
        around = Surroundings(self.timeline, endpoints.hold, settle, check, self.expectations.explain, record)
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
        if self._provisioned is not None:
            found["device_id"] = self._provisioned.device_id
        return found

    def close(self) -> list[str]:
        """Leave the board in the functional mode in which it was found. Returns a line for what could not be done."""
        left: list[str] = []
        if self._opened is not None and self._opened.port.alive:
            try:
                if self._provisioned is not None:
                    self._provisioned.link.disconnect()
                if self._found_mode is not None:
                    self._opened.modem.set_functional_mode(self._found_mode)
            except HarnessError as error:
                left.append(f"{self.name}: not left as it was found: {error}")
        self._shut()
        self._leases.close()
        return left

    def _open(self) -> Opened:
        if not self._leased:
            self._leases.enter_context(self._lab.lease(self.config))
            self._leased = True
        url = self._lab.port_url(self.config)
        settings = PortSettings(
            baudrate=self.config.baud,
            rtscts=self.config.flow_control,
            framed=framed_urcs(self.config.firmware),
        )
        port = AtPort.open(url, name=self.name, timeline=self.timeline, settings=settings)
        try:
            port.sync()
            modem = Modem(port, sec_tags=[self.config.sec_tag])
            modem.prepare()
            if self._found_mode is None:
                self._found_mode = modem.functional_mode()
            return Opened(port, modem, modem.identity(), open_firmware(port, self.config.firmware))
        except BaseException:
            port.close()
            raise

    def _provision(self) -> Provisioned:
        opened, cloud = self.opened, self.cloud
        ca = LabCa.load_or_create(self._ca_folder)
        credentials = provision_on_device(
            opened.modem,
            sec_tag=self.config.sec_tag,
            device_id=self.device_id,
            ca=ca,
            root_ca_pem=cloud.endpoints.root_ca_pem,
        )
        cloud.api.onboard_device(self.device_id, credentials.certificate_pem)
        cloud.api.wait_device(self.device_id)
        opened.modem.register()
        return Provisioned(self.device_id, credentials, self._link(opened))

    def _link(self, opened: Opened) -> Link:
        prefix, device, device_id = self.cloud.account.mqtt_prefix, opened.firmware, self.device_id
        observer = self.cloud.observer
        actions: list[AllowedAction] = [
            ObservedPublish(device, observer, f"{prefix}m/d/{device_id}/d2c"),
            ObservedPublish(device, observer, f"{prefix}{device_id}/jobs/harness"),
            ShadowUpdate(device, device_id),
        ]
        gap = _CONNECT_GAP_PUBLIC if self.cloud.endpoints.public else 0.0
        return Link(device, self.login(), actions, self.timeline, gap=gap, patience=self.patience)

    def _shut(self) -> None:
        if self._opened is not None:
            self._opened.firmware.close()
            self._opened.port.close()
        self._opened = None
        self._provisioned = None
