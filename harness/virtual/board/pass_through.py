"""The common part of application firmwares without commands of their own: the modem, one command at a time.

Subclasses know the wire: how bytes become commands, and how answers and unsolicited results are framed.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Set
from datetime import UTC, datetime
from typing import Final

from harness.settings import BoardFault, BoardSettings
from harness.settings.board_faults import CoreFault, FaultModem, SayLine
from harness.virtual.board.command_completion import run
from harness.virtual.board.commands import Lines, Refused, parse
from harness.virtual.board.core_faults import CoreFaults, strike_radio
from harness.virtual.board.modem import Modem, Nvm
from harness.virtual.board.outputs import LinkEvent, Outbox, Output, Send
from harness.virtual.board.personality import Personality

INPUT_LIMIT: Final = 65536


def utc_now() -> datetime:
    """The time that the network tells."""
    return datetime.now(UTC)


class PassThrough(ABC):
    """The whole board ``said`` without I/O. ``nvm`` outlives a reset; everything else starts anew.

    ``personality``: the kind of board. ``now``: the clock. ``faults``: what is wrong with the board.

    Bytes that the host sends while a command runs wait. (Real firmware may lose them: hosts must wait for the end.)
    """

    def __init__(
        self,
        said: BoardSettings,
        personality: Personality,
        nvm: Nvm,
        *,
        now: Callable[[], datetime] = utc_now,
        faults: Set[BoardFault] = frozenset(),
    ) -> None:
        self._said = said
        self.personality = personality
        self._nvm = nvm
        self._now = now
        self._faults = faults
        self._outbox = Outbox()
        self._hazards = CoreFaults(self._outbox)
        self._input = bytearray()
        self._busy = False

    def power_on(self) -> list[Output]:
        """Start the board from cold: whatever ran before is gone."""
        self.restart()
        return self._outbox.take()

    def restart(self) -> None:
        """Start anew, also in the middle of a call: work that was asked for and not yet done is dropped."""
        self._outbox.cancel_all()
        self._input.clear()
        self._busy = False
        self._modem = self._new_modem()
        self.boot()

    def receive(self, data: bytes) -> list[Output]:
        """Take bytes from the host."""
        self._input += data[: INPUT_LIMIT - len(self._input)]
        self._pump()
        return self._outbox.take()

    def timer(self, token: int) -> list[Output]:
        """A timer has run out."""
        self._outbox.fire(token)
        self._pump()
        return self._outbox.take()

    def link(self, event: LinkEvent) -> list[Output]:
        """Nothing here opens a link."""
        raise AssertionError(f"{event} without a link")

    def strike(self, fault: CoreFault) -> list[Output]:
        """Something happens to the board."""
        self._hazards.expect(fault)
        match fault:
            case FaultModem():
                self._crash_modem()
            case SayLine(text=text):
                self.send(f"{text}\r\n".encode("latin-1", "replace"))
            case _:
                strike_radio(fault, self._modem.radio)
        return self._outbox.take()

    # -- what a subclass defines --------------------------------------------------------------------------------------

    @abstractmethod
    def boot(self) -> None:
        """Reset the input and send the banner."""

    @abstractmethod
    def take(self, data: bytes) -> int:
        """Take bytes up to the end of one command line, and act on it. Returns how many were taken."""

    @abstractmethod
    def answer(self, text: str) -> None:
        """Send what the modem answered: whole lines, the final result last."""

    @abstractmethod
    def unsolicited(self, text: str) -> None:
        """Send an unsolicited result, given without line ends."""

    def lost(self) -> None:
        """The modem's data connection has ended."""
        return  # nothing here uses it

    # -- what a subclass uses -----------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether a command runs."""
        return self._busy

    def execute(self, line: str) -> None:
        """Give a command line to the modem; :meth:`answer` follows, now or later."""
        interrupted = self._hazards.interrupted(line)
        if interrupted == "board":
            self.restart()
            return
        if interrupted == "modem":
            self._crash_modem()
            self._finish(Refused())
            return
        self._busy = True
        command = parse(line)
        if command is None:
            self._finish(Refused())
        else:
            run(lambda: self._modem.execute(command), self._outbox, self._finish)

    def send(self, data: bytes) -> None:
        """Send bytes to the host."""
        self._outbox.emit(Send(data))

    # -- inside -------------------------------------------------------------------------------------------------------

    def _new_modem(self) -> Modem:
        return Modem(
            self.personality,
            self._nvm,
            self._outbox,
            urc=lambda text: self._hazards.unsolicited(text, lambda: self.unsolicited(text)),
            lost=self.lost,
            now=self._now,
            faults=self._faults,
            air=self._hazards.air,
        )

    def _crash_modem(self) -> None:
        self._modem.crash()
        self._modem = self._new_modem()
        self.lost()

    def _finish(self, result: Lines | Refused) -> None:
        if isinstance(result, Refused):
            lines = [self._modem.final_result(result)]
        else:
            lines = [*([] if result is None else [result] if isinstance(result, str) else result), "OK"]
        self._busy = False
        self.answer("".join(f"{line}\r\n" for line in lines))

    def _pump(self) -> None:
        while self._input and not self._busy:
            del self._input[: self.take(bytes(self._input))]
