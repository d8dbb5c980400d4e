"""Results and verdicts on which a run's timeline and its journal contradict each other: edited by hand."""

import json

import pytest

from harness.report.journal import RunJournal
from harness.report.timeline_faults import timeline_faults
from harness.timeline import Kind, Timeline, TimelineFile

ONE, BROKEN = "test_a.py::test_one[dk]", "test_a.py::test_broken[dk]"
FORBIDDEN, TWICE = "policy disconnect", "acknowledged, then hung up on"
WRONG = {"error": "WrongVerdict", "branch": "Refusal", "party": "cloud"}


class Written:
    """A run's files, written as the harness does. ``board``: its timeline."""

    def __init__(self, folder):
        self.folder, self.board = folder, Timeline()
        self.journal = RunJournal(folder / "journal.jsonl")
        self.journal.begin("r", {ONE: "dk", BROKEN: "dk"}, {})
        self.file = TimelineFile(folder / "timeline" / "dk.jsonl", {"run": "r", "board": "dk"})

    def test(self, test, *outcomes, ended="passed", **error):
        """A test on the board, with the verdicts of its trials; the first trial is a group's."""
        with self.board.sink(self.file):
            event = self.board.add(Kind.TEST, "pytest", test, key="k", mono=0.0)
            for trial, outcome in enumerate(("inconclusive", *outcomes)):
                about = {"trial": trial, "attempt": 1, "sort": "packet" if trial else "group"}
                self.board.add(Kind.PHASE, "trial", "x", **about, name="attempt", on="begin")
                self.board.add(Kind.FACTS, "trial", "x", trial=trial, attempt=1, judge=7, outcome=outcome)
            self.board.add(Kind.END, "pytest", ended, result=ended, **error)
        return event

    def phases(self, test, verdict="", *, call="passed", parts=("setup", "call", "teardown"), **more):
        """The test's lines of the journal."""
        for phase in parts:
            told = {"result": call, "properties": {"verdict": verdict} if verdict else {}, **more}
            said = told if phase == "call" else {"result": "passed", "properties": {}}
            self.journal.write("phase", test=test, board="dk", key="k", phase=phase, **said)

    @property
    def faults(self):
        self.journal.write("end", interrupted="", ended={}, not_run=0)
        self.file.close()
        return timeline_faults(self.folder, "not read", "the rest is read")


@pytest.fixture
def written(tmp_path):
    return Written(tmp_path)


def edit(run, name, old, new):
    """Replace the first ``old`` of a file, as a hand would."""
    path = run.folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def two_tests(run):
    run.test(ONE, FORBIDDEN, TWICE)
    run.phases(ONE, f"{FORBIDDEN}, {TWICE}", expected=[])
    run.test(BROKEN, "tolerated", ended="failed", **WRONG)
    error = {"raised": "WrongVerdict", "branch": "Refusal", "party": "cloud"}
    run.phases(BROKEN, "tolerated", call="failed", expected=[], **error)


