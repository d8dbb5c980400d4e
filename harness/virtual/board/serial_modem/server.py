"""The AT server of Serial Modem: framing, which command goes where, when unsolicited results may be written.

Source: Serial Modem documentation and observed bytes. Every answer begins with CRLF; an empty line stands before the
final result; unsolicited results wait until the running command is finished and while data mode lasts.
"""

from collections.abc import Callable, Iterable, Set
from datetime import datetime
from typing import Final

from harness.device_errno import ESHUTDOWN
from harness.settings import BoardFault, BoardSettings
from harness.settings.board_faults import CoreFault, FaultModem, SayLine
from harness.virtual.board.command_completion import run
from harness.virtual.board.commands import Command, Forms, Lines, Refused, Reply, parse
from harness.virtual.board.core_faults import CoreFaults, strike_radio
from harness.virtual.board.modem import Modem, Nvm
from harness.virtual.board.outputs import CloseLink, LinkEvent, Outbox, Output, Send, SetBaud
from harness.virtual.board.pass_through import INPUT_LIMIT, utc_now
from harness.virtual.board.personality import Personality
from harness.virtual.board.serial_modem.answers import answer_text
from harness.virtual.board.serial_modem.application import ApplicationCommands
from harness.virtual.board.serial_modem.data_mode import TERMINATOR, DataMode, shortest_idle_ms
from harness.virtual.board.serial_modem.groups import CommandGroup, Sockets
from harness.virtual.board.serial_modem.line_input import LineInput, Overflow
from harness.virtual.board.serial_modem.mqtt_client import MqttClient
from harness.virtual.board.serial_modem.mqtt_commands import MqttCommands
from harness.virtual.board.serial_modem.nrf_cloud import NRF_CLOUD_LINK, NrfCloudCommands
from harness.virtual.board.serial_modem.socket_commands import SocketCommands
from harness.virtual.board.serial_modem.unsolicited import Unsolicited

DEFAULT_BAUD = 115200
BOOT: Final = 1.0
LAST_WORDS: Final = 0.05  # from the OK of a reset to the reset
ECHO_HOLD: Final = 1.0
MODEM_RECOVERY: Final = 1.4
"""From a modem fault until the modem library runs again (devzone.nordicsemi.com question 111879)."""
_FAULT_PC: Final = 0x119F0A  # one of those that were reported
MQTT_LINK: Final = 0


