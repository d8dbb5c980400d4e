r"""What answers on a port: the questions that are asked, and what their answers show. Pure: no port, no clock.

Nothing is asked that could do harm to what is not known. The first bytes end what an earlier user may have left:
``+++`` leaves data mode (a shell and an AT host take it for the beginning of a line), Ctrl-C abandons a half-typed line
of a shell, and the line end makes an AT host answer ERROR to what has become of it. Then comes ``AT``, in each way in
which a command can end. Only what answers that is asked more, and by read commands alone.

Sources: Zephyr, "Shell" (Ctrl-C); sdk-nrf, AT Host library (terminators; a line without a visible character is
dropped); Serial Modem, "Data mode"; MCUboot and nRF Connect SDK boot banners.
"""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from harness.at import Terminator
from harness.at.lines import SHELL_PROMPT

BAUDS: Final = (115200, 1000000, 921600, 460800, 230400, 57600, 38400)
"""In this order: the first is everybody's default."""
DEADLINE: Final = 3.0
_WAKE: Final = b"+++\x03\r"
_NAMED: Final = b"AT+CMEE?"
_NAMED_ANSWER: Final = re.compile(rb"(?:\A|[\r\n])(?:\+CMEE: |\+CME ERROR)")
_LISTENS: Final = 4
_KEPT: Final = 64 * 1024
_CHATTER: Final = 512  # bytes: more than answers to what is asked here

_FINAL: Final = re.compile(rb"(?:\A|[\r\n])(OK|ERROR|\+CM[ES] ERROR: ?\d+)\r?\n")
_ANSI: Final = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
_OK: Final = re.compile(rb"(?:\A|[\r\n])OK\r?\n")
_PROMPT: Final = re.compile(rf"({SHELL_PROMPT}) ".encode())
_BOOT: Final = re.compile(rb"\*\*\* Booting (?!MCUboot)[^\r\n]*")
_BOOTLOADER: Final = re.compile(rb"MCUboot|[Bb]ootloader")
_LOG: Final = re.compile(rb"<(?:err|wrn|inf|dbg)> ([A-Za-z0-9_]+)")
_BINARY: Final = re.compile(rb"[^\t\r\n\x08\x1b\x20-\x7e\x00]")


class PortState(StrEnum):
    """What a port that answers no AT command shows."""

    SILENT = "answers nothing"
    BOOT_LOOP = "restarts again and again"
    BOOTLOADER = "stays in its bootloader"
    BINARY = "sends bytes that are not text"
    LOG = "writes a log, and answers no AT command"
    TEXT = "sends text, and answers no AT command"


@dataclass(frozen=True, slots=True)
class Question:
    """Write ``data`` (or nothing) at ``baud`` and listen for ``seconds``, or until an answer has come."""

    baud: int
    data: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Answering:
    """Something answers AT commands. ``prompt``: of a shell, empty without one."""

    baud: int
    terminator: Terminator
    prompt: str = ""

    @property
    def at_shell(self) -> bool:
        """AT commands go through a shell."""
        return bool(self.prompt)

    def __str__(self) -> str:
        way = f"a shell ({self.prompt}:~$)" if self.prompt else f"AT commands that end with {self.terminator.name}"
        return f"{way} at {self.baud} baud"


@dataclass(frozen=True, slots=True)
class NotAnswering:
    """Nothing answers. ``detail``: what was seen of it."""

    state: PortState
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.state}{f' ({self.detail})' if self.detail else ''}; {_CURES[self.state]}"


_CURES: Final = {
    PortState.SILENT: "is it powered, is its cable the right one, and does its firmware have AT commands or a shell?",
    PortState.BOOT_LOOP: "its firmware crashes: flash it anew, or look at what it says before each start",
    PortState.BOOTLOADER: "no application is on it, or none that the bootloader accepts: flash one",
    PortState.BINARY: "it talks at another speed, or this port carries a modem trace: correct baud: or the port",
    PortState.LOG: "build its firmware with CONFIG_AT_HOST_LIBRARY or CONFIG_AT_SHELL, or flash Serial Modem",
    PortState.TEXT: "the harness does not know this firmware: correct the port, or flash the board",
}


def answered(heard: bytes) -> bool:
    """Return whether something has answered: a final result, or a prompt."""
    heard = _ANSI.sub(b"", heard)
    return _FINAL.search(heard) is not None or _PROMPT.search(heard) is not None


def find(bauds: Sequence[int] = BAUDS) -> Generator[Question, bytes, Answering | NotAnswering]:
    """Yield questions; be sent what was heard after each. Returns what was found."""
    everything = b""
    for index, baud in enumerate(bauds):
        asked = _ask_everything(baud) if index == 0 else _ask_quickly(baud)
        found, heard = yield from asked
        everything = (everything + heard)[-_KEPT:]
        if found is not None:
            return found
        if index == 0 and _text_in(heard):
            break  # something speaks at this speed, and it is readable: another speed would not be better
    # It has just started, and may not have listened yet; or it was busy, and answers now what it was asked before.
    if _BOOT.search(everything) or _FINAL.search(everything):
        found, heard = yield from _ask_everything(bauds[0])
        everything += heard
        if found is not None:
            return found
    return state_of(everything)


