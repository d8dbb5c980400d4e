"""Grammar of AT commands and of the lines that answer them. Pure functions over bytes.

Facts: "nRF91x1 AT Commands" reference (command forms, answers); nRF Connect SDK AT Host library (terminators inside
quotes are data, 0x08 and 0x7F delete the byte before, 4096 bytes at most); Serial Modem and Modem Shell documentation
(#X commands, ``at``).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Final

from harness.at.codes import default_timeout
from harness.errors import Misuse
from harness.redact import redact_line

COMMAND_LIMIT: Final = 4096
"""Bytes of one command with its terminator: the buffer of the AT Host library and of Serial Modem."""

DATA_MODE: Final = "DATAMODE"
"""The kind of final result by which data mode ends."""

FramedUrc = Callable[[str], tuple[int, ...]]
"""From a URC's arguments ("12,34") to the lengths of the raw blobs behind its line. ValueError: none follow."""


class Terminator(StrEnum):
    """What ends a command. The firmware's build decides."""

    CR = "\r"
    LF = "\n"
    CRLF = "\r\n"
    NULL = "\0"


class Form(Enum):
    """The four forms of a command: ``AT+X``, ``AT+X=…``, ``AT+X?``, ``AT+X=?``."""

    RUN = "run"
    SET = "set"
    READ = "read"
    TEST = "test"


_COMMAND = re.compile(r"AT(?P<name>[+%#][A-Z][A-Z0-9_]*|[A-Z&]?)(?P<form>=\?$|\?$|=)?", re.IGNORECASE)
_FORMS: Final = {None: Form.RUN, "=": Form.SET, "?": Form.READ, "=?": Form.TEST}
_URC = re.compile(rb"([+%#][A-Z][A-Z0-9_]*)(?::[ ]?(.*))?\Z", re.DOTALL)
_FINAL = re.compile(rb"\+(CM[ES]) ERROR: ?(\d{1,5})\Z")
_DATA_MODE = re.compile(rb"(?:\+\+\+)?#XDATAMODE: (-?\d{1,6})\Z")
_QUOTED = re.compile(r'"[^"]*"', re.DOTALL)

# Commands that answer without their name, with the form of such a line, so that a log line in between is not taken.
_DIGITS: Final = re.compile(rb"\d{6,17}\Z")
_WORD: Final = re.compile(rb"[A-Za-z][\w.+-]*\Z")
_BARE_ANSWERS: Final[dict[str, re.Pattern[bytes]]] = {
    "+CGSN": _DIGITS,
    "+CIMI": _DIGITS,
    "+CGMI": re.compile(rb"[A-Za-z][\w .,&+-]*\Z"),
    "+CGMM": _WORD,
    "+CGMR": _WORD,
    "+CLAC": re.compile(rb"AT[+%#]?[A-Z&]\w*\Z"),
    "#XCLAC": re.compile(rb"AT[+%#]?[A-Z&]\w*\Z"),
}

# Neither read nor test form, and yet the same when sent twice: questions, and settings.
_HARMLESS: Final = frozenset(
    (
        *("", "E", "+CGSN", "+CGMI", "+CGMM", "+CGMR", "+CIMI", "+CESQ", "%XMONITOR", "%HWVERSION", "%DEVICEUUID"),
        *("#XSMVER", "#XSLMVER", "+CMEE", "+CEREG", "+CFUN", "#XMQTTCFG"),
    )
)

