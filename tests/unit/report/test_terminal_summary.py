"""What is known of a run, and how it ends on the terminal."""

from harness.report import RunJournal, RunRecord
from harness.report.assessment import assess
from harness.report.causes import FailureCause
from harness.report.journal import read_journal
from harness.report.run_summary import summary_of
from harness.report.terminal_summary import board_lines, cause_lines, fit, history_line, shortened
from tests.unit.report.runs_made_up import summary

CLOUD = FailureCause("c1", "cloud", "The cloud refuses what statement 2 allows", "expected tolerated, got ignored")
LAB = FailureCause("c2", "lab", "rack was lost", "its process died")


def record(tmp_path, **boards):
    made = RunRecord("run-1", RunJournal(tmp_path / "journal.jsonl"))
    pairs = [(number, board) for board, most in boards.items() for number in range(most)]
    made.plan({f"tests/t.py::test_{number}[{board}]": board for number, board in pairs})
    return made


def go(record, number, board, result="passed", message="", **more):
    test = f"tests/t.py::test_{number}[{board}]"
    record.begin(test)
    phase = "call" if result == "failed" else "setup"
    record.phase(test, {"phase": phase, "result": result, "seconds": 1.0, "message": message, **more})
    record.phase(test, {"phase": "teardown", "result": "passed", "seconds": 0.5})


def assessed(*nights):
    causes = {f"tests/t.py::test_{number}": CLOUD.hash for number in range(4)} | {"tests/t.py::test_9": LAB.hash}
    runs = [summary(number, results, causes=[CLOUD, LAB], cause_of=causes) for number, results in enumerate(nights, 1)]
    return assess(runs)


BAD = {"dk": {f"tests/t.py::test_{number}": "failed" for number in range(4)}, "rack": {"tests/t.py::test_9": "error"}}


def test_the_end_has_the_causes_of_the_page_and_some_tests_of_each():
    assert cause_lines(assessed(BAD).causes, None) == [
        "tests  points at  what                                       boards  since",
        "    4  Cloud      The cloud refuses what statement 2 allows  dk      new: no run before",
        "                  expected tolerated, got ignored",
        "                  t.py::test_0",
        "                  t.py::test_1",
        "                  and 2 more tests",
        "    1  Lab        rack was lost                              rack    new in this run",
        "                  its process died",
        "                  t.py::test_9",
    ]


def test_the_table_fits_the_terminal_and_loses_nothing():
    for width in (60, 72, 100):
        lines = cause_lines(assessed(BAD).causes, width)
        assert max(map(len, lines)) <= width
        assert "refuses" in "".join(lines)
        assert len(lines) > 4
    assert any("\x1b[" in line for line in cause_lines(assessed(BAD).causes, 100, colours=True))
    assert cause_lines([], 80) == []


def test_what_a_cloud_said_does_not_reach_the_terminal_as_it_is():
    evil = FailureCause("c1", "cloud", "\x1b[2Jgone\u202e", "\x1b]0;title\x07")
    run = summary(1, {"dk": {"t": "failed"}}, causes=[evil], cause_of={"t": "c1"})
    assert "".join(cause_lines(assess([run]).causes, 80)).isprintable()


def test_more_causes_than_anybody_reads_are_a_number():
    causes = [FailureCause(f"c{number}", "cloud", f"cause {number}") for number in range(25)]
    tests = {f"t{number}": "failed" for number in range(25)}
    run = summary(1, {"dk": tests}, causes=causes, cause_of={f"t{number}": f"c{number}" for number in range(25)})
    assert cause_lines(assess([run]).causes, None)[-1] == "and 5 more causes: the page has them"


def test_what_is_fixed_what_comes_and_goes_and_what_took_longest_is_one_line():
    names = ("fixed", "flaky", "good")
    nights = [
        {"dk": dict(zip(names, results, strict=True))}
        for results in (
            ("failed", "passed", "passed"),
            ("failed", "failed", "passed"),
            ("passed", "passed", "passed"),
        )
    ]
    assert history_line(assessed(*nights)) == (
        "fixed 1 · flaky 1 (worst: flaky on dk, failed in 1 of 3 runs) · slowest fixed on dk, 100 ms"
    )


def test_a_line_for_each_board_says_since_when_it_is_out(tmp_path):
    made = record(tmp_path, good=2, mute=3, late=3)
    go(made, 0, "good")
    go(made, 0, "mute", "error", "mute: no answer", out="mute: no answer")
    for number in (1, 2):
        go(made, number, "mute", "skipped", "mute is out: no answer")
    go(made, 0, "late")
    go(made, 1, "late", "error", "late: gone", out="late: gone")
    go(made, 2, "late", "skipped", "not today")
    assert board_lines(made) == [
        "good  1 passed, 1 not run in 1.5 s",
        "mute  out before its first test: no answer (3 errors in 4.5 s)",
        "late  out after 1 test: gone (1 passed, 1 error, 1 skipped in 4.5 s)",
    ]


def test_a_verdict_that_only_the_call_tells_stays(tmp_path):
    made = record(tmp_path, dk=1)
    test = "tests/t.py::test_0[dk]"
    made.begin(test)
    made.phase(test, {"phase": "call", "result": "passed", "properties": {"verdict": "tolerated", "board": "dk"}})
    made.phase(test, {"phase": "teardown", "result": "passed", "properties": {"board": "dk"}})
    assert made.cases[test].properties["verdict"] == "tolerated"


def test_what_the_product_refused_in_a_set_up_is_a_failure_as_on_the_page(tmp_path):
    made = record(tmp_path, dk=1)
    test = "tests/t.py::test_0[dk]"
    made.begin(test)
    made.phase(test, {"phase": "setup", "result": "error", "branch": "Refusal", "message": "the cloud said no"})
    made.phase(test, {"phase": "teardown", "result": "passed"})
    assert board_lines(made) == ["dk  1 failed in 0.0 s"]
    made.finish("")
    lines = read_journal(tmp_path / "journal.jsonl")
    assert lines[-1]["ended"] == {"failed": 1}
    assert summary_of("run-1", lines)[0].counts == {"failed": 1}


def test_what_runs_and_what_was_not_run(tmp_path):
    made = record(tmp_path, dk=3)
    go(made, 0, "dk")
    made.begin("tests/t.py::test_1[dk]")
    assert made.running == ["tests/t.py::test_1[dk]"]
    assert made.not_run == ["tests/t.py::test_2[dk]"]
    assert board_lines(made) == ["dk  1 passed, 1 interrupted, 1 not run in 1.5 s"]
    made.phase("tests/t.py::test_1[dk]", {"phase": "???", "result": "error", "crashed": True})
    assert made.running == []
    assert made.cases["tests/t.py::test_1[dk]"].result == "error"


def test_lines_are_cut_to_a_terminals_width_only():
    assert fit(["abcdef", "abc"], 4) == ["abc…", "abc"]
    assert fit(["abcdef"], None) == ["abcdef"]


def test_many_notes_are_the_first_and_a_number():
    assert shortened(["a", "b", "c"], "the page has them all") == ["a", "b", "c"]
    assert shortened(["a", "b", "c", "d"], "the page has them all") == [
        "a",
        "and 3 more lines like it; the page has them all",
    ]
