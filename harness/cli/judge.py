"""``nrf91-harness judge``: judges the trials of a run again, from its files, with no board and no cloud."""

from collections.abc import Sequence
from typing import Any

from harness.cli.arguments import Arguments
from harness.cli.exit_codes import OK, REFUSED
from harness.cli.progress import Progress
from harness.cli.result import Result
from harness.errors import Misuse
from harness.report.recorded_verdicts import JudgedTest, judge_run
from harness.report.timeline_faults import BY_HAND_OR_DISK, lost_in_words
from harness.trial.judge import VERSION
from harness.trial.rejudge import Rejudged


def judge(given: Arguments, progress: Progress) -> Result:
    """Judge every trial of the run by today's rules and compare with what was recorded.

    A difference, a missing verdict or test, or a file that somebody has edited counts as refused.

    What the run as a whole overturns is listed too. Raises Misuse if the run has no trial.
    """
    run = judge_run(given.run, given.test)
    for note in run.notes:
        progress(note)
    differing = sum(len(test.differing) for test in run.tests)
    lines = [line for test in run.tests for line in _lines(test)] + [f"edited  {line}" for line in run.edited]
    lines += [f"lost    {test}: in the journal, and not in the timeline" for test in run.lost]
    number = sum(len(test.verdicts) for test in run.tests)
    missing = sum(len(test.missing) for test in run.tests)
    if not number and not missing and not run.lost:
        which = f"no test with {given.test!r} in its id" if given.test else "no test of it"
        raise Misuse(f"{given.run}: {which} has a trial, so there is nothing to judge; name a run with verdicts")
    kept = [verdict.kept for test in run.tests for verdict in test.verdicts if verdict.kept]
    older, newer = [one for one in kept if one < VERSION], [one for one in kept if one > VERSION]
    found = (
        f"{differing} {'differs' if differing == 1 else 'differ'} from what was recorded"
        if differing
        else "all as they were recorded"
    )
    if older:
        found += f"; {_by(older)}, whose experiments had other plans: they were not judged again"
    if newer:
        found += f"; {_by(newer)}, newer than this harness's judge {VERSION}: they were not judged again;"
        found += " use the harness that recorded them"
    if missing:
        found += f"; {missing} missing: {BY_HAND_OR_DISK}"
    if run.lost:
        found += f"; {lost_in_words(run.lost)}"
    lines.append(f"{_count(number, 'verdict')} of {_count(len(run.tests), 'test')}: {found}")
    lines += [f"{one.test}: {one}" for one in run.overturned]
    data: dict[str, Any] = {
        "run": str(given.run),
        "differing": differing,
        "missing": missing,
        "older": len(older),
        "newer": len(newer),
        "edited": list(run.edited),
        "lost": list(run.lost),
        "notes": list(run.notes),
    }
    data["overturned"] = [
        {"test": one.test, "action": one.verdict.action, "outcome": one.verdict.outcome, "because": one.because}
        for one in run.overturned
    ]
    data["tests"] = [
        {
            "board": test.board,
            "test": test.test,
            "verdicts": [_describe(one) for one in test.verdicts],
            "missing": list(test.missing),
        }
        for test in run.tests
    ]
    return Result(data, lines, REFUSED if differing or missing or run.edited or run.lost else OK)


def _lines(test: JudgedTest) -> list[str]:
    outcomes = ", ".join(verdict.anew.outcome for verdict in test.verdicts) or "no verdict"
    kept = bool(test.verdicts) and all(verdict.kept for verdict in test.verdicts)
    word = "differs" if test.differing else "missing" if test.missing else "kept" if kept else "same"
    lines = [f"{word:<8}{test.test}: {outcomes}"]
    lines += [f"        missing   {action}: its verdict is not in the timeline" for action in test.missing]
    for verdict in test.differing:
        recorded, now = _from_difference(verdict.evidence, verdict.anew.evidence)
        lines.append(f"        recorded  {verdict.action}: {verdict.outcome}. {recorded}")
        lines.append(f"        now       {verdict.action}: {verdict.anew.outcome}. {now}")
    return lines


def _by(versions: Sequence[int]) -> str:
    """Return how many verdicts are of which versions of the judge."""
    return f"{len(versions)} are of judge {' and '.join(map(str, sorted(set(versions))))}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _from_difference(one: str, other: str) -> tuple[str, str]:
    """Return both from the sentence on in which they first differ; the whole where nothing differs."""
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    start = 0 if one == other else one.rfind(". ", 0, same) + 1
    return (f"…{one[start:]}", f"…{other[start:]}") if start else (one, other)


def _describe(verdict: Rejudged) -> dict[str, Any]:
    return {
        "action": verdict.action,
        "attempts": verdict.attempt,
        "same": verdict.same,
        "older": verdict.kept if verdict.kept < VERSION else 0,
        "newer": verdict.kept if verdict.kept > VERSION else 0,
        "outcome": verdict.anew.outcome,
        "evidence": verdict.anew.evidence,
        "sentences": [sentence.as_data() for sentence in verdict.anew.sentences],
        "recorded": {"outcome": verdict.outcome, "evidence": verdict.evidence},
    }
