"""Whether the timeline files of a run and its journal belong together: files of other runs, and tests that are gone.

The harness writes a journal before the first timeline, names each file after its board, and ends a test in the
timeline before the journal has its teardown. Files that do not fit that were changed by somebody.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from harness.report.run_folder import timeline_name
from harness.timeline import Recording

_BY_HAND: Final = "were the files edited by hand?"


def foreign_files(journal_file: Path, journal: Sequence[Mapping[str, Any]], files: Sequence[Recording]) -> list[str]:
    """Return a line for each file that is of another run or board than its place says, and for a journal that is gone.

    A copy of another file is in the wrong place, too: what is in both would count twice.

    ``journal_file``: where the journal belongs; ``journal``: its lines, none where it cannot be read;
    ``files``: the timelines.
    """
    if not journal:
        return [f"{journal_file}: no journal of a run, so tests may be gone from the timeline; {_BY_HAND}"]
    run, copies = str(journal[0].get("run")), _copies(files)
    return [
        f"{file.path}:1: {why}; {_BY_HAND}"
        for place, file in enumerate(files)
        for why in list(_foreign(file, run)) or filter(None, [copies.get(place)])
    ]


def lost_tests(
    journal: Sequence[Mapping[str, Any]], files: Sequence[Recording], wanted: str | None = None
) -> list[str]:
    """Return the tests that the journal saw end on a board, and that this board's timeline does not have.

    ``journal``: its lines. ``files``: the timelines. ``wanted``: only tests with this in the id.
    """
    planned: Mapping[str, str] = journal[0].get("tests", {}) if journal else {}
    there = {(file.header.get("board"), test.id) for file in files for test in file.tests.values()}
    ended = dict.fromkeys(
        str(line.get("test"))
        for line in journal
        # With a key it is the harness's own line: the test had a window on the board's timeline.
        if line.get("k") == "phase" and line.get("phase") == "teardown" and "key" in line
    )
    return [
        test
        for test in ended
        if planned.get(test) and (planned[test], test) not in there and (wanted is None or wanted in test)
    ]


def _copies(files: Sequence[Recording]) -> dict[int, str]:
    """Return the files with a test that began at the same microsecond in one before it, by place, each with why."""
    began: dict[tuple[str, float], Recording] = {}
    found: dict[int, str] = {}
    for place, file in enumerate(files):
        for test in file.tests.values():
            first = began.setdefault((test.id, test.events[0].t), file)
            if first is not file:
                found[place] = f"it has {test.id} of the same time as {first.path.name}: one is a copy of the other"
    return found


def _foreign(file: Recording, run: str) -> Iterator[str]:
    said, board = file.header.get("run"), file.header.get("board")
    if said != run:
        yield f"a file of run {said}, and the journal beside it is of run {run}"
    stem = re.escape(timeline_name(str(board)).removesuffix(".jsonl"))
    if not re.fullmatch(rf"{stem}(\.\d+)?\.jsonl(\.gz)?", file.path.name):  # a board's second file is board.2.jsonl
        yield f"a file of board {board}, under another name"