class SerialModem:
    """The whole board ``said`` without I/O: host bytes, timers and link events in, :data:`Output` out.

    ``nvm`` outlives a reset, nothing else does. ``personality``: its kind. ``now``: the clock. ``faults``: what it has.
    """

    data_idle_ms: int
    """Idle time after which data mode sends what it has; 0: not set, the shortest is taken when it is needed."""
    _modem: Modem
    _mqtt: MqttClient
    _sockets: Sockets
    _data_mode: DataMode | None

    def __init__(
        self,
        said: BoardSettings,
        personality: Personality,
        nvm: Nvm,
        *,
        now: Callable[[], datetime] = utc_now,
        faults: Set[BoardFault] = frozenset(),
    ) -> None:
        self._personality = personality
        self._nvm = nvm
        self._faults = faults
        self._now = now
        self._outbox = Outbox()
        self._hazards = CoreFaults(self._outbox)
        self.baud = said.baud or DEFAULT_BAUD
        self._on = False

    # -- what the owner calls -------------------------------------------------------------------------------------

    def power_on(self) -> list[Output]:
        """Start the board from cold: whatever ran before is gone."""
        self._outbox.cancel_all()
        self._boot()
        return self._outbox.take()

    def receive(self, data: bytes) -> list[Output]:
        """Take bytes from the host."""
        if self._on:
            # The DKs hold the host back by RTS while a command runs; the limit only guards the memory.
            self._input += data[: INPUT_LIMIT - len(self._input)]
            self._pump()
        return self._outbox.take()

    def timer(self, token: int) -> list[Output]:
        """A timer has run out."""
        self._outbox.fire(token)
        self._pump()
        return self._outbox.take()

    def link(self, event: LinkEvent) -> list[Output]:
        """Something happened on the link."""
        if self._on:
            if event.link == MQTT_LINK:
                self._mqtt.link(event)
            elif event.link == NRF_CLOUD_LINK:
                self._nrf_cloud.link(event)
            else:
                self._sockets.table.link(event)
            self._pump()
        return self._outbox.take()

    def strike(self, fault: CoreFault) -> list[Output]:
        """Something happens to the board."""
        self._hazards.expect(fault)
        if self._on:
            match fault:
                case FaultModem():
                    self._crash_modem(fault)
                case SayLine(text=text):
                    self._send(f"\r\n{text}\r\n".encode("latin-1", "replace"))
                case _:
                    strike_radio(fault, self._modem.radio)
            self._pump()
        return self._outbox.take()

    # -- what the commands call -----------------------------------------------------------------------------------

    @property
    def attached(self) -> bool:
        """Whether the modem is registered and has a data connection."""
        return self._modem.radio.online

    @property
    def shortest_data_idle_ms(self) -> int:
        """Least value of the idle time in data mode at the present baud rate."""
        return shortest_idle_ms(self.baud)

    def enter_data_mode(
        self, send: Callable[[bytes], bool | None], *, stream: bool = False, count: int | None = None
    ) -> None:
        """See :meth:`SocketHost.enter_data_mode`."""
        self.data_idle_ms = self.data_idle_ms or self.shortest_data_idle_ms
        self._data_mode = DataMode(send, stream=stream, count=count)

    def write(self, data: bytes) -> None:
        """Write bytes of the running command's answer."""
        self._send(data)

    def finish(self, ok: bool) -> None:
        """End the running command."""
        self._final("OK" if ok else "ERROR")

    def break_data_mode(self, error: int) -> None:
        """Tell a host in data mode, in the only way there is, that nobody takes its bytes any more."""
        mode = self._data_mode
        if mode is not None and not mode.error:
            mode.break_off(error)
            self._send(TERMINATOR)

    def urc(self, data: bytes) -> None:
        """Write an unsolicited result as soon as one may be written."""
        told = data.decode("latin-1").strip("\r\n")
        self._hazards.unsolicited(told, lambda: self._unsolicited.from_mqtt(data))
        self._settle()

    def set_echo(self, on: bool) -> None:
        """Echo what the host types from the next byte on."""
        self._echo = on
        self._stop_echo_hold()

    def set_baud(self, baud: int) -> None:
        """Change the UART's rate."""
        self.baud = baud
        self._outbox.emit(SetBaud(baud))

    def reset(self) -> None:
        """Restart after the OK."""
        self.shut_down(then=lambda: self._outbox.after(BOOT, self._boot))

    def shut_down(self, then: Callable[[], object] = lambda: None) -> None:
        """Stop after the OK; bytes from the host are lost from now on."""

        def stop() -> None:
            self._outbox.cancel_all()
            self._modem.power_off()
            self._on = False
            self._drop_links()
            then()

        self._listening = False
        self._outbox.after(LAST_WORDS, stop)

    def reset_modem(self) -> None:
        """Restart the modem core alone: it comes up in CFUN=0."""
        self._modem.power_off()
        self._modem = self._new_modem()
        self._network_lost()

    def _boot(self) -> None:
        self._on = True
        self._listening = True
        self._busy = False
        self._echo = False
        self._echo_hold: int | None = None
        self._input = bytearray()
        self._line = self._new_line_input()
        self._data_mode = None
        self._data_timer: int | None = None
        self.data_idle_ms = 0
        self._unsolicited = Unsolicited(self._send)
        self._modem = self._new_modem()
        self._mqtt = MqttClient(
            self._outbox,
            notify=lambda event, result: self._mqtt_says(b"#XMQTTEVT: %d,%d\r\n" % (event, result)),
            message=self._message_arrived,
            opened=self.finish,
            traffic=self._traffic,
        )
        self._sockets = self._new_sockets()
        self._nrf_cloud = NrfCloudCommands(self, self._outbox, str(self._nvm.identity.device_uuid))
        self._application: dict[str, Forms] = {}
        for group in self._groups():
            self._application.update(group.commands())
        self._send(self._personality.banner)

    # -- what another product does otherwise --------------------------------------------------------------------------

    def _new_line_input(self) -> LineInput:
        return LineInput()

    def _new_sockets(self) -> Sockets:
        return SocketCommands(self, self._outbox, self._traffic)

    def _groups(self) -> Iterable[CommandGroup]:
        """Return the groups of commands; a later one takes a name from an earlier."""
        yield ApplicationCommands(self, self._personality, self._nvm.identity, lambda: self._application)
        yield MqttCommands(self, self._mqtt)
        yield self._sockets
        yield self._nrf_cloud

    def _data_mode_status(self, error: int) -> int:
        """Return what the end of data mode shows of its error."""
        return -1 if error else 0

    def _may_speak(self) -> bool:
        """Tell whether unsolicited results may be written now."""
        return not self._busy and self._data_mode is None and self._echo_hold is None

    # -- inside -------------------------------------------------------------------------------------------------------

    def _new_modem(self) -> Modem:
        return Modem(
            self._personality,
            self._nvm,
            self._outbox,
            urc=self._modem_says,
            lost=self._network_lost,
            now=self._now,
            faults=self._faults,
            air=self._hazards.air,
        )

    def _crash(self) -> None:
        """Restart at once, in the middle of whatever is going on."""
        self._outbox.cancel_all()
        self._modem.crash()
        self._on = False
        self._drop_links()
        self._outbox.after(BOOT, self._boot)

    def _crash_modem(self, fault: FaultModem) -> None:
        """The modem core alone restarts, and comes up in CFUN=0."""
        self._modem.crash()
        self._modem_says(f"#XMODEM: FAULT,0x{fault.reason:x},0x{_FAULT_PC:x}")
        self._modem = self._new_modem()
        match fault.mqtt:
            case "aborted":
                self._mqtt.abort()
            case "shutdown":
                self._mqtt.abort(ESHUTDOWN)
            case "silent":
                self._outbox.emit(CloseLink(abrupt=True))
        self._sockets.table.network_lost()
        self._modem_says("#XMODEM: SHUTDOWN,0")
        self._outbox.after(MODEM_RECOVERY, lambda: self._modem_says("#XMODEM: INIT,0"))

    def _network_lost(self) -> None:
        self._mqtt.abort()
        self._nrf_cloud.network_lost()
        self._sockets.table.network_lost()

    def _drop_links(self) -> None:
        for link in (MQTT_LINK, NRF_CLOUD_LINK):
            self._outbox.emit(CloseLink(True, link))
        self._sockets.table.drop_all()

    def _traffic(self) -> None:
        self._modem.radio.activity()

    def _message_arrived(self, topic: bytes, payload: bytes) -> None:
        between = b""
        if BoardFault.INTERLEAVED_MESSAGES in self._faults and (notice := self._modem.notice()):
            # Header and data are writes of their own before Serial Modem's pull request 324.
            between = f"\r\n{notice}\r\n".encode()
        self._mqtt_says(b"#XMQTTMSG: %d,%d\r\n%s%s\r\n%s\r\n" % (len(topic), len(payload), between, topic, payload))

    def _pump(self) -> None:
        """Process the host's bytes, as far as possible now."""
        while self._on and self._listening and self._input and not self._busy:
            data = bytes(self._input)
            mode = self._data_mode
            taken = self._command_bytes(data) if mode is None else self._payload(mode, data)
            del self._input[:taken]
        if self._on:
            self._settle()

    def _command_bytes(self, data: bytes) -> int:
        taken, line = self._line.feed(data)
        if self._echo:
            self._send(data[:taken])
            self._stop_echo_hold()
            if self._line.partial:
                self._echo_hold = self._outbox.after(ECHO_HOLD, self._stop_echo_hold, real=True)
        if isinstance(line, Overflow):
            self._final("ERROR")
        elif line is not None:
            self._run(line)
        return taken

    def _payload(self, mode: DataMode, data: bytes) -> int:
        self._outbox.cancel(self._data_timer)
        taken, status = mode.feed(data)
        if status is None:
            self._data_timer = self._outbox.after(self.data_idle_ms / 1000, mode.idle, real=True)
        else:
            self._data_mode = None
            self._send(b"\r\n#XDATAMODE: %d\r\n" % self._data_mode_status(status))
            self._sockets.left_data_mode()
        return taken

    def _run(self, line: bytes) -> None:
        interrupted = self._hazards.interrupted(line.decode("latin-1"))
        if interrupted == "board":
            self._crash()
            return
        if interrupted == "modem":
            self._busy = True
            self._crash_modem(FaultModem(board=""))
            self._final("ERROR")
            return
        command = parse(line.decode("latin-1"))
        if command is None:
            self._final("ERROR")
            return
        own = command.name.startswith("#") or command.name in self._application
        self._busy = True
        run(
            lambda: self._execute_own(command) if own else self._modem.execute(command),
            self._outbox,
            lambda result: self._finish(result, own),
        )

    def _finish(self, result: Lines | Refused, own: bool) -> None:
        if not isinstance(result, Refused):
            self._answer(result, own)
        else:
            self._final("ERROR" if own else self._modem.final_result(result))

    def _execute_own(self, command: Command) -> Reply:
        forms = self._application.get(command.name)
        if forms is None:
            raise Refused
        return forms.call(command)

    def _answer(self, reply: Lines, own: bool) -> None:
        text = answer_text(reply, own=own)
        self._send((text or "").encode("latin-1"))
        self._final("ERROR" if text is None else "OK")

    def _final(self, result: str) -> None:
        self._busy = False
        self._send(f"\r\n{result}\r\n".encode())
        self._settle()

    def _modem_says(self, text: str) -> None:
        data = f"\r\n{text}\r\n".encode("latin-1")
        self._hazards.unsolicited(text, lambda: self._unsolicited.from_modem(data))
        self._settle()

    def _mqtt_says(self, text: bytes) -> None:
        self._hazards.unsolicited(text.decode("latin-1"), lambda: self._unsolicited.from_mqtt(b"\r\n" + text))
        self._settle()

    def _settle(self) -> None:
        """Write the waiting results, if they may be written now."""
        if self._may_speak():
            self._unsolicited.release()

    def _stop_echo_hold(self) -> None:
        self._outbox.cancel(self._echo_hold)
        self._echo_hold = None

    def _send(self, data: bytes) -> None:
        if data:
            self._outbox.emit(Send(data))
