r"""Reads from a log's lines what they say of the connection. Pure.

Most lines say nothing of it, and a night's log has hundreds of megabytes. So only a line that holds one of the literals
of :data:`KEYS` is looked at closely, and lines that arrive together are searched for them all at once.

**Torn lines.** AT answers, URCs, a shell's prompt and other threads may print into the middle of a line::

    [00:00:12.345,678] <err> nrf_cloud_transport: MQTT inp+CEREG: 2,"0001"\r\n
    ut error: -128\r\n

A log prefix, a URC or a prompt that begins in the middle of a line tears it there. The head waits; the next line that
begins with none of these is its tail, and head and tail are read as one line. A head that says something by itself is
read by itself, so a wrong guess can add nothing but the line that the two make together.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from harness.firmware.cloud_library.evidence import Evidence, LogClass, evidence_in
from harness.firmware.cloud_library.log_line import dropped, parse_line, plain_text, without_colours
from harness.firmware.cloud_library.numbers import Generation, generation_of

# The beginnings of other output. Not "<": a message may hold one; not "OK": a message may end with it.
_OTHER: Final = r"\[\d\d+:\d\d:\d\d\.\d{3},\d{3}\] |[+%#][A-Z][A-Z0-9]{2,}: |\*\*\* Booting |(?:uart|mosh|desh):~\$ ?"
_TEAR: Final = re.compile(rf"(?<=.)(?:{_OTHER})")
_BEGINS: Final = re.compile(_OTHER)
KEYS: Final = (
    *(
        "CLOUD_",
        "TRANSPORT_",
        "_DISCONNECTED",
        "_CONNACK",
        "POLL",
        "nRF Cloud",
        "#X",
        "by the cloud",
        "MQTT input",
        "mqtt_",
    ),
    *("MQTT ping", "keepalive", "+CEREG: ", "crashed", "by request", "connectivity lost", "broker connect"),
    *("Connected to Cloud", "loud_e", "loud e", "*** Booting ", "dropped -"),
)
"""What a telling line holds: each literal of :mod:`harness.firmware.cloud_library.evidence` holds one of these."""
_OTHER_SIGNS: Final = ("+", "%", "#", ":~$")  # of URCs and prompts
_TORN_SPAN: Final = 4  # lines that the tail of a torn line may be away from its head


class LogReading(NamedTuple):
    """What one line says. ``evidence``: of the connection, or None. ``dropped``: messages lost before it.

    ``uptime``, ``module``, ``level``: as the line has them. ``torn``: head and tail were put together. ``boot``: the
    board has started.
    """

    text: str
    evidence: Evidence | None = None
    dropped: int = 0
    uptime: float | None = None
    module: str = ""
    level: str = ""
    torn: bool = False
    boot: bool = False


class LineReader:
    """Reads lines one by one, in order. ``generation``: whose numbers the firmware prints; a boot banner tells it."""

    def __init__(self, generation: Generation | None = None) -> None:
        self.generation = generation
        self._head = ""
        self._age = 0

    def silent(self, lines: Sequence[str]) -> bool:
        """Return True where reading ``lines`` would find nothing: a quick look at all of them together.

        It may say False of lines that say nothing. A line is torn only at a bracket, a URC or a prompt. So where each
        bracket begins a line, and there is no URC and no prompt, no line is torn::

            [00:00:01.000,000] <inf> app: temperature 21     the bracket begins the line
            [00:00:01.000,000] <inf> app: list [1]           a bracket more than lines that begin with one: look closer
        """
        if self._head:
            return False
        text = without_colours("\n".join(lines))
        if any(key in text for key in (*_OTHER_SIGNS, *KEYS)):
            return False
        return text.count("[") == text.count("\n[") + text.startswith("[")

    def read(self, line: str) -> list[LogReading]:
        """Return what a line, or the lines that are run together in it, say; nothing for the rest."""
        line = plain_text(line)
        found: list[LogReading] = []
        if self._head or any(key in line for key in KEYS):
            for piece in _pieces(line):
                found += self._piece(piece)
        self._tear(line)
        return found

    def _piece(self, piece: str) -> Iterator[LogReading]:
        reading = self._told(piece)
        if reading is not None:
            yield reading
        if self._head and not _BEGINS.match(piece):
            head, self._head = self._head, ""
            whole = self._told(head + piece)
            if whole is not None and (reading is None or _meaning(whole) != _meaning(reading)):
                yield whole._replace(torn=True)
            return
        self._age += 1
        if self._age > _TORN_SPAN:
            self._head = ""

    def _told(self, text: str) -> LogReading | None:
        if generation := generation_of(text):
            self.generation = generation
            return LogReading(text, boot=True)
        if lost := dropped(text):
            return LogReading(text, dropped=lost)
        evidence = evidence_in(text, self.generation)
        if evidence is None:
            return None
        line = parse_line(text)
        return LogReading(text, evidence, uptime=line.uptime, module=line.module, level=line.level)

    def _tear(self, line: str) -> None:
        """Keep the head of a line into which something else was printed."""
        found = _TEAR.search(line)
        if found is not None:
            self._head, self._age = line[: found.start()], 0


def _meaning(reading: LogReading) -> tuple[LogClass, int] | None:
    """Return what a reading says, whatever the line around it; None: nothing of the connection."""
    return None if reading.evidence is None else (reading.evidence.what, reading.evidence.code)


def _pieces(line: str) -> list[str]:
    """Return the lines that are run together in one: each begins as other output does, except perhaps the first."""
    starts = [found.start() for found in _TEAR.finditer(line)]
    return [line[begin:end] for begin, end in pairwise((0, *starts, len(line)))]