def test_files_as_the_harness_wrote_them_contradict_nothing(written):
    two_tests(written)
    assert written.faults == []


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "timeline/dk.jsonl",
            '"x":"passed","result":"passed"',
            '"x":"failed","result":"failed"',
            "ended 'failed', and",
        ),
        ("timeline/dk.jsonl", '"result":"passed"', '"result":"failed"', "ended 'passed' is said of result='failed'"),
        ("timeline/dk.jsonl", '"x":"failed","result":"failed"', '"x":"passed","result":"passed"', "journal 'failed' ("),
        ("timeline/dk.jsonl", '"party":"cloud"', '"party":"lab"', "Refusal, lab), and in the journal 'failed' (Wrong"),
        ("timeline/dk.jsonl", f'"outcome":"{FORBIDDEN}"', '"outcome":"ignored"', f"are: ignored, {TWICE}; and in the"),
        ("journal.jsonl", '"call", "result": "passed"', '"call", "result": "failed"', "and in the journal 'failed'"),
        ("journal.jsonl", '"call", "result": "failed"', '"call", "result": "passed"', "and in the journal 'passed'"),
        ("journal.jsonl", '"teardown", "result": "passed"', '"teardown", "result": "error"', "in the journal 'error'"),
        (
            "journal.jsonl",
            '"branch": "Refusal"',
            '"branch": "LabError"',
            "and in the journal 'failed' (WrongVerdict, Lab",
        ),
        ("journal.jsonl", f'"verdict": "{FORBIDDEN}', '"verdict": "tolerated', f"in the journal: tolerated, {TWICE}"),
        ("journal.jsonl", f", {TWICE}", f", {TWICE}, {TWICE}", f"in the journal: {FORBIDDEN}, {TWICE}, {TWICE}"),
        ("journal.jsonl", f"{FORBIDDEN}, {TWICE}", f"{TWICE}, {FORBIDDEN}", f"in the journal: {TWICE}, {FORBIDDEN}"),
        ("journal.jsonl", '"verdict": "tolerated"', '"verdict": "fine"', "are: tolerated; and in the journal: fine"),
    ],
)
def test_one_edit_in_either_file_is_one_line(written, name, old, new, said):
    two_tests(written)
    edit(written, name, old, new)
    (line,) = written.faults
    assert said in line
    assert line.startswith(f"{written.folder}/timeline/dk.jsonl:")
    assert line.endswith("; was one of the two edited by hand?")
    lines = (written.folder / "timeline" / "dk.jsonl").read_text().splitlines()
    named = json.loads(lines[int(line.split(":")[1]) - 1])
    assert named["k"] == ("test" if "verdicts" in line else "end")
    assert (ONE if BROKEN not in line else BROKEN) in line


def test_what_a_test_says_of_itself_stands_between_its_verdicts(written):
    written.test(ONE, FORBIDDEN, TWICE)
    written.phases(ONE, f"verified, {FORBIDDEN}, verified, verified, {TWICE}, verified", expected=[])
    assert written.faults == []


def test_a_trial_of_the_teardown_or_without_a_record_is_in_the_timeline_alone(written):
    written.test(ONE, "tolerated", FORBIDDEN, "tolerated")
    written.phases(ONE, FORBIDDEN, expected=[])
    assert written.faults == []


def test_a_test_that_was_run_again_is_compared_time_by_time(written):
    for ended in ("failed", "passed"):  # whoever runs it again leaves out the line of the first teardown
        written.test(ONE, FORBIDDEN, ended=ended)
    written.phases(ONE, FORBIDDEN, call="failed", parts=("setup", "call"), rerun=True, expected=[])
    written.phases(ONE, FORBIDDEN, expected=[])
    assert written.faults == []
    edit(written, "journal.jsonl", '"call", "result": "passed"', '"call", "result": "failed"')
    assert len(written.faults) == 1


def test_nobody_knows_what_became_of_a_test_whose_journal_lacks_its_end(written):
    """The worker, or all processes, were killed between the two files."""
    written.test(ONE, FORBIDDEN, ended="error")
    written.phases(ONE, FORBIDDEN, parts=("setup", "call"), expected=[])
    assert written.faults == []
    crash = {"phase": "???", "result": "failed", "message": "worker crashed", "crashed": True}
    written.journal.write("phase", test=ONE, board="dk", **crash)
    assert written.faults == []


def test_another_plug_in_may_report_what_the_timeline_has_not(written):
    written.test(ONE, FORBIDDEN)
    written.journal.write("phase", test=ONE, board="dk", phase="call", result="failed", message="a subtest")
    written.phases(ONE, FORBIDDEN, expected=[])
    assert written.faults == []


def test_a_copied_file_is_one_line(written):
    two_tests(written)
    written.file.close()
    path = written.folder / "timeline" / "dk.jsonl"
    path.with_name("dk.2.jsonl").write_bytes(path.read_bytes())
    (line,) = written.faults
    assert line == (
        f"{path}:1: it has {BROKEN} of the same time as dk.2.jsonl: one is a copy of the other;"
        " were the files edited by hand?"
    )