_Asked = Generator[Question, bytes, tuple[Answering | None, bytes]]


def _ask_everything(baud: int) -> _Asked:
    """Ask in every way, at a speed that is likely.

    An AT host in which a quote is open takes every terminator for data. A quote and a terminator end that, with ERROR;
    where none was open they open one, which the next quote closes.
    """
    heard = yield Question(baud, _WAKE, 0.1)
    quoted = False  # whether a quote was sent that may have opened one
    for terminator in (Terminator.CR, Terminator.CRLF, Terminator.NULL):
        end = terminator.encode()
        if terminator is not Terminator.CR:
            # It ends what the terminators before were a part of; the quote takes the one before back.
            heard += yield Question(baud, (b'"' if quoted else b"") + end, 0.1)
        for data in (b"AT" + end, b'"' + end, b"AT" + end):
            again = yield Question(baud, data, 0.1 if data.startswith(b'"') else 0.25)
            heard += again
            if found := _found(again, baud, terminator):
                if not found.at_shell and terminator is not Terminator.CR:
                    found = yield from _ends_with_cr(found, patiently=len(heard) > _CHATTER)
                return found, heard
            quoted = data.startswith(b'"') and not _FINAL.search(again)
            if quoted:
                break  # nobody had a quote open, so asking once more would not be another question
    if quoted:
        heard += yield Question(baud, b'"\r', 0.05)
    return None, heard


def _ends_with_cr(found: Answering, *, patiently: bool) -> Generator[Question, bytes, Answering]:
    """Return ``found``, with CR as its terminator if that ends a command.

    A board that was busy, or whose answers come behind messages, answers ``AT`` and CR late: in the time of another
    question. CR LF ends its commands as well, but the LF is a byte too many where data mode counts. So it is asked
    something that has an answer of its own. ``patiently``: it says much, so the answer may come late again.
    """
    heard = b""
    for number in range(_LISTENS):
        again = yield Question(found.baud, b"" if number else _NAMED + b"\r", 0.25)
        heard += again
        if _NAMED_ANSWER.search(heard):
            return replace(found, terminator=Terminator.CR)
        if not again and not patiently:
            break
    yield Question(found.baud, found.terminator.encode(), 0.1)  # it ends what was no command so far
    return found


def _ask_quickly(baud: int) -> _Asked:
    """Ask as nearly everything is asked, at a speed that is not likely."""
    heard = yield Question(baud, _WAKE + b"AT\r", 0.2)
    found = _found(heard, baud, Terminator.CR)
    if found is None and _FINAL.search(heard):
        again = yield Question(baud, b"AT\r", 0.2)
        heard += again
        found = _found(again, baud, Terminator.CR)
    return found, heard


def _found(heard: bytes, baud: int, terminator: Terminator) -> Answering | None:
    heard = _ANSI.sub(b"", heard)
    if prompts := _PROMPT.findall(heard):
        return Answering(baud, Terminator.CR, prompts[-1].decode().removesuffix(":~$"))
    return Answering(baud, terminator) if _OK.search(heard) else None


def state_of(heard: bytes) -> NotAnswering:
    """Return what a port that answered nothing shows."""
    boots = _BOOT.findall(heard)
    if len(boots) > 1:
        return NotAnswering(PortState.BOOT_LOOP, f"{len(boots)} boots while it was listened to")
    if not heard.strip(b"\0\r\n"):
        return NotAnswering(PortState.SILENT)
    if not _text_in(heard):
        return NotAnswering(PortState.BINARY, f"begins with {heard[:8].hex(' ')}")
    if found := _BOOTLOADER.search(heard):
        return NotAnswering(PortState.BOOTLOADER, _shown(_line_at(heard, found.start())))
    if modules := sorted({module.decode() for module in _LOG.findall(heard)}):
        return NotAnswering(PortState.LOG, f"of {', '.join(modules[:6])}")
    return NotAnswering(PortState.TEXT, _shown(heard.strip().splitlines()[-1] if heard.strip() else heard))


def _text_in(heard: bytes) -> bool:
    """Most of it is printable, and there is enough to say so."""
    return len(heard) > 3 and len(_BINARY.findall(heard)) * 5 < len(heard)


def _line_at(heard: bytes, at: int) -> bytes:
    # Not a pattern for the whole line: in a megabyte without an end it would try each beginning.
    return heard[:at].rpartition(b"\n")[2] + heard[at:].partition(b"\n")[0]


def _shown(line: bytes) -> str:
    text = line.strip().decode("ascii", "replace")
    return repr(text if len(text) <= 80 else text[:80] + "…")