# Names that are URCs as well as answers: the arguments of an answer, by form. A form that is not listed has no answer
# lines.
_TEST_ANSWER: Final = re.compile(rb"\(")
_ANSWER_SHAPES: Final[dict[str, dict[Form, re.Pattern[bytes]]]] = {
    # An answer puts <n> first, so its second field is a bare number; a URC's second field is quoted or missing.
    "+CEREG": {Form.READ: re.compile(rb"\d+,\d+(?:,|\Z)"), Form.TEST: _TEST_ANSWER},
    # <n>,<mode 0|1> against <mode>[,<state 7>[,<access>]].
    "+CSCON": {Form.READ: re.compile(rb"\d,[01](?:,|\Z)"), Form.TEST: _TEST_ANSWER},
    "+CIND": {Form.READ: re.compile(rb"\d"), Form.TEST: _TEST_ANSWER},
    "%XTEMP": {Form.READ: re.compile(rb"-?\d+\Z"), Form.TEST: _TEST_ANSWER},
    # The command that polls has no answer lines: what comes meanwhile is already told of a socket.
    "#XAPOLL": {Form.READ: re.compile(rb"\d+,\d+"), Form.TEST: re.compile(rb"[(<]")},
    # <socket>,<family> against <cause>,"disconnected".
    "#XTCPCLI": {
        Form.SET: re.compile(rb'-?\d+,"(?:not )?connected"'),
        Form.READ: re.compile(rb"-?\d+,\d+\Z"),
        Form.TEST: _TEST_ANSWER,
    },
    "#XNRFCLOUD": {Form.READ: re.compile(rb'\d,\d,\d+,"'), Form.TEST: _TEST_ANSWER},
    "%CESQ": {Form.TEST: _TEST_ANSWER},
    "%MDMEV": {Form.TEST: _TEST_ANSWER},
    "%XTIME": {Form.TEST: _TEST_ANSWER},
    "%NCELLMEAS": {Form.TEST: _TEST_ANSWER},
}


@dataclass(frozen=True, slots=True)
class FinalResult:
    """A final result: ``kind`` "OK", "ERROR", "CME", "CMS", or "DATAMODE" with its status as ``code``."""

    kind: str
    code: int | None = None

    @property
    def ok(self) -> bool:
        """The board did what it was asked."""
        return self.kind == "OK" or (self.kind == DATA_MODE and (self.code or 0) >= 0)

    def __str__(self) -> str:
        if self.kind == DATA_MODE:
            return f"#XDATAMODE: {self.code}"
        return self.kind if self.code is None else f"+{self.kind} ERROR: {self.code}"


@dataclass(frozen=True, slots=True)
class Command:
    """One checked command, with everything that is known of it before it is sent."""

    text: str = field(repr=False)
    name: str  # "+CFUN"; "" for a bare AT
    form: Form
    wire: bytes = field(repr=False)  # with terminator
    redacted: str  # what a timeline may show: no secrets
    shown: str  # the same on one line, for messages: long quoted content by its length
    secret: bool  # the text holds something that must not be shown
    timeout: float  # default, seconds
    echoes: frozenset[bytes] = field(repr=False)  # the lines of which an echo consists
    prefix: bytes
    bare: re.Pattern[bytes] | None
    shapes: dict[Form, re.Pattern[bytes]] | None

    @property
    def harmless(self) -> bool:
        """Sending it twice does what sending it once does: it asks, or sets what may be set again."""
        return self.form in (Form.READ, Form.TEST) or self.name in _HARMLESS

    @property
    def opens_unframed(self) -> bool:
        """It opens a data mode in which a peer's bytes arrive as they are: see UnframedBytes."""
        return self.name == "#XTCPSEND" and self.form is Form.RUN

    def claims(self, line: bytes) -> bool:
        """Tell whether ``line`` belongs to this command's answer."""
        if self.prefix and line.startswith(self.prefix):
            rest = line[len(self.prefix) :]
            if rest[:1] not in (b":", b"="):
                return False
            if self.shapes is None:
                return True
            shape = self.shapes.get(self.form)
            return shape is not None and shape.match(rest[1:].lstrip()) is not None
        return self.bare is not None and self.bare.match(line) is not None


