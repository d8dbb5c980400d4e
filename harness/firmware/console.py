r"""A board's console, as a person uses it: type a line, wait for a prompt, answer a question, press a button.

The engine is pexpect (https://pexpect.readthedocs.io, ``pexpect.spawnbase.SpawnBase``), on the port's own reader: the
port goes on reading and recording while nobody expects anything, so nothing is lost and the record stays one. What
pexpect sees are the same bytes that the timeline has as lines, unfinished ones (a prompt) too.

::

    console.type_line("cloud connect")
    console.expect(r"NRF_CLOUD_EVT_READY", timeout=30)
    console.answer(r"Are you sure\?", "y")
"""

import codecs
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from queue import Empty
from typing import TYPE_CHECKING, Any, Final, Self, cast

import pexpect
from pexpect.spawnbase import SpawnBase

from harness.at import AtPort
from harness.at.lines import SHELL_PROMPT
from harness.errors import Misuse, NoAnswer
from harness.timeline import Kind

PROMPT: Final = rf"(?:\x1b\[[0-?]*[ -/]*[@-~])*{SHELL_PROMPT} ?"
_TIMEOUT: Final = 10.0
_WINDOW: Final = 16 * 1024  # characters that a pattern is looked for in; a line without end costs no more
_KEPT: Final = 256 * 1024  # characters of what was not matched yet


if TYPE_CHECKING:
    _Spawn = SpawnBase[str]
else:
    _Spawn = SpawnBase


class PortSpawn(_Spawn):
    """What pexpect reads and writes: the bytes of a port that somebody else reads and records."""

    def __init__(self, port: AtPort, *, timeout: float = _TIMEOUT) -> None:
        super().__init__(timeout=timeout, searchwindowsize=_WINDOW, encoding="utf-8")
        self.delayafterread = None  # pexpect would sleep after each read
        self._port = port
        self._stack = ExitStack()
        self._heard = self._stack.enter_context(port.overhear())
        self._left = ""
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self.closed = False

    def read_nonblocking(self, size: int = 1, timeout: float | None = -1) -> str:
        """Return up to ``size`` characters as soon as there are some. Raises pexpect.TIMEOUT, pexpect.EOF."""
        if not self._left:
            self._left = self._next(self.timeout if timeout == -1 else timeout)
        taken, self._left = self._left[:size], self._left[size:]
        return taken

    def _next(self, timeout: float | None) -> str:
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                data = self._heard.get(timeout=left)
            except Empty:
                raise pexpect.TIMEOUT("nothing came in time") from None
            if data is None:
                self._heard.put(None)  # every later read hears of it too
                self.flag_eof = True
                raise pexpect.EOF("the port failed")
            text = self._text.decode(data)
            if text:  # half of a character is no text yet
                return text

    def send(self, s: str) -> int:
        """Type characters; return how many bytes they were."""
        data = s.encode()
        self._port.type_bytes(data)
        return len(data)

    def sendline(self, s: str = "") -> int:
        """Type a line with what ends one here."""
        return self.send(s + self._port.settings.terminator)

    def isalive(self) -> bool:
        """Return whether the port is there."""
        return self._port.alive

    def close(self) -> None:
        """Stop listening; the port goes on."""
        self._stack.close()
        self.closed = True


class Console:
    """One board's console behind ``port``. A context manager.

    ``press``: presses the board's button, None: nothing can. ``timeout``: seconds that ``expect`` waits if not told.
    ``spawn``: pexpect's own object, for whoever needs more of it.
    """

    def __init__(self, port: AtPort, *, press: Callable[[], None] | None = None, timeout: float = _TIMEOUT) -> None:
        self.spawn: Final = PortSpawn(port, timeout=timeout)
        self._port = port
        self._press = press

    def type_line(self, line: str) -> None:
        """Type one line. Raises Misuse for text that is more than one; BoardLost."""
        if "\r" in line or "\n" in line:
            raise Misuse(f"{self._port.name}: one line at a time: {line!r} has a line end in it")
        self.spawn.sendline(line)

    def expect(self, pattern: str, timeout: float | None = None) -> re.Match[str]:
        """Wait for a regular expression in what comes; return its match. What stood before it is passed over.

        Raises NoAnswer after ``timeout`` seconds (None: 10), with what was last heard; BoardLost.
        """
        allowed = self.spawn.timeout if timeout is None else timeout
        try:
            self.spawn.expect(pattern, timeout=allowed)
        except pexpect.TIMEOUT:
            self._forget()
            raise NoAnswer(
                f"{self._port.name}: no {pattern!r} on the console within {allowed:g} s; {self._port.last_heard()}"
            ) from None
        except pexpect.EOF:
            raise self._port.failure or NoAnswer(f"{self._port.name}: the console ended") from None
        return cast(re.Match[str], self.spawn.match)

    def prompt(self, timeout: float | None = None) -> str:
        """Wait for the shell's prompt; return what stood before it. Raises as :meth:`expect`."""
        self.expect(PROMPT, timeout)
        return str(self.spawn.before)

    def run(self, line: str, timeout: float | None = None) -> list[str]:
        """Type a line and return the lines that come until the next prompt, without the echo."""
        self.type_line(line)
        said = [each.strip() for each in self.prompt(timeout).splitlines()]
        return [each for each in said if each and each != line]

    def answer(self, question: str, text: str, timeout: float | None = None) -> None:
        """Wait up to ``timeout`` seconds for the question ``question``, and type ``text``."""
        self.expect(question, timeout)
        self.type_line(text)

    def press(self) -> None:
        """Press the board's button. Raises Misuse where nothing can."""
        if self._press is None:
            raise Misuse(f"{self._port.name}: nothing can press its button: give firmware: {{button: ...}}")
        self._port.timeline.add(Kind.STEP, self._port.name, "the button is pressed")
        self._press()

    def close(self) -> None:
        """Stop listening."""
        self.spawn.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _forget(self) -> None:
        """Keep what was not matched within bounds: a board that talks for hours must not fill the memory.

        pexpect looks through a window, but keeps all that came for ``before``, which none of its own calls shortens.
        """
        spawn: Any = self.spawn
        if spawn._before.tell() > _KEPT:
            kept = spawn.buffer[-_WINDOW:]
            spawn.buffer = kept
            spawn._before = spawn.buffer_type()
            spawn._before.write(kept)
