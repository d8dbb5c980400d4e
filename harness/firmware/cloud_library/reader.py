r"""A log as it comes over a wire, to what it says: fast, because a night's log has hundreds of megabytes. Pure.

Most lines say nothing of the connection. So a block of bytes is searched for each literal that a telling line must hold
(:data:`KEYS`), which costs a memory scan, and only the lines that hold one are read.

**Torn lines.** AT answers, URCs, a shell's prompt and other threads may print into the middle of a line::

    [00:00:12.345,678] <err> nrf_cloud_transport: MQTT inp+CEREG: 2,"0001"\r\n
    ut error: -128\r\n

A log prefix, a URC or a prompt that begins in the middle of a line tears it there. The head waits; the next line that
begins with none of these is its tail, and head and tail are read as one line. A head that says something by itself is
read by itself, so a wrong guess can add nothing but the line that the two make together.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from harness.firmware.cloud_library.evidence import Evidence, evidence_in
from harness.firmware.cloud_library.log_line import dropped, parse_line, plain_text
from harness.firmware.cloud_library.numbers import Generation, generation_of

LINE_LIMIT: Final = 64 * 1024
"""Bytes that a line may have; what is longer is read in pieces, so a line without end costs no memory."""

# The beginnings of other output. Not "<": a message may hold one; not "OK": a message may end with it.
_OTHER: Final = r"\[\d\d+:\d\d:\d\d\.\d{3},\d{3}\] |[+%#][A-Z][A-Z0-9]{2,}: |\*\*\* Booting |(?:uart|mosh|desh):~\$ ?"
_TEAR: Final = re.compile(rf"(?<=.)(?:{_OTHER})")
_BEGINS: Final = re.compile(_OTHER)
_ANSI: Final = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
KEYS: Final = (
    *(
        b"CLOUD_",
        b"TRANSPORT_",
        b"_DISCONNECTED",
        b"_CONNACK",
        b"POLL",
        b"nRF Cloud",
        b"#X",
        b"by the cloud",
        b"MQTT input",
        b"mqtt_",
    ),
    *(b"MQTT ping", b"keepalive", b"+CEREG: ", b"crashed", b"by request", b"connectivity lost", b"broker connect"),
    *(b"Connected to Cloud", b"loud_e", b"loud e", b"*** Booting ", b"dropped -"),
)
"""What a telling line holds: each literal of :mod:`harness.firmware.cloud_library.evidence` holds one of these."""
_TEARS: Final = (b"+C", b"%C", b"%X", b"%MDMEV", b"%NCELL", b"#X", b":~$", b"*** Booting ")
_PREFIX_END: Final = b"] <"
_FIRST_PREFIX: Final = len("[00:00:00.000,000")  # a "] <" behind it belongs to a second prefix on the line
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

    @property
    def waiting(self) -> bool:
        """True while the head of a torn line waits for its tail."""
        return bool(self._head)

    def read(self, line: str) -> list[LogReading]:
        """Return what a line, or the lines that are run together in it, say; nothing for the rest."""
        found: list[LogReading] = []
        for piece in _pieces(plain_text(line)):
            found += self._piece(piece)
        return found

    def _piece(self, piece: str) -> Iterator[LogReading]:
        reading = self._told(piece)
        if reading is not None:
            yield reading
        if self._head and not _BEGINS.match(piece):
            head, self._head = self._head, ""
            whole = self._told(head + piece)
            if whole is not None and (reading is None or whole.evidence != reading.evidence):
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

    def tear(self, line: str) -> None:
        """Keep the head of a line into which something else was printed."""
        found = _TEAR.search(line)
        if found is not None and found.start() > 0:
            self._head, self._age = line[: found.start()], 0


def _pieces(line: str) -> list[str]:
    """Return the lines that are run together in one: each begins as other output does, except perhaps the first."""
    starts = [found.start() for found in _TEAR.finditer(line)]
    if not starts:
        return [line]
    return [line[begin:end] for begin, end in zip([0, *starts], [*starts, len(line)], strict=True)]


class LogReader:
    """Reads the bytes of a log, in chunks of any size. See :class:`LineReader`."""

    def __init__(self, generation: Generation | None = None) -> None:
        self._lines = LineReader(generation)
        self._rest = b""

    def feed(self, data: bytes) -> list[LogReading]:
        """Return what the lines that ``data`` completes say of the connection, of restarts and of lost messages."""
        block = self._rest + data if self._rest else data
        end = block.rfind(b"\n") + 1
        self._rest = block[end:]
        if len(self._rest) > LINE_LIMIT:
            end, self._rest = len(block), b""
        return self._read(block[:end]) if end else []

    def finish(self) -> list[LogReading]:
        """Return what is left of a last line without an end."""
        rest, self._rest = self._rest, b""
        return self._read(rest)

    def _read(self, block: bytes) -> list[LogReading]:
        if b"\x1b" in block:
            block = _ANSI.sub(b"", block)
        found: list[LogReading] = []
        for line in self._telling(block):
            text = plain_text(line.decode("utf-8", "replace"))
            found += self._lines.read(text)
            self._lines.tear(text)
        return found

    def _telling(self, block: bytes) -> Iterator[bytes]:
        """Yield the lines that may say something, in order: those with a literal, torn ones, and what follows these."""
        spans: dict[int, int] = {}
        for key in KEYS:
            at = block.find(key)
            while at >= 0:
                begin, end = _line_around(block, at)
                spans[begin] = end
                at = block.find(key, end)
        for begin in _torn(block):
            end = _end_of_line(block, begin)
            for _ in range(_TORN_SPAN):
                spans[begin] = end
                begin, end = end + 1, _end_of_line(block, end + 1)
                if begin >= len(block):
                    break
        if self._lines.waiting and block:
            spans[0] = _end_of_line(block, 0)
        for begin in sorted(spans):
            yield block[begin : min(spans[begin], begin + LINE_LIMIT)]


def _torn(block: bytes) -> set[int]:
    """Return where the lines begin into which other output may have been printed."""
    found: set[int] = set()
    for key in _TEARS:
        at = block.find(key)
        while at >= 0:
            begin, end = _line_around(block, at)
            if begin < at:
                found.add(begin)
            at = block.find(key, end)
    # As many prefixes as lines that begin with one: each stands at the beginning of its line. That is nearly always so,
    # and costs two scans in place of a look at every line.
    begins = block.count(b"\n[0") + block.count(b"\n[1") + block.startswith(b"[")
    if block.count(_PREFIX_END) <= begins:
        return found
    begin = 0
    for line in block.split(b"\n"):
        if line.find(_PREFIX_END, _FIRST_PREFIX + 1) >= 0:
            found.add(begin)
        begin += len(line) + 1
    return found


def _line_around(block: bytes, at: int) -> tuple[int, int]:
    return block.rfind(b"\n", 0, at) + 1, _end_of_line(block, at)


def _end_of_line(block: bytes, at: int) -> int:
    end = block.find(b"\n", at)
    return len(block) if end < 0 else end
