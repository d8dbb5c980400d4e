"""One command at a time over a stream of lines: which line answers it, which is a URC, which ends it. No I/O, no clock.

Who gets a line, in this order:

1. a final result as a whole line ends the pending command; with none pending it is nobody's (:attr:`Role.STRAY`);
2. a line of the pending command's echo (ATE1, or a shell) is dropped from the answer;
3. a line that the command claims (:meth:`Command.claims`) belongs to its answer. Only such a line may go on over
   line ends while a quote is open: a stray quote in a log line cannot swallow what follows;
4. ``+NAME…``, ``%NAME…`` and ``#NAME…`` are URCs, wherever they land;
5. everything else is the board's log.

Why the final result may come first: a line that is only OK or ERROR has no other meaning (ITU-T V.250 §5.7). Why the
claim comes before the URCs: an answer and a URC may have the same name. After ``AT+CEREG?`` the board may send::

    +CEREG: 5,"0901","01A2",7       the second field is quoted: a URC that came in between (rule 4)
    +CEREG: 5,1,"0901","01A2",7     <n>,<stat>: claimed by the read command, the answer (rule 3)
    OK                              ends the command (rule 1)

A *question* may be sent behind the pending command (:meth:`Dialogue.ask_behind`). A board answers in order. So once the
question's own line comes, every later final result is the question's; the command that is still pending then was
answered, and its final result was lost.

After :meth:`Dialogue.give_up` the command is *abandoned*: its answer may still come and is told from a URC by the
same rules until :meth:`Dialogue.in_step` says that it cannot come any more.
"""

from collections.abc import Mapping
from enum import Enum
from functools import partial
from itertools import repeat
from typing import Final, NamedTuple

from harness.at.framed_bytes import FramedBytes
from harness.at.lines import LINE_LIMIT, LineBuffer, Piece, plain
from harness.at.syntax import Command, FinalResult, FramedUrc, parse_data_mode, parse_final, split_urc
from harness.at.unframed_bytes import UnframedBytes, own_lines
from harness.errors import Misuse

ANSWER_LIMIT: Final = 256 * 1024
"""Bytes of information lines that one answer may have; +CLAC has 3 kB."""


class Role(Enum):
    """Whose a line is."""

    LOG = "log"
    URC = "urc"
    ANSWER = "answer"
    FINAL = "final"
    ECHO = "echo"
    LATE = "late"  # a line of the abandoned command's answer
    STRAY = "stray"  # a final result that nobody waits for
    CUT = "cut"  # a part of a line without end
    GARBLED = "garbled"  # a line that announces bytes which do not make sense, or did not follow


class CommandOutcome(NamedTuple):
    """How the pending command ended. ``overflow``: the answer had more than ANSWER_LIMIT bytes and is incomplete."""

    command: Command
    final: FinalResult
    lines: list[bytes]
    blobs: list[bytes]
    overflow: bool

    @property
    def opens_unframed(self) -> bool:
        """A peer's bytes arrive from here on."""
        return self.command.opens_unframed and self.final.kind == "OK"


class Heard(NamedTuple):
    """One line, with what it is. ``outcome``: with a FINAL line.

    ``blobs``: the raw bytes that followed it; of the end of data mode, those that came in it.
    """

    role: Role
    line: bytes
    name: bytes = b""  # of a URC
    args: bytes = b""
    blobs: tuple[bytes, ...] = ()
    outcome: CommandOutcome | None = None


class _Pending:
    """The command that was sent last, and what has come of its answer."""

    __slots__ = ("blobs", "command", "data_mode", "lines", "needs_line", "overflow", "size")

    def __init__(self, command: Command, *, needs_line: bool = False, data_mode: bool = False) -> None:
        self.command = command
        self.needs_line = needs_line
        self.data_mode = data_mode
        self.lines: list[bytes] = []
        self.blobs: list[bytes] = []
        self.size = 0
        self.overflow = False

    def add(self, line: bytes, blobs: tuple[bytes, ...] = ()) -> None:
        self.size += len(line) + sum(map(len, blobs)) if blobs else len(line)
        if self.size > ANSWER_LIMIT:
            self.overflow = True
            return
        self.lines.append(line)
        self.blobs.extend(blobs)


