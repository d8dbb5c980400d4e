"""What is known of a run while it goes on: what is planned, what runs, what came out; on one process or on many.

Fed with plain values, because they come from worker processes; written through to the journal.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.report.cases import NOTHING_PROVED, CaseRecord
from harness.report.journal import RunJournal
from harness.report.ran_tests import is_out, is_refusal
from harness.report.run_folder import short_name

_WORSE = ("passed", "skipped", "failed", "error")


@dataclass(slots=True)
class BoardProgress:
    """One board in a run. ``out``: why nothing more could be done with it.

    ``results``: a test that was not run because the board is out is an error, as on the page.
    """

    name: str
    planned: int = 0
    done: int = 0
    running: str = ""
    results: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    out: str = ""

    @property
    def complete(self) -> bool:
        """All of the board's tests have ended."""
        return self.done >= self.planned


class RunRecord:
    """Takes note of every test's begin and of each of its phases. ``journal``: OSError on a full disk.

    ``kept``: a line for each failure that stays, although the run as a whole took the verdict of its trial back.
    """

    def __init__(self, run: str, journal: RunJournal) -> None:
        self.run = run
        self.planned: dict[str, str] = {}  # test to board
        self.boards: dict[str, BoardProgress] = {}
        self.cases: dict[str, CaseRecord] = {}
        self.kept: list[str] = []
        self._journal = journal
        self._begun: dict[str, None] = {}
        self._ended: set[str] = set()
        self._out: set[str] = set()  # tests that were not run because their board is out
        self._again: set[str] = set()  # tests that another plug-in is about to run again
        self._trials: dict[str, Mapping[str, Any]] = {}  # as harness.trial.verdict_record has them

    def plan(self, planned: Mapping[str, str], about: Mapping[str, Any] | None = None) -> None:
        """Take note of what will be run: test to board, "" for none. Once, before any test begins.

        ``about``: what the journal says of the run besides.
        """
        self.planned = dict(planned)
        for board, number in Counter(planned.values()).items():
            if board:
                self.boards[board] = BoardProgress(board, number)
        self._journal.begin(self.run, planned, about or {})

    def begin(self, test: str) -> None:
        """Take note that a test begins."""
        self._begun[test] = None
        board = self.planned.get(test, "")
        if board in self.boards:
            self.boards[board].running = short_name(test)
        self._journal.write("begin", test=test, board=board)

    def phase(self, test: str, fields: Mapping[str, Any]) -> None:
        """Take note of a phase that ended: ``phase``, ``result``, ``seconds``, ``message``, ``properties``, ...

        ``crashed`` True: the process that ran the test has died, so no further phase will come.
        """
        board = self.planned.get(test, "")
        case = self.cases.setdefault(test, CaseRecord(board, short_name(test)))
        result = "failed" if is_refusal(fields) else str(fields["result"])
        case.seconds += float(fields.get("seconds", 0.0))
        case.properties |= fields.get("properties") or {}  # evidence is in the call alone
        # A failure after which another plug-in runs the test again is not its result.
        case.result = "passed" if fields.get("rerun") else max(case.result, result, key=_WORSE.index)
        progress = self.boards.get(board)
        if is_out(fields, board):
            self._out.add(test)
        if progress is not None and fields.get("out"):
            progress.out = _when_out(str(fields["out"]), progress)
        if fields["phase"] == "setup":
            self._again.discard(test)
            self._trials.pop(test, None)
        if "trials" in fields:
            self._trials[test] = fields["trials"]
        if fields.get("rerun"):
            self._again.add(test)
        if (fields["phase"] == "teardown" and test not in self._again) or fields.get("crashed"):
            self._end(test, case, progress)
        self._journal.write("phase", **{"test": test, "board": board, **fields})

    def overturn(self) -> dict[str, str]:
        """Let the run as a whole overturn verdicts: those tests are errors then. Return them, each with the reason.

        A test that failed although its verdict was the expected one, failed of something else: it stays failed.
        """
        if not self._trials:
            return {}
        from harness.trial.run_rules import overturned  # imported here: a run without trials does not need it
        from harness.trial.verdict_record import TestRecord

        found: dict[str, str] = {}
        for board in self.boards:
            mine = {
                test: TestRecord.of(data) for test, data in dict(self._trials).items() if self.planned[test] == board
            }
            for one in overturned(mine):
                case = self.cases[one.test]
                if case.result not in ("passed", "failed"):
                    continue
                if case.result == "failed" and not one.failed_its_test:
                    self.kept.append(f"{one.test} stays failed: something else failed it. {one}")
                    self.note(self.kept[-1])
                    continue
                self.boards[board].results[case.result] -= 1
                self.boards[board].results["error"] += 1
                case.result, found[one.test] = "error", str(one)
                case.properties["verdict"] = NOTHING_PROVED
                self._journal.write("overturned", test=one.test, board=board, message=str(one))
        return found

    def note(self, text: str) -> None:
        """Write down what a reader of the run should know besides its tests."""
        self._journal.write("note", text=text)

    def finish(self, interrupted: str) -> None:
        """Write the journal's last line. ``interrupted``: by what, "" for a run that ended by itself.

        A test that was cut off is an error, whatever its phases so far were: nothing was proved.
        """
        for test in self.running if interrupted else ():
            case = self.cases.setdefault(test, CaseRecord(self.planned.get(test, ""), short_name(test)))
            if case.result in ("passed", "skipped"):
                case.result = "error"
        counts = Counter(case.result for case in self.cases.values())
        self._journal.write("end", interrupted=interrupted, ended=dict(counts), not_run=len(self.not_run))

    @property
    def running(self) -> list[str]:
        """The tests that have begun and not ended."""
        return [test for test in self._begun if test not in self._ended]

    @property
    def not_run(self) -> list[str]:
        """The planned tests that never began."""
        return [test for test in self.planned if test not in self._begun]

    def _end(self, test: str, case: CaseRecord, progress: BoardProgress | None) -> None:
        self._ended.add(test)
        if progress is not None:
            progress.done += 1
            progress.running = ""
            progress.results["error" if test in self._out else case.result] += 1
            progress.seconds += case.seconds


def _when_out(cause: str, board: BoardProgress) -> str:
    number = board.done - board.results["skipped"]
    when = "before its first test" if not number else f"after {number} {'test' if number == 1 else 'tests'}"
    return f"out {when}: {cause.removeprefix(f'{board.name}: ')}"
