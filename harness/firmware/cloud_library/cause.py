"""Why a connection ended, from the lines of a log in order: one class, or "cannot be told". Pure.

The rule, after Nordic's own words for what a violation looks like ("nRF Cloud Security", Security Violations):

* The first line after the action that is evidence decides, because everything later is a consequence of it.
* What stands before the connection was up is about making it: a modem that searches (``+CEREG: 2``) has not lost
  anything yet.
* A hang-up is the other side's doing only where the network was there: evidence of a lost link within :data:`NEAR`
  seconds of it, on either side, takes that away. What is left then is "cannot be told".
* A hang-up that comes later than :data:`PROMPT` seconds after the action is not the action's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from harness.firmware.cloud_library.evidence import Evidence, LogClass
from harness.firmware.cloud_library.numbers import Generation
from harness.firmware.cloud_library.reader import LineReader

NEAR: Final = 5.0
PROMPT: Final = 15.0
CANNOT_BE_TOLD: Final = "cannot be told"


class Timed(NamedTuple):
    """A line with its time: seconds on any clock, None where the record has none."""

    t: float | None
    text: str


@dataclass(frozen=True, slots=True)
class LogCause:
    """``what`` None: cannot be told, and ``because`` says why. ``evidence``: the line that decided."""

    what: LogClass | None
    because: str = ""
    evidence: Evidence | None = None

    def __str__(self) -> str:
        return self.what.value if self.what is not None else f"{CANNOT_BE_TOLD} ({self.because})"


def cause_of(
    lines: Sequence[Timed], *, generation: Generation | None = None, since: float | None = None, up: bool = False
) -> LogCause:
    """Return what became of the connection by ``lines``. ``since``: when the action was done; None: at the first line.

    ``up``: the connection was there before the first line. ``generation``: see :class:`LineReader`.
    """
    reader = LineReader(generation)
    told: list[tuple[float | None, Evidence]] = []
    for t, text in lines:
        told += [(t, reading.evidence) for reading in reader.read(text) if reading.evidence is not None]
    if since is not None:
        told = [(t, evidence) for t, evidence in told if t is None or t >= since]
    for index, (t, evidence) in enumerate(told):
        up = up or evidence.what is LogClass.CONNECTED
        if evidence.what is LogClass.LINK_LOST and not up:
            continue
        if evidence.what is LogClass.CONNECTED and any(_ends(later) for _, later in told[index + 1 :]):
            continue
        if evidence.what is LogClass.KICKED:
            return _kicked(told, t, evidence, since)
        return LogCause(evidence.what, evidence=evidence)
    return LogCause(None, "no line says why" if lines else "there are no lines")


def _ends(evidence: Evidence) -> bool:
    return evidence.what is not LogClass.CONNECTED


def _kicked(
    told: Sequence[tuple[float | None, Evidence]], t: float | None, evidence: Evidence, since: float | None
) -> LogCause:
    lost = next((each for at, each in told if each.what is LogClass.LINK_LOST and _near(at, t)), None)
    if lost is not None:
        return LogCause(None, f"the link was lost within {NEAR:g} s of the hang-up: {lost.line}", evidence)
    if since is not None and t is not None and t - since > PROMPT:
        return LogCause(None, f"the hang-up came {t - since:.1f} s after the action, more than {PROMPT:g} s", evidence)
    return LogCause(LogClass.KICKED, evidence=evidence)


def _near(one: float | None, other: float | None) -> bool:
    return one is None or other is None or abs(one - other) <= NEAR