def parse_command(text: str, *, terminator: str = Terminator.CR, at_shell: bool = False) -> Command:
    """Check ``text`` ("AT+CFUN?") and return the :class:`Command`.

    ``at_shell``: the far end is Modem Shell or the AT shell; the command travels as ``at '<command>'`` with line ends
    escaped. ``terminator``: what ends the command, see :class:`Terminator`. Raises Misuse for text that is not an AT
    command, leaves a quote open, holds a byte that the firmware takes for a terminator or for backspace, or is longer
    than :data:`COMMAND_LIMIT`.
    """
    found = _COMMAND.match(text)
    redacted_bytes = redact_line(text.encode())
    redacted = redacted_bytes.decode()
    if not found:
        raise Misuse(f"not an AT command: {one_line(redacted)!r}; it begins with AT")
    if text.count('"') % 2:
        raise Misuse(f"{one_line(redacted)}: a quote is left open, and the board would wait for its end; close it")
    for part in _QUOTED.split(text):
        if any(character < " " for character in part):
            raise Misuse(
                f"{one_line(redacted)}: a line end or control character outside quotes; send one command at a time"
            )
    if any(forbidden in text for forbidden in "\0\b\x7f"):
        raise Misuse(
            f"{one_line(redacted)}: holds NUL, backspace or DEL, which the board's input line does not pass on"
        )
    wire = _in_shell(text, redacted) if at_shell else text.encode()
    wire += terminator.encode()
    if len(wire) > COMMAND_LIMIT:
        raise Misuse(
            f"{one_line(redacted)}: {len(wire)} bytes, but the board's buffer holds {COMMAND_LIMIT}; shorten it"
        )
    name = found["name"].upper()
    form = _FORMS[found["form"]]
    lines = [*text.encode().splitlines(), wire.rstrip(b"\r\n\0")]
    return Command(
        text=text,
        name=name,
        form=form,
        wire=wire,
        redacted=redacted,
        shown=one_line(redacted),
        secret=redacted_bytes != text.encode(),
        timeout=default_timeout(name, test_form=form is Form.TEST),
        echoes=frozenset(stripped for line in lines if (stripped := line.strip())),
        prefix=name.encode() if name[:1] in "+%#" else b"",
        bare=_BARE_ANSWERS.get(name),
        shapes=_ANSWER_SHAPES.get(name),
    )


_FINALS: Final = {b"OK": FinalResult("OK"), b"ERROR": FinalResult("ERROR")}


def parse_final(line: bytes) -> FinalResult | None:
    """Return the final result if the whole ``line`` is one, else None."""
    final = _FINALS.get(line)
    if final is None and line.startswith(b"+CM") and (found := _FINAL.match(line)):
        return FinalResult(found[1].decode(), int(found[2]))
    return final


def parse_data_mode(line: bytes) -> FinalResult | None:
    """Return the end of data mode if ``line`` is it (``#XDATAMODE: <status>``), else None."""
    found = _DATA_MODE.match(line)
    return FinalResult(DATA_MODE, int(found[1])) if found else None


def split_urc(line: bytes) -> tuple[bytes, bytes] | None:
    """Return name and arguments of a line of the form ``+NAME: …``, ``%NAME`` or ``#XNAME: …``, or None."""
    found = _URC.match(line)
    return (found[1], found[2] or b"") if found else None


def one_line(text: str, limit: int = 160) -> str:
    """Return ``text`` on one line for a message: long or multi-line quoted content by its length, the rest cut at
    ``limit``.
    """

    def short(quoted: re.Match[str]) -> str:
        content = quoted[0]
        long = len(content) > 66 or "\n" in content or "\r" in content
        return f'"<{len(content) - 2} bytes>"' if long else content

    flat = " ".join(_QUOTED.sub(short, text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def _in_shell(text: str, redacted: str) -> bytes:
    if "'" in text or "\\" in text:
        raise Misuse(f"{one_line(redacted)}: the board's shell passes on no single quote or backslash; leave it out")
    return b"at '" + text.replace("\r", "").replace("\n", "\\n").encode() + b"'"
