"""The block at the bottom of a terminal: what it says in how many rows."""

from harness.report.causes import FailureCause
from harness.report.live import LiveBoard, LiveCause, LiveView, block
from harness.report.live.block import doing_words
from harness.report.ran_tests import RanTest

NONE = {"failed": 0, "error": 0, "passed": 0, "skipped": 0}


def view(boards=3, causes=2, **more):
    tests = [RanTest("t.py::test_0[dk]", "dk", "t.py::test_0", "failed")]
    rows = [LiveCause(FailureCause(str(n), "cloud", f"cause {n}"), tests, "new") for n in range(causes)]
    given = {"done": 1, "left": 7.2, **more}
    return LiveView(
        10, 65.0, [LiveBoard(f"b{n}", 4, NONE, f"t.py::test_{n}[b{n}]") for n in range(boards)], rows, **given
    )


def plain(shown, height=24):
    return [line.plain for line in block(shown, lambda board: doing_words(board, 2.0, ""), height)]


def test_a_row_for_the_run_each_board_and_each_cause():
    lines = plain(view())
    assert lines == [
        " RED  1 of 10 tests on 3 boards · 1 min 05 s · about 7 s left  Cloud 2",
        *(f" b{n} ░░░░░░░░░░░░░░░░░░ 0/4  ✕0 !0  test_{n}  2 s" for n in range(3)),
        "✕ Cloud: cause 0  dk  ×1  new",
        "✕ Cloud: cause 1  dk  ×1  new",
    ]


def test_where_there_is_no_room_for_all_it_says_how_many_are_left_out():
    for height in range(4, 24):
        for boards, causes in ((30, 0), (2, 30), (30, 30), (1, 1)):
            lines = plain(view(boards, causes), height)
            assert len(lines) <= height or height < 5, (height, boards, causes, lines)
            if boards + causes + 1 > height:
                assert any("more" in line for line in lines)


def test_a_board_that_was_lost_says_why_and_one_that_is_done_says_so():
    lost = LiveBoard("a", 4, NONE | {"passed": 1, "error": 1}, out="a: its process died")
    done = LiveBoard("b", 4, NONE | {"passed": 3, "failed": 1})
    lines = plain(LiveView(8, 1.0, [lost, done], []))
    assert lines[1].endswith(" lost: its process died; 2 tests cannot be proved")
    assert lines[2].endswith(" done")
    assert "░" not in lines[2]


def test_nothing_that_a_board_wrote_moves_the_cursor():
    evil = LiveBoard("a", 4, NONE, out="a: \x1b[2J\u202eboom")
    tests = [RanTest("t[a]", "a", "t", "failed")]
    cause = LiveCause(FailureCause("1", "cloud", "\x1b]0;title\x07"), tests)
    text = "".join(plain(LiveView(8, 1.0, [evil], [cause])))
    assert text.isprintable()
    assert "\\x1b[2J\\u202eboom" in text


def test_what_a_board_does():
    board = LiveBoard("dk", 4, NONE, "tests/test_x.py::TestY::test_z[dk-topic/a]")
    assert doing_words(board, 0.4, "action") == "test_z[topic/a]"
    assert doing_words(board, 3.2, "action") == "test_z[topic/a]  3 s  action"
    assert doing_words(LiveBoard("dk", 4, NONE), 0.0, "") == "waits"
