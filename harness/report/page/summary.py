"""summary.md: the morning's answer in Markdown, for the page of a CI job."""

import html
import re

from harness.report.assessment import Assessment, plural
from harness.report.blame import PARTIES
from harness.report.history import ResultState
from harness.report.page.words import span, visible

STATES = {"red": "RED", "amber": "NOT PROVED", "green": "GREEN"}
_MARKED = re.compile(r"([\\`*_{}\[\]()#+!|~])")


def summary_text(assessment: Assessment) -> str:
    """Return the summary of a run."""
    run = assessment.run
    counts = run.counts
    told = [f"{counts[name]} {word}" for name, word in (("failed", "failed"), ("error", "not proved")) if counts[name]]
    told += [f"{counts['passed']} passed", f"{counts['skipped']} skipped"]
    told += [
        f"{len(found)} {word}"
        for word, state in (("fixed", ResultState.FIXED), ("flaky", ResultState.FLAKY))
        if (found := assessment.in_state(state))
    ]
    lines = [
        f"## {STATES[run.state]}: {_text(assessment.headline)}",
        "",
        f"{', '.join(told)}; took {span(run.seconds)}",
        "",
    ]
    if assessment.causes:
        lines += ["| tests | points at | what | boards | since |", "|---:|---|---|---|---|"]
        for row in assessment.causes:
            what = _text(row.cause.title) + (f"<br>{_text(row.cause.detail)}" if row.cause.detail else "")
            boards = _text(", ".join(row.boards))
            lines.append(f"| {len(row.results)} | {_party(row.cause.party)} | {what} | {boards} | {_text(row.since)} |")
        lines.append("")
    lines += ["| board | state | failed | not proved | passed | skipped |", "|---|---|---:|---:|---:|---:|"]
    for board in run.boards:
        mine = [one.result for one in run.results if one.board == board]
        numbers = " | ".join(str(mine.count(name)) for name in ("failed", "error", "passed", "skipped"))
        lines.append(f"| {_text(board)} | {STATES[run.board_state(board)].lower()} | {numbers} |")
    lines += ["", f"`report.html` of run {_text(run.run)} has the evidence of {plural(len(run.results), 'test')}.", ""]
    return "\n".join(lines)


def _party(party: str) -> str:
    return next((words for one, words in PARTIES.items() if one == party), _text(party))


def _text(text: str) -> str:
    """Return text that Markdown and HTML take as it is, in one line."""
    shown = html.escape(visible(text).replace("\n", " "), quote=False)
    return _MARKED.sub(r"\\\1", shown)
