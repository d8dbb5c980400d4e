r"""One line of a Zephyr log: time stamp, level, module, message. Pure.

Source: Zephyr ``subsys/logging/log_output.c`` (``[HH:MM:SS.mmm,uuu] <lvl> module: message``, debug lines with the
function's name); Zephyr, "Logging" (other time stamps by Kconfig); Zephyr, "Shell" (prompt, erased and drawn again).
UNCONFIRMED which release writes the function behind a dot and which behind a colon, and how the note of dropped
messages reads exactly: every form is accepted.
"""

import re
from typing import Final, NamedTuple

from harness.at.lines import SHELL_PROMPT

_ANSI: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_PROMPT: Final = re.compile(rf"^(?:{SHELL_PROMPT} ?[\r\n\0]*)+")
_LINE: Final = re.compile(
    r"(?:\[(?P<stamp>[^\]]+)\] )?(?:\[[^\]]+\] )?<(?P<level>err|wrn|inf|dbg)> "
    r"(?P<module>[A-Za-z0-9_]+)(?:[:.] ?(?P<function>[a-z0-9_]+))?: (?P<message>.*)\Z",
    re.DOTALL,
)
_UPTIME: Final = re.compile(r"(\d{2,}):(\d\d):(\d\d)\.(\d{3}),(\d{3})\Z")
_LINUX: Final = re.compile(r" *(\d+)\.(\d{6})\Z")
_DROPPED: Final = re.compile(r"-+ ?(\d+) messages? dropped ?-+")


class LogLine(NamedTuple):
    """A line of the log. ``uptime``: seconds since the boot, None where the stamp is of another kind or missing.

    ``level``: err, wrn, inf or dbg; empty for text without a prefix (printk), which is then all ``message``.
    """

    message: str
    level: str = ""
    module: str = ""
    function: str = ""
    uptime: float | None = None


def plain_text(text: str) -> str:
    """Return a line without colours, cursor movements, prompts before it, and its end."""
    text = without_colours(text).strip("\r\n\0")
    return _PROMPT.sub("", text) if "$" in text[:24] else text


def without_colours(text: str) -> str:
    """Return ``text`` without colours and cursor movements."""
    return _ANSI.sub("", text) if "\x1b" in text else text


def parse_line(text: str) -> LogLine:
    """Return what a line says; it may have colours, a prompt before it, and no prefix at all."""
    text = plain_text(text)
    found = _LINE.match(text)
    if found is None:
        return LogLine(text)
    level, function = found["level"], found["function"] or ""
    message = found["message"]
    if function and level != "dbg":
        # Only debug lines carry a function. In all others it is the beginning of the message: "app: state: 3".
        function, message = "", f"{function}: {message}"
    return LogLine(message, level, found["module"], function, uptime(found["stamp"] or ""))


def uptime(stamp: str) -> float | None:
    """Return the seconds since the boot in a time stamp without its brackets; None: it is of another kind."""
    if found := _UPTIME.match(stamp):
        hours, minutes, seconds, millis, micros = map(int, found.groups())
        return ((hours * 3600 + minutes * 60 + seconds) * 1_000_000 + millis * 1000 + micros) / 1e6
    if found := _LINUX.match(stamp):
        return int(found[1]) + int(found[2]) / 1e6
    return None


def dropped(text: str) -> int:
    """Return how many messages a note says were dropped; 0: it is no such note."""
    found = _DROPPED.search(text) if "dropped" in text else None
    return int(found[1]) if found else 0