class Dialogue:
    """The host's side of an AT port. ``framed``: URCs that are followed by counted bytes. ``limit``: see LINE_LIMIT."""

    def __init__(self, *, framed: Mapping[str, FramedUrc] | None = None, limit: int = LINE_LIMIT) -> None:
        self.frame(framed or {})
        self._limit = limit
        self._buffer = LineBuffer(limit)
        self._pending: _Pending | None = None
        self._behind: _Pending | None = None  # the question behind it
        self._abandoned: tuple[Command, ...] = ()
        self._open = bytearray()  # a claimed line in which a quote is open
        self._awaiting: tuple[Heard, FramedBytes] | None = None  # a line, and the raw bytes that it announced
        self._spared: FramedBytes | None = None  # of these, what outlived an abandoned command
        self._unframed: UnframedBytes | None = None  # a data mode in which a peer's bytes arrive

    def frame(self, framed: Mapping[str, FramedUrc]) -> None:
        """Read URCs with these counted payloads from now on: it has become known which firmware speaks."""
        self._framed = {name.encode(): lengths for name, lengths in framed.items()}

    @property
    def pending(self) -> Command | None:
        """The command that waits for its final result."""
        return self._pending.command if self._pending else None

    @property
    def secret(self) -> bool:
        """True while a command with a secret is pending or abandoned: a line that fits no rule may be its echo."""
        if self._pending is not None and self._pending.command.secret:
            return True
        return any(command.secret for command in self._abandoned) if self._abandoned else False

    @property
    def abandoned(self) -> frozenset[str]:
        """The names ("+CFUN") of the commands whose answer may still come."""
        return frozenset(command.name for command in self._abandoned)

    def begin(self, command: Command, *, needs_line: bool = False) -> bytes:
        """Make ``command`` the pending one and return the bytes to send. Raises Misuse while another one is pending.

        ``needs_line``: only an OK after an information line of this command ends it. Any other final result belongs to
        some earlier command.
        """
        self._start(_Pending(command, needs_line=needs_line))
        return command.wire

    def ask_behind(self, question: Command) -> bytes:
        """Make ``question`` pending behind the pending command, and return the bytes to send.

        Its answer has an information line. Each of the two ends as usual; the command does not if that line is first.
        """
        behind = _Pending(question, needs_line=True)
        if self._pending:
            self._behind = behind
        else:  # its answer has come in this very moment
            self._pending = behind
        return question.wire

    def begin_payload(self, command: Command, payload: bytes, *, counted: bool = False) -> bytes:
        """Make the data mode that ``command`` opened pending; return the bytes to send: ``payload`` and ``+++``.

        ``counted``: the command said how many bytes come, and data mode ends by itself after them. It ends with
        ``#XDATAMODE: <status>``. Raises Misuse if the board would see a ``+++`` too early.
        """
        if not counted:
            check_payload(command, payload)
        self._start(_Pending(command, data_mode=True))
        return payload if counted else payload + b"+++"

    def give_up(self) -> list[Heard]:
        """Abandon the pending command, an open quote and announced bytes; return the lines that these held.

        Bytes of a peer that came unasked have nothing to do with the command: they get time until the next one is
        abandoned, and only then count as lost.
        """
        self._abandon()
        self._abandon()  # the question behind it
        if self._unframed:
            lines, self._unframed = self._unframed.own_lines(), None
            return [heard for line in lines if (heard := self._classify(line)) is not None]
        if self._awaiting and self._awaiting[0].name in UNASKED:
            return self._give_up_unasked(*self._awaiting)
        held = self._awaiting[1].so_far() if self._awaiting else bytes(self._open)
        if not held:
            return []
        self._open.clear()
        self._awaiting = None
        return self._take_lines(held + self._buffer.take_rest(), without_blobs=True)[0]

    def _abandon(self) -> None:
        """Wait no more for the pending command: the question behind it, if there is one, is pending now."""
        if self._pending:
            self._abandoned = (*self._abandoned, self._pending.command)[-_ABANDONED_KEPT:]
        self._pending, self._behind = self._behind, None

    def _give_up_unasked(self, line: Heard, framed: FramedBytes) -> list[Heard]:
        if self._spared is not framed:
            self._spared = framed
            return []
        self._awaiting = self._spared = None
        _, _, peers = framed.so_far().partition(b"\r\n")
        own = [heard for text in own_lines(peers) if (heard := self._classify(text)) is not None]
        return [line._replace(role=Role.GARBLED), *own]

    def in_step(self) -> None:
        """Forget abandoned commands: the board has answered a later one, so no answer to them can come."""
        self._abandoned = ()

    def receive(self, data: bytes) -> list[Heard]:
        """Take bytes from the board; return the lines that they complete."""
        heard: list[Heard] = []
        while data:
            if self._unframed:
                rest = self._unframed.feed(data)
                if rest is None:
                    break
                ended, self._unframed = self._unframed, None
                heard.append(self._data_mode_ended(ended))
                data = rest
            elif self._awaiting:
                line, framed = self._awaiting
                rest = framed.feed(data)
                if rest is None:
                    break
                self._awaiting = None
                heard += self._framed_line(line, framed)
                data = rest
            elif self._pending is None and (log := self._take_log(data)) is not None:
                heard += log
                break
            else:
                lines, data = self._take_lines(data)
                heard += lines
        return heard

    def _data_mode_ended(self, ended: UnframedBytes) -> Heard:
        """Return the line by which data mode ended, with the peer's bytes that came in it."""
        found = self._classify(ended.line) or Heard(Role.LOG, ended.line)
        return found._replace(name=DATA_MODE_END, blobs=(ended.content,) if ended.content else ())

    def _framed_line(self, line: Heard, framed: FramedBytes) -> list[Heard]:
        """Return a line with its bytes, behind the lines that fell between; or what is left of a broken one."""
        if framed.broken:
            return self._take_lines(framed.so_far(), without_blobs=True)[0]
        between = [found for text in framed.aside if (found := self._classify(text)) is not None]
        return [self._done(found) for found in (*between, line._replace(blobs=framed.blobs))]

    def _take_log(self, data: bytes) -> list[Heard] | None:
        """Do what _take_lines does at a fraction of its cost if every line is the board's log; return None if not."""
        if self._abandoned:
            return None
        lines = self._buffer.feed_plain(data, _SPECIAL)
        if lines is None:
            return None
        return list(map(_heard, zip(repeat(_LOG), lines, lines, repeat(b""), repeat(()), repeat(None))))

    def _start(self, pending: _Pending) -> None:
        if self._pending:
            raise Misuse(
                f"{pending.command.shown} while {self._pending.command.shown} is pending; one command at a time"
            )
        self._pending = pending

    def _take_lines(self, data: bytes, *, without_blobs: bool = False) -> tuple[list[Heard], bytes]:
        """Return the lines, up to one that announces raw bytes, and the data behind that one."""
        heard: list[Heard] = []
        pieces = self._buffer.feed(data)
        for index, piece in enumerate(pieces):
            if self._open:
                found = self._go_on(piece)
            elif piece.cut:
                found = Heard(Role.CUT, plain(piece.raw))
            else:
                found = self._classify(piece.raw)
            if found is None:
                continue
            if found.name in self._framed and found.role in (Role.URC, Role.ANSWER, Role.LATE):
                lengths = self._lengths(found)
                if lengths is None or without_blobs:
                    found = Heard(Role.GARBLED, found.line, found.name)
                elif lengths:
                    self._awaiting = found, FramedBytes(lengths, piece.raw)
                    return heard, b"".join(after.raw for after in pieces[index + 1 :]) + self._buffer.take_rest()
            if found.line:
                if found.role is _ANSWER:
                    self._done(found)
                heard.append(found)
            if found.outcome is not None and found.outcome.opens_unframed:
                self._unframed = UnframedBytes(line_feed_owed=piece.raw.endswith(b"\r"))
                return heard, b"".join(after.raw for after in pieces[index + 1 :]) + self._buffer.take_rest()
        return heard, b""

    def _done(self, heard: Heard) -> Heard:
        """Add a complete line to the answer that it belongs to."""
        if heard.role is _ANSWER and self._pending:
            self._pending.add(heard.line, heard.blobs)
        return heard

    def _classify(self, raw: bytes) -> Heard | None:
        line = plain(raw)
        if not line:
            return None
        core = line.lstrip() if line[0] <= 32 else line
        if self._behind and self._behind.command.claims(core):
            self._abandon()
        pending = self._pending
        if pending:
            if final := parse_data_mode(core) if pending.data_mode else parse_final(core):
                return self._finish(pending, final, line)
            command = pending.command
            if not pending.lines and core in command.echoes:
                return Heard(Role.ECHO, line)
            if command.claims(core):
                return self._answer(pending, core, raw)
        if (core in _FINAL_WORDS or core.startswith(b"+CM")) and parse_final(core):
            return Heard(Role.STRAY, line)
        for command in self._abandoned:
            if core in command.echoes:
                return Heard(Role.ECHO, line)
            if command.claims(core):
                return Heard(Role.LATE, line, *(split_urc(core) or ()))
        if core[0] in _URC_SIGNS and (parts := split_urc(core)):
            return _heard((_URC, core, *parts, (), None))
        return _heard((_LOG, line, line, b"", (), None))

    def _answer(self, pending: _Pending, core: bytes, raw: bytes) -> Heard | None:
        if core.count(b'"') % 2:
            # From the name on, verbatim: blanks at the end of a line inside quotes are content.
            self._open += raw[raw.find(pending.command.prefix) :]
            return None
        name, args = split_urc(core) or (b"", b"")
        return _heard((_ANSWER, core, name, args, (), None))

    def _go_on(self, piece: Piece) -> Heard | None:
        """Add to the line with the open quote; return the line once the quote is closed, or cut if it is too long."""
        self._open += piece.raw
        closed = piece.raw.count(b'"') % 2 == 1
        fits = len(self._open) <= self._limit
        if fits and not closed:
            return None
        whole = bytes(self._open)
        self._open.clear()
        return Heard(Role.ANSWER, _without_end(whole)) if fits else Heard(Role.CUT, whole)

    def _finish(self, pending: _Pending, final: FinalResult, line: bytes) -> Heard:
        if pending.needs_line and (not pending.lines or not final.ok):
            return Heard(Role.STRAY, line)
        self._pending, self._behind = self._behind, None
        outcome = _outcome((pending.command, final, pending.lines, pending.blobs, pending.overflow))
        return _heard((_FINAL, line, b"", b"", (), outcome))

    def _lengths(self, heard: Heard) -> tuple[int, ...] | None:
        """Return the lengths of the blobs behind a framed line, or None when the line makes no sense."""
        try:
            lengths = self._framed[heard.name](heard.args.decode("ascii"))
        except ValueError:
            return None
        if any(length < 0 for length in lengths) or sum(lengths) > self._limit:
            return None
        return lengths


