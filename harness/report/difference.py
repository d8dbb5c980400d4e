"""What differs between two runs: pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.report.run_summary import RunSummary

_WORDS = {"passed": "passed", "failed": "failed", "error": "not proved", "skipped": "skipped", "": "not there"}


@dataclass(frozen=True, slots=True)
class ResultDifference:
    """A test on a board whose result is another one. ``was``, ``now``: in words; ``cause``: of the second."""

    board: str
    key: str
    was: str
    now: str
    cause: str = ""


def differences(one: RunSummary, other: RunSummary) -> list[ResultDifference]:
    """Return the tests with other results in ``other``: what fails now first, then what is not proved."""
    before = {(test.board, test.key): test.result for test in one.results}
    after = {(test.board, test.key): test for test in other.results}
    titles = {cause.hash: cause.title for cause in other.causes}
    found: list[tuple[int, ResultDifference]] = []
    for board, key in dict.fromkeys([*after, *before]):
        was, test = before.get((board, key), ""), after.get((board, key))
        now = "" if test is None else test.result
        if was != now:
            cause = "" if test is None else titles.get(test.cause, "")
            weight = ("failed", "error", "passed", "skipped", "").index(now)
            found.append((weight, ResultDifference(board, key, _WORDS[was], _WORDS[now], cause)))
    return [difference for _, difference in sorted(found, key=lambda pair: pair[0])]


def lines(found: Sequence[ResultDifference]) -> list[str]:
    """Return a line for each."""
    width = max((len(f"{one.was} -> {one.now}") for one in found), default=0)
    return [
        f"{one.was + ' -> ' + one.now:<{width}}  {one.board or '-'}  {one.key}"
        + (f": {one.cause}" if one.cause else "")
        for one in found
    ]
