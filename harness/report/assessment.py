"""What a run says in the morning: the headline, its causes, its boards. Pure: from summaries alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.errors import Party
from harness.report.blame import PARTIES
from harness.report.causes import CLOUD_LOST, FailureCause
from harness.report.history import HistoryEntry, ResultState, RunHistory, Standing, standings
from harness.report.run_summary import BoardResult, RunSummary

_AGES = {ResultState.NEW: "new ", ResultState.FIRST: "", ResultState.STILL: "older ", ResultState.FLAKY: ""}


@dataclass(frozen=True, slots=True)
class CauseRow:
    """One cause in a run. ``results``: its tests; ``state``: new, first, still, flaky or lab; ``since``: in words."""

    cause: FailureCause
    results: Sequence[BoardResult]
    state: str
    since: str

    @property
    def failed(self) -> bool:
        """True if it made tests fail; otherwise it kept them from being proved."""
        return any(one.result == "failed" for one in self.results)

    @property
    def boards(self) -> list[str]:
        """Where it was met."""
        return list(dict.fromkeys(one.board for one in self.results if one.board))


@dataclass(frozen=True, slots=True)
class Assessment:
    """A run in the light of those before it. ``standings``: by board and key."""

    run: RunSummary
    before: Sequence[RunSummary]
    headline: str
    causes: Sequence[CauseRow]
    standings: Mapping[tuple[str, str], Standing]

    @property
    def blame(self) -> Counter[str]:
        """How many tests point at each party."""
        return Counter(row.cause.party for row in self.causes for _ in row.results)

    def in_state(self, *states: ResultState) -> list[BoardResult]:
        """Return the tests that stand so."""
        return [one for one in self.run.results if self.standings[one.board, one.key].state in states]


def assess(runs: Sequence[RunSummary], ledger: RunHistory | None = None) -> Assessment:
    """Return what the last of ``runs`` says; the others came before it. ``ledger``: of them, where there is one."""
    run, before = runs[-1], [one for one in runs[:-1] if one.lab == runs[-1].lab]
    found = standings([*before, run]) if ledger is None else ledger.standings()
    rows = _rows(run, before, found)
    return Assessment(run, before, _headline(run, before, rows, found), rows, found)


def causes_at(ledger: RunHistory, position: int) -> list[CauseRow]:
    """Return the causes of the run at ``position``."""
    run = ledger.runs[position]
    before = [one for one in ledger.runs[:position] if one.lab == run.lab]
    return _rows(run, before, ledger.standings(position, bad_only=True))


def board_history(assessment: Assessment, board: str, window: int) -> list[tuple[str, str]]:
    """Return (run, state) of the last ``window`` runs of ``board``, up to ``assessment``'s.

    A state is red, amber or green.
    """
    runs = [*assessment.before, assessment.run]
    return [(run.run, run.board_state(board)) for run in runs if board in run.boards][-window:]


def listing(words: Sequence[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 2 else words)


def plural(number: int, word: str, words: str = "") -> str:
    """Return ``1 test``, ``1,240 tests``. ``number``, ``word``: those. ``words``: the plural, None: ``word`` with s."""
    return f"{number:,} {word if number == 1 else words or word + 's'}"


def counts(results: Mapping[str, int]) -> str:
    """Return counted results in words: ``3 passed, 1 error``."""
    return ", ".join(
        f"{results[name]} {name}{'s' if name == 'error' and results[name] > 1 else ''}"
        for name in ("passed", "failed", "error", "skipped")
        if results.get(name)
    )


def _rows(run: RunSummary, before: Sequence[RunSummary], found: Mapping[tuple[str, str], Standing]) -> list[CauseRow]:
    rows = [_row(cause, run, before, found) for cause in run.causes]
    return sorted((row for row in rows if row.results), key=_place)


def _row(
    cause: FailureCause, run: RunSummary, before: Sequence[RunSummary], found: Mapping[tuple[str, str], Standing]
) -> CauseRow:
    results = [one for one in run.results if one.cause == cause.hash]
    standing = [found[one.board, one.key] for one in results if one.result == "failed"]
    if not standing:
        also = [
            old.run for old in before if any(old.boards[one.board].out for one in results if one.board in old.boards)
        ]
        return CauseRow(cause, results, "lab", _also(also))
    states = Counter(one.state for one in standing)
    if states[ResultState.STILL]:
        oldest = max((one for one in standing if one.state is ResultState.STILL), key=lambda one: one.streak)
        fresh = states[ResultState.NEW] + states[ResultState.FIRST]
        more = f"; {fresh} of them new" if fresh else ""
        since = f"since {short_run(oldest.since)} ({plural(oldest.streak, 'run')}){more}"
        return CauseRow(cause, results, "still", since)
    if states[ResultState.FLAKY] * 2 >= len(standing):
        return CauseRow(cause, results, "flaky", "comes and goes")
    if states[ResultState.NEW]:
        return CauseRow(cause, results, "new", "new in this run")
    return CauseRow(cause, results, "first", "new: never proved before" if before else "new: no run before")


def _also(runs: Sequence[str]) -> str:
    if not runs:
        return "new in this run"
    return f"also in {listing([short_run(run) for run in runs[-2:]])}" + (
        f" and {plural(len(runs) - 2, 'run')} before" if len(runs) > 2 else ""
    )


def short_run(run: str) -> str:
    """Return a run's id as a reader says it: ``27 Nov 02:00`` of ``20261127T020000Z-4711``."""
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    date, clock = run[:8], run[9:13]
    if not (date.isdecimal() and clock.isdecimal() and run[8:9] == "T" and 1 <= int(date[4:6]) <= 12):
        return run
    return f"{int(date[6:])} {months[int(date[4:6]) - 1]} {clock[:2]}:{clock[2:]}"


