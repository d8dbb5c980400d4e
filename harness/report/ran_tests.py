"""The tests of a run, read from its journal: one result each, and what a reader needs to know of a bad one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.errors import Party
from harness.report.cases import NOTHING_PROVED
from harness.report.keys import key_of

KILLED = "the run ended while this test ran"
_WEIGHT = ("passed", "skipped", "error", "failed")


@dataclass(frozen=True, slots=True)
class RanTest:
    """One test on one board.

    ``result``: passed, failed, error (nothing was proved) or skipped. A refusal by the product counts as failed
    wherever it was raised; a test that was skipped because its board was out, as an error.
    ``phase``: of pytest, where it went wrong. ``decisive``: action, policy, wanted and got of the trial that failed.
    ``out``: why the board is out, where this test found that. ``board_out``: the test was not run because of it.
    ``reruns``: how often another plug-in ran it again, ``first_failure``: why at first; the last time counts.
    """

    test: str
    board: str
    key: str
    result: str = "passed"
    seconds: float = 0.0
    began: str = ""
    phase: str = ""
    message: str = ""
    raised: str = ""
    party: str = ""
    decisive: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    out: str = ""
    board_out: bool = False
    reruns: int = 0
    first_failure: str = ""

    @property
    def attempts(self) -> int:
        """How often it was run, or the most attempts that a trial of it took."""
        numbers = [int(part) for part in self.properties.get("attempts", "1").split(", ") if part.isdecimal()]
        return max([*numbers, self.reruns + 1])

    @property
    def verdicts(self) -> str:
        """The verdicts of its trials."""
        return self.properties.get("verdict", "")

    @property
    def expected(self) -> str:
        """What the failed trial should have shown; empty where none failed."""
        return " or ".join(self.decisive.get("wanted", ()))

    @property
    def got(self) -> str:
        """What it showed."""
        return str(self.decisive.get("got", ""))


def ran_tests(journal: Sequence[Mapping[str, Any]]) -> list[RanTest]:
    """Return the tests that began, in order. ``journal``: its lines."""
    begun: dict[str, list[Mapping[str, Any]]] = {}
    boards: dict[str, str] = dict(journal[0].get("tests", {})) if journal else {}
    for line in journal:
        if line.get("k") in ("begin", "phase"):
            phases = begun.setdefault(str(line["test"]), [])
            if line["k"] == "phase":
                phases.append(line)
    ended = any(line.get("k") == "end" and not line.get("interrupted") for line in journal)
    tests = (ran_test(test, boards.get(test, ""), phases, ended=ended) for test, phases in begun.items())
    taken_back = overturned_in(journal)
    return [_overturned(test, taken_back[test.test]) if test.test in taken_back else test for test in tests]


def overturned_in(journal: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the tests whose results the run as a whole took back, each with the reason."""
    return {str(line["test"]): str(line["message"]) for line in journal if line.get("k") == "overturned"}


def _overturned(test: RanTest, message: str) -> RanTest:
    properties = {**test.properties, "verdict": NOTHING_PROVED}
    found = replace(test, result="error", phase="call", message=message, raised="Overturned", party=Party.LAB)
    return replace(found, decisive={}, properties=properties)


def ran_test(test: str, board: str, phases: Sequence[Mapping[str, Any]], *, ended: bool) -> RanTest:
    """Return what became of ``test`` on ``board``.

    ``phases``: its lines in the journal, in order. ``ended``: the run has ended, so no more lines will come.
    """
    *before, phases = attempts_of(phases)
    again = [phase for attempt in before for phase in attempt if phase.get("rerun")]
    results = [_result(phase, board) for phase in phases]
    complete = any(phase["phase"] == "teardown" or phase.get("crashed") for phase in phases)
    worst = max(range(len(phases)), key=lambda i: _WEIGHT.index(results[i]), default=None)
    result = "passed" if worst is None else results[worst]
    found: Mapping[str, Any] = {} if worst is None or result == "passed" else phases[worst]
    message = str(found.get("message", ""))
    if not complete and not ended and _WEIGHT.index(result) < _WEIGHT.index("error"):
        result, message, found = "error", KILLED, {"party": Party.LAB}
    return RanTest(
        test=test,
        board=board,
        key=next((str(phase["key"]) for phase in phases if "key" in phase), "") or key_of(test, board),
        result=result,
        seconds=round(sum(float(phase.get("seconds", 0.0)) for phase in phases), 3),
        began=str(phases[0].get("at", "")) if phases else "",
        phase=str(found.get("phase", "")),
        message=message,
        raised=str(found.get("raised", "")),
        party=str(found.get("party", "")) or (_party(found) if result in ("failed", "error") else ""),
        decisive=found.get("decisive") or {},
        properties=_properties(phases),
        out=next((str(phase["out"]) for phase in phases if phase.get("out")), ""),
        board_out=any(is_out(phase, board) for phase in phases),
        reruns=len(before),
        first_failure=str(again[0].get("message", "")) if again else "",
    )


def attempts_of(phases: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Return the phases of each time that a test was run; pytest-rerunfailures runs one that failed again."""
    attempts: list[list[Mapping[str, Any]]] = [[]]
    for phase in phases:
        if phase.get("phase") == "setup" and runs_again(attempts[-1]):
            attempts.append([])
        attempts[-1].append(phase)
    return attempts


def runs_again(phases: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a test that ended so is to be run again."""
    return any(phase.get("rerun") for phase in phases)


def _result(phase: Mapping[str, Any], board: str) -> str:
    result = str(phase.get("result", "passed"))
    if is_refusal(phase):
        return "failed"
    if is_out(phase, board):
        return "error"
    return result if result in _WEIGHT else "error"


def is_refusal(phase: Mapping[str, Any]) -> bool:
    """Tell whether the product said no in a phase: a failure also where pytest calls it an error, as in a set-up."""
    return phase.get("branch") == "Refusal"


def is_out(phase: Mapping[str, Any], board: str) -> bool:
    """Tell whether a test was not run because its board is out: that is an error, which pytest counts as skipped."""
    # The plug-in's own words for a skip whose reason is the board.
    skipped = phase.get("result") == "skipped"
    return bool(board) and skipped and str(phase.get("message", "")).startswith(f"{board} is out: ")


def _party(phase: Mapping[str, Any]) -> str:
    return Party.LAB if phase.get("crashed") else Party.UNCLEAR


def _properties(phases: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {name: str(value) for phase in phases for name, value in (phase.get("properties") or {}).items()}
