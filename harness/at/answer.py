"""What a command got: its answer, or the error that says why there is none."""

from functools import partial
from typing import Final, NamedTuple

from harness.at.codes import meaning
from harness.at.syntax import Command, FinalResult, one_line
from harness.errors import LabError, Party, Refusal
from harness.redact import redact_line


class AtError(Refusal):
    """The board answered ERROR, ``+CME ERROR`` or ``+CMS ERROR``.

    ``command``: on one line, redacted. ``final``: the final result as it came. ``kind``: "CME", "CMS" or None;
    ``code``: its number or None; ``meaning``: in words.
    """

    party = Party.MODEM

    def __init__(self, command: str, final: FinalResult) -> None:
        self.command = command
        self.final = str(final)
        self.code = final.code
        self.kind = final.kind if final.kind in ("CME", "CMS") else None
        self.meaning = (
            meaning(final.kind, final.code) if final.code is not None else "no reason given; AT+CMEE=1 gives one"
        )
        super().__init__(f"{command} answered {self.final} ({self.meaning})")


class AtFormatError(LabError):
    """The command succeeded, but its answer cannot be read: bytes were lost on the way, or it is no modem."""


class StrayAnswer(LabError):
    """What looked like the board's answer was somebody else's: another program writes to the port."""


LOST_BYTES: Final = (
    "bytes were lost on the way: no flow control? look at flow_control and baud in the boards file, and at the cable"
)
"""What to say of an answer that cannot be read. It says nothing of the board."""
DOUBLED: Final = "a line came twice on the way: look at the cable, and at what stands between board and computer"
"""What to say of an answer with the same line twice."""


class Answer(NamedTuple):
    """The answer to a command that ended with OK.

    ``command``: on one line, redacted. ``lines``: the information lines without their line ends; quoted content that
    spans lines stays verbatim in one entry. ``blobs``: raw bytes that followed a counted line. ``seconds``: from the
    write to OK.
    """

    command: str
    lines: tuple[str, ...]
    seconds: float
    blobs: tuple[bytes, ...] = ()

    def value(self, name: str) -> str:
        """Return the text after ``name`` and its colon ("+CFUN": "1") of the only such line. Raises AtFormatError."""
        found = self.values(name)
        if len(found) != 1:
            raise self._unexpected(f"one line {name}: …", len(found))
        return found[0]

    def values(self, name: str) -> list[str]:
        """Return the text after ``name`` and its colon of every such line, in order; an empty list if there is none."""
        head = f"{name}:"
        return [line[len(head) :].removeprefix(" ") for line in self.lines if line.startswith(head)]

    @property
    def text(self) -> str:
        """The only line without a name: what CGSN, CGMI, CGMM, CGMR and CIMI answer. Raises AtFormatError."""
        found = [line for line in self.lines if line[:1] not in "+%#"]
        if len(found) != 1:
            raise self._unexpected("one line without a name", len(found))
        return found[0]

    def _unexpected(self, wanted: str, count: int) -> AtFormatError:
        heard = one_line(" | ".join(redact_line(line.encode()).decode() for line in self.lines) or "nothing")
        why = DOUBLED if count and len(set(self.lines)) < len(self.lines) else LOST_BYTES
        return AtFormatError(f"{self.command}: expected {wanted}, got {count} of them; the answer was: {heard}; {why}")


def answer_of(command: Command, final: FinalResult, lines: list[bytes], blobs: list[bytes], seconds: float) -> Answer:
    """Return the Answer for a final result of OK; raise AtError for any other.

    ``command``: the one that ended. ``final``: its final result. ``lines``: the information lines, without line ends.
    ``blobs``: raw bytes that followed a counted line. ``seconds``: from the write to the final result.
    """
    if final.kind != "OK":
        raise AtError(command.shown, final)
    texts = tuple([line.decode("utf-8", "replace") for line in lines])
    return _answer((command.shown, texts, seconds, tuple(blobs)))


_answer: Final = partial(tuple.__new__, Answer)  # NamedTuple's own constructor costs four times as much
