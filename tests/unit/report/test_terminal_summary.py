"""What is known of a run, and how it ends on the terminal."""

from harness.report import Journal, RunRecord, board_lines, cause_lines, fit, progress_line
from harness.report.terminal_summary import shortened


def record(tmp_path, **boards):
    made = RunRecord("run-1", Journal(tmp_path / "journal.jsonl"))
    pairs = [(number, board) for board, most in boards.items() for number in range(most)]
    made.plan({f"tests/t.py::test_{number}[{board}]": board for number, board in pairs})
    return made


def go(record, number, board, result="passed", message="", **more):
    test = f"tests/t.py::test_{number}[{board}]"
    record.begin(test)
    phase = "call" if result == "failed" else "setup"
    record.phase(test, {"phase": phase, "result": result, "seconds": 1.0, "message": message, **more})
    record.phase(test, {"phase": "teardown", "result": "passed", "seconds": 0.5})


def test_failures_come_first_and_one_cause_is_one_line(tmp_path):
    made = record(tmp_path, dk=6, dj=2)
    for number in range(4):
        go(made, number, "dk", "error", f"dk: no answer within {number}.5 s\nevidence {number}")
    go(made, 1, "dj", "error", "dj: no answer within 9 s")
    go(made, 4, "dk", "failed", "expected tolerated, got policy disconnect\nmuch evidence", party="cloud")
    assert cause_lines(made) == [
        "1 failure (cloud): expected tolerated, got policy disconnect",
        "    t.py::test_4[dk]",
        "5 errors: dk: no answer within 0.5 s",
        "    t.py::test_0[dk]",
        "    t.py::test_1[dk]",
        "    t.py::test_2[dk]",
        "    and 2 more (4 on dk, 1 on dj)",
    ]


def test_a_line_for_each_board_says_since_when_it_is_out(tmp_path):
    made = record(tmp_path, good=2, mute=3, late=3)
    go(made, 0, "good")
    go(made, 0, "mute", "error", "mute: no answer", out="mute: no answer")
    for number in (1, 2):
        go(made, number, "mute", "skipped")
    go(made, 0, "late")
    go(made, 1, "late", "error", "late: gone", out="late: gone")
    go(made, 2, "late", "skipped")
    assert board_lines(made) == [
        "good  1 passed, 1 not run in 1.5 s",
        "mute  out before its first test: no answer (1 error, 2 skipped in 4.5 s)",
        "late  out after 1 test: gone (1 passed, 1 error, 1 skipped in 4.5 s)",
    ]


def test_a_verdict_that_only_the_call_tells_stays(tmp_path):
    made = record(tmp_path, dk=1)
    test = "tests/t.py::test_0[dk]"
    made.begin(test)
    made.phase(test, {"phase": "call", "result": "passed", "properties": {"verdict": "tolerated", "board": "dk"}})
    made.phase(test, {"phase": "teardown", "result": "passed", "properties": {"board": "dk"}})
    assert made.cases[test].properties["verdict"] == "tolerated"


def test_a_boards_progress(tmp_path):
    made = record(tmp_path, dk=3)
    go(made, 0, "dk")
    made.begin("tests/t.py::test_1[dk]")
    assert progress_line(made.boards["dk"]) == "dk: 1/3  1 passed  t.py::test_1[dk]"
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
    assert shortened(["a", "b", "c"]) == ["a", "b", "c"]
    assert shortened(["a", "b", "c", "d"]) == [
        "a",
        "and 3 more lines like it; nrf91-harness report index lists them all",
    ]
