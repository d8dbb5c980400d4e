"""A virtual board: the core, a pty for its UART, the event loop for its timers, a socket for its network."""

import uuid
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from harness.settings import BoardFault, NamedBoard
from harness.settings.board_faults import CoreFault, SetLatency
from harness.virtual.board.firmware import make_firmware
from harness.virtual.board.line_noise import Disturbance, LineNoise
from harness.virtual.board.modem import Nvm, make_identity
from harness.virtual.board.network import Network
from harness.virtual.board.outputs import (
    CancelTimer,
    CloseLink,
    HoldLink,
    LinkEvent,
    LinkSend,
    OpenLink,
    Output,
    PauseLink,
    Send,
    SetBaud,
    Timer,
)
from harness.virtual.board.personality import PERSONALITIES, Uart
from harness.virtual.board.pty import Pty
from harness.virtual.board.rfc2217 import HOST, Rfc2217Server
from harness.virtual.board.sockets.table import SOCKET_LINKS
from harness.virtual.board.timers import Timers
from harness.virtual.board.uplink import Uplink


class VirtualBoard:
    """One board on a pty. Any number of them live in one event loop.

    ``said``: its name and settings. Its ``time_scale`` is a factor on the modem's recorded times (1.0: as recorded);
    times that belong to the host or the broker (idle time of data mode, MQTT keep-alive) are real. ``link``: path the
    port appears under. ``network``: where host names lead. ``seed``: what the board's numbers are derived from (None:
    its name). ``root_ca``: of the provisioning service (PEM), for a shell with its client.
    """

    def __init__(
        self, said: NamedBoard, *, link: Path, network: Network, seed: str | None = None, root_ca: str | None = None
    ) -> None:
        self.name = said.name
        self.personality = PERSONALITIES[said.model]
        given = uuid.UUID(said.device_uuid) if said.device_uuid else None
        self.nvm = Nvm(make_identity(seed or said.name, imei=said.imei, device_uuid=given), pin=said.pin or "")
        self._time_scale = said.time_scale
        self._faults = set(said.faults)
        self._core = make_firmware(said, self.personality, self.nvm, faults=self._faults, root_ca=root_ca)
        self._pty = Pty(link, self._received, baud=said.baud, crowded=self._crowd)
        self._paced, self._crowded = bool(said.baud), False
        self._network = network
        self._links: dict[int, Uplink] = {}
        self._held = False
        self._latency: SetLatency | None = None
        self._line_noise = LineNoise()
        port = said.rfc2217
        self._remote = None if port is None else Rfc2217Server(port, self._received, baud=said.baud)
        self._timers = Timers(self._fire)

    @property
    def port(self) -> Path:
        """Path of the serial port."""
        return self._pty.link

    @property
    def url(self) -> str | None:
        """Where the UART is served by RFC 2217; None: nowhere."""
        return None if self._remote is None else f"rfc2217://{HOST}:{self._remote.port}"

    @property
    def plugged(self) -> bool:
        """Whether the port is there."""
        return self._pty.is_open

    @property
    def model(self) -> str:
        """Name of the personality, e.g. ``nrf9151``."""
        return self.personality.name

    @property
    def faults(self) -> set[BoardFault]:
        """The board's faults. The set may be changed while it runs."""
        return self._faults

    @property
    def imei(self) -> str:
        """15 digits."""
        return self.nvm.identity.imei

    @property
    def device_uuid(self) -> str:
        """Hardware UUID, lower-case with hyphens."""
        return str(self.nvm.identity.device_uuid)

    @property
    def identity_key(self) -> str:
        """Public half of the device identity key: an uncompressed P-256 point (X9.62), hex."""
        form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        return self.nvm.identity_key.public_key().public_bytes(*form).hex()

    async def start(self) -> None:
        """Plug the board in: make the port, power on. Its first lines are lost unless the port is opened in time."""
        self._pty.open()
        if self._remote is not None:
            await self._remote.start()
        self.power_on()

    async def stop(self) -> None:
        """Power off and remove the port."""
        for link in self._links.values():
            await link.stop()
        self.unplug()
        if self._remote is not None:
            await self._remote.stop()

    def disturb(self, place: int, how: Disturbance) -> None:
        """Make one byte to the host arrive wrong: byte ``place`` of those that are sent from now on (0: the next)."""
        self._line_noise.expect(place, how)

    def strike(self, fault: CoreFault) -> None:
        """Let something happen to the board; nothing happens to a port without a board that answers."""
        if self.personality.uart is Uart.ALIVE:
            self._perform(self._core.strike(fault))

    def set_latency(self, said: SetLatency) -> None:
        """Make everything that the board sends and gets take its time."""
        self._latency = said
        for link in self._links.values():
            link.set_latency(said.seconds, said.spread, said.seed)

    def power_on(self) -> None:
        """Power-cycle: everything but the non-volatile memory starts anew."""
        self._hang_up()
        if self.personality.uart is Uart.ALIVE:
            self._perform(self._core.power_on())

    def press(self) -> bool:
        """Press the button. False: this firmware has none that does anything."""
        press = getattr(self._core, "press", None)
        if press is None or self.personality.uart is not Uart.ALIVE:
            return False
        self._perform(press())
        return True

    def unplug(self) -> None:
        """Pull the cable: the port vanishes, and the board loses its power with it."""
        self._timers.clear()
        self._pty.close()
        if self._remote is not None:
            self._remote.hang_up()
        self._hang_up()

    def _hang_up(self) -> None:
        for link in self._links.values():
            link.cut()
        self._held = False

    def _link(self, number: int) -> Uplink:
        if number not in self._links:
            paced = self._paced and number not in SOCKET_LINKS  # a socket has a buffer of its own
            made = self._links[number] = Uplink(self._network, self.nvm, self._link_event, number, paced=paced)
            made.hold(self._held)
            made.crowd(self._crowded)
            if self._latency is not None:
                made.set_latency(self._latency.seconds, self._latency.spread, self._latency.seed)
        return self._links[number]

    def _crowd(self, crowded: bool) -> None:
        self._crowded = crowded
        for link in self._links.values():
            link.crowd(crowded)

    def _say(self, data: bytes) -> None:
        self._pty.send(data)
        if self._remote is not None:
            self._remote.send(data)

    def _received(self, data: bytes) -> None:
        match self.personality.uart:
            case Uart.ALIVE:
                self._perform(self._core.receive(data))
            case Uart.GARBAGE:
                self._say(bytes(0x80 | byte * 7 & 0xFF for byte in data))

    def _link_event(self, event: LinkEvent) -> None:
        self._perform(self._core.link(event))

    def _fire(self, token: int) -> None:
        self._perform(self._core.timer(token))

    def _perform(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            match output:
                case Send(data):
                    self._say(self._line_noise.apply(data))
                case Timer(token, seconds, real):
                    self._timers.set(token, seconds if real else seconds * self._time_scale)
                case CancelTimer(token):
                    self._timers.cancel(token)
                case OpenLink(link=link):
                    self._link(link).open(output)
                case LinkSend(data, link):
                    self._link(link).send(data)
                case CloseLink(abrupt, link):
                    self._link(link).close(abrupt=abrupt)
                case PauseLink(paused, link):
                    self._link(link).pause(paused)
                case HoldLink(held):
                    self._held = held
                    for each in self._links.values():
                        each.hold(held)
                case SetBaud(rate):
                    self._pty.set_baud(rate)
                    if self._remote is not None and self._remote.baud:
                        self._remote.baud = rate