def _place(row: CauseRow) -> tuple[int, int, int]:
    order = [*PARTIES]
    party = order.index(Party(row.cause.party)) if row.cause.party in order else len(order)
    return party, ("new", "first", "still", "flaky", "lab").index(row.state), -len(row.results)


def _headline(
    run: RunSummary,
    before: Sequence[RunSummary],
    rows: Sequence[CauseRow],
    found: Mapping[tuple[str, str], Standing],
) -> str:
    parties = {row.cause.hash: row.cause.party for row in rows}
    causes: dict[tuple[str, str], list[str]] = {}
    for one in run.results:
        if one.result == "failed":
            age = found[one.board, one.key].state
            said = "new" if age is ResultState.FIRST and before else age
            causes.setdefault((parties.get(one.cause, Party.UNCLEAR), said), []).append(one.cause)
    parts = [
        _failures(causes.get((party, age), ()), age, party)
        for age in ("new", "first", "still", "flaky")
        for party in PARTIES
    ]
    failures = "; ".join(part for part in parts if part)
    without_cloud = {row.cause.hash for row in rows if row.cause.title == CLOUD_LOST}
    cut_off = {one.board for one in run.results if one.cause in without_cloud}
    lost = [board for board, about in run.boards.items() if about.out and board not in cut_off]
    gone = f"{listing(lost)} {'was' if len(lost) == 1 else 'were'} lost" if lost else ""
    gone = "; ".join(part for part in (gone, CLOUD_LOST[0].lower() + CLOUD_LOST[1:] if cut_off else "") if part)
    unproved = run.counts["error"]
    sentences = [failures] if failures else []
    if not failures and unproved:
        sentences.append(
            f"Nothing failed, but {plural(unproved, 'test')} proved nothing" + (f": {gone}" if gone else "")
        )
    elif gone:
        sentences.append(gone)
    elif unproved:
        sentences.append(f"{plural(unproved, 'test')} proved nothing")
    if run.interrupted or (run.not_run and not run.going_on):
        sentences.append(_unfinished(run))
    if not sentences:
        sentences.append(_green(run, found))
    if failures and not before:
        sentences.append("There is no earlier run to compare with")
    text = ". ".join(one if lost and one == gone else one[:1].upper() + one[1:] for one in sentences) + "."
    return f"So far: {text}" if run.going_on else text


def _failures(causes: Sequence[str], age: str, party: str) -> str:
    """Return how many there are, with the number of their causes where that is not one. ``causes``: one a failure."""
    number, different = len(causes), len(set(causes))
    if not number:
        return ""
    word = "failure" if number == 1 else "failures" if different == 1 else f"failures of {different} causes"
    if age == ResultState.FLAKY:
        verb = "comes and goes" if number == 1 else "come and go"
        return f"{number} {word} that {verb} {'points' if number == 1 else 'point'} at {PARTIES[Party(party)]}"
    return f"{number} {_AGES[ResultState(age)]}{word} {'points' if number == 1 else 'point'} at {PARTIES[Party(party)]}"


def _unfinished(run: RunSummary) -> str:
    if run.interrupted.startswith("interrupted by "):  # the plug-in's words for Ctrl-C and SIGTERM
        why = f"the run was {run.interrupted}"
    else:
        why = f"the run was interrupted ({run.interrupted})" if run.interrupted else "the run ended early"
    return f"{why}: {plural(run.not_run, 'test was', 'tests were')} not run" if run.not_run else why


def _green(run: RunSummary, found: Mapping[tuple[str, str], Standing]) -> str:
    passed = run.counts["passed"]
    if not passed:
        return "Nothing was tested: no test passed, and none failed"
    fixed = sum(one.state is ResultState.FIXED for one in found.values())
    said = f"All {passed} tests" if passed > 1 else "The one test"
    return f"{said} passed" + (f"; {fixed} of them did not before" if fixed else "")


def letters(entries: Sequence[HistoryEntry]) -> str:
    """Return a sign for each result: ✓ passed, ✕ failed, ! not proved, – skipped."""
    return "".join({"passed": "✓", "failed": "✕", "error": "!"}.get(entry.result, "–") for entry in entries)