DATA_MODE_END: Final = b"#XDATAMODE"
UNASKED: Final = frozenset({b"#XTCPDATA", DATA_MODE_END})
"""The lines whose bytes are a peer's, and belong to whoever carries them."""
_ABANDONED_KEPT: Final = 8  # more than the tries to get back in step
_FINAL_WORDS: Final = frozenset({b"OK", b"ERROR"})
_URC_SIGNS: Final = frozenset(b"+%#")
# A line that begins so may be more than log.
_SPECIAL: Final = frozenset({b"+", b"%", b"#", b"O", b"E", b" ", b"\t", b"\x0b", b"\x0c"})
_heard: Final = partial(tuple.__new__, Heard)  # NamedTuple's own constructor costs four times as much
_outcome: Final = partial(tuple.__new__, CommandOutcome)
# To ask an enumeration for a member costs more than anything else that is done for a line (Python 3.11).
_LOG, _URC, _ANSWER, _FINAL = Role.LOG, Role.URC, Role.ANSWER, Role.FINAL


def check_payload(command: Command, payload: bytes) -> None:
    """Raise Misuse if the first ``+++`` that the board would see is not the one that ends data mode."""
    if (payload + b"+++").find(b"+++") != len(payload):
        raise Misuse(f"{command.shown}: the payload holds +++ or ends with +, which would end data mode too early")


def _without_end(line: bytes) -> bytes:
    return line.removesuffix(b"\n").removesuffix(b"\r")
