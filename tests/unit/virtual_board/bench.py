"""Drives the board's core without a pty: simulated time, collected actions."""

import heapq
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from harness.settings import BoardFault, BoardSettings
from harness.virtual.board.modem import Nvm, make_identity
from harness.virtual.board.outputs import CancelTimer, LinkEvent, Output, Send, Timer
from harness.virtual.board.pass_through import PassThrough
from harness.virtual.board.personality import NRF9151_MFW_2_0_2, Personality
from harness.virtual.board.serial_modem.server import SerialModem

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


class Bench:
    """One core with its timers. Real and simulated seconds are the same here. ``faults`` may be changed later."""

    def __init__(
        self,
        personality: Personality = NRF9151_MFW_2_0_2,
        nvm: Nvm | None = None,
        *,
        firmware: type[SerialModem] | type[PassThrough] = SerialModem,
        faults: Iterable[BoardFault] = (),
        **options: Any,
    ) -> None:
        self.nvm = nvm or Nvm(make_identity("virtual-1"))
        self.faults = set(faults)
        self.core = firmware(BoardSettings(**options), personality, self.nvm, now=lambda: NOON, faults=self.faults)
        self.end = b"\r"
        """What ends a command."""
        self.time = 0.0
        self.actions: list[Output] = []
        self._timers: list[tuple[float, int]] = []
        self._cancelled: set[int] = set()
        self.banner = self._collect(self.core.power_on())

    def type(self, data: bytes) -> bytes:
        """Bytes from the host; returns what comes back at once."""
        return self._collect(self.core.receive(data))

    def ask(self, command: str) -> bytes:
        """One command; time runs until something comes back."""
        answer = self.type(command.encode("latin-1") + self.end)
        while not answer and self._timers:
            answer = self._next_timer()
        return answer

    def advance(self, seconds: float) -> bytes:
        """Let time pass; returns what comes meanwhile."""
        end, heard = self.time + seconds, b""
        while self._timers and self._timers[0][0] <= end:
            heard += self._next_timer()
        self.time = end
        return heard

    def link(self, event: LinkEvent) -> bytes:
        return self._collect(self.core.link(event))

    def taken(self) -> list[Output]:
        """The actions since the last call."""
        taken, self.actions = self.actions, []
        return taken

    def attach(self) -> None:
        """Register, with the results thrown away."""
        self.ask("AT+CFUN=1")
        self.advance(5)

    def _next_timer(self) -> bytes:
        due, token = heapq.heappop(self._timers)
        self.time = max(self.time, due)
        return b"" if token in self._cancelled else self._collect(self.core.timer(token))

    def _collect(self, outputs: list[Output]) -> bytes:
        sent = b""
        for output in outputs:
            match output:
                case Send(data):
                    sent += data
                case Timer(token, seconds):
                    heapq.heappush(self._timers, (self.time + seconds, token))
                case CancelTimer(token):
                    self._cancelled.add(token)
                case _:
                    self.actions.append(output)
        return sent


def info(*lines: str) -> bytes:
    """The bytes of information lines of a modem command and OK."""
    return ("\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\nOK\r\n").encode("latin-1")


def urcs(*lines: str) -> bytes:
    """The bytes of unsolicited results."""
    return "".join(f"\r\n{line}\r\n" for line in lines).encode("latin-1")


OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"


def cme(code: int) -> bytes:
    return b"\r\n+CME ERROR: %d\r\n" % code


def lines_of(reader, *chunks):
    """Return the lines that an input made of these chunks; it may take each in several bites."""
    found = []
    for chunk in chunks:
        while chunk:
            taken, line = reader.feed(chunk)
            assert 0 < taken <= len(chunk)
            chunk = chunk[taken:]
            if line is not None:
                found.append(line)
    return found
