"""How far a run is: results as the page counts them, causes so far, time left."""

from harness.report.history import HistoryEntry
from harness.report.live import LiveRun
from harness.report.live.earlier_runs import Usual, usual_of
from tests.unit.report.runs_made_up import night, summary

PLANNED = {f"t.py::test_{number}[{board}]": board for board in ("dk", "rack") for number in range(4)}


def run(**kwargs):
    return LiveRun(PLANNED, 100.0, **kwargs)


def go(live, number, board="dk", result="passed", seconds=1.0, **more):
    test = f"t.py::test_{number}[{board}]"
    live.begin(test, 100.0)
    live.phase(test, {"phase": "call", "result": result, "seconds": seconds, **more})
    live.phase(test, {"phase": "teardown", "result": "passed", "seconds": 0.0})


def board(view, name):
    (found,) = [one for one in view.boards if one.name == name]
    return found


def test_a_refusal_counts_as_failed_wherever_it_was_raised():
    live = run()
    go(live, 0, result="error", message="AT%JWT: no", raised="AtError", branch="Refusal", party="modem/firmware")
    view = live.view(101.0)
    assert board(view, "dk").results["failed"] == 1
    assert view.state == "red"
    assert [(row.cause.party, len(row.tests), row.boards) for row in view.causes] == [("modem/firmware", 1, ["dk"])]


def test_tests_of_one_cause_are_one_row_on_all_boards():
    live = run()
    for name in ("dk", "rack"):
        go(live, 0, name, "failed", message=f"{name}: no answer within 9 s", raised="X", party="cloud")
        go(live, 1, name, "failed", message=f"{name}: no answer within 8 s", raised="X", party="cloud")
    (row,) = live.view(101.0).causes
    assert (len(row.tests), row.boards) == (4, ["dk", "rack"])


def test_a_lost_board_is_one_cause_and_nothing_of_it_is_left_to_do():
    live = run()
    live.know(Usual({(name, f"t.py::test_{number}"): 10.0 for name in ("dk", "rack") for number in range(4)}))
    go(live, 0, "rack", "error", message="gone", out="rack: gone", raised="BoardLost", party="lab")
    go(live, 1, "rack", "skipped", message="rack is out: see the error of t.py::test_0[rack]")
    view = live.view(100.0)
    assert view.state == "amber"
    assert [(row.cause.title, len(row.tests)) for row in view.causes] == [("rack was lost", 2)]
    assert board(view, "rack").out == "rack: gone"
    assert view.left == 40.0  # the other one's


def test_time_left_is_that_of_the_board_with_most_to_do():
    usual = Usual(
        {("dk", f"t.py::test_{number}"): 10.0 for number in range(4)}
        | {("rack", f"t.py::test_{number}"): 1.0 for number in range(4)}
    )
    live = run(workers=2)
    live.know(usual)
    assert live.view(100.0).left == 40.0
    go(live, 0)
    live.begin("t.py::test_1[dk]", 104.0)
    assert live.view(107.0).left == 27.0
    one_after_the_other = run()
    one_after_the_other.know(usual)
    assert one_after_the_other.view(100.0).left == 44.0


def test_without_history_the_tests_so_far_tell_how_long_the_others_take():
    live = run(workers=2)
    assert live.view(100.0).left is None
    go(live, 0, seconds=2.0)
    go(live, 0, "rack", seconds=4.0)
    assert live.view(100.0).left == 12.0


def test_a_test_that_takes_three_times_as_long_as_usual_is_slow():
    live = run()
    live.know(Usual({("dk", "t.py::test_0"): 40.0}))
    live.begin("t.py::test_0[dk]", 100.0)
    live.begin("t.py::test_0[rack]", 100.0)
    assert [one.slow for one in live.view(161.0).boards] == [False, True]
    assert [one.slow for one in live.view(221.0).boards] == [True, True]


def test_a_test_that_is_run_once_more_counts_once():
    live = run()
    live.begin("t.py::test_0[dk]", 100.0)
    for phase, more in (
        ("setup", {}),
        ("call", {"result": "failed", "message": "wrong", "rerun": True}),
        ("teardown", {}),
    ):
        live.phase("t.py::test_0[dk]", {"phase": phase, "result": "passed", "seconds": 1.0, **more})
    assert live.view(101.0).done == 0
    for phase in ("setup", "call", "teardown"):
        live.phase("t.py::test_0[dk]", {"phase": phase, "result": "passed", "seconds": 1.0})
    view = live.view(101.0)
    assert board(view, "dk").results == {"failed": 0, "error": 0, "passed": 1, "skipped": 0}
    assert (view.done, list(view.causes)) == (1, [])


def test_a_worker_that_dies_ends_its_test():
    live = run()
    live.begin("t.py::test_0[dk]", 100.0)
    live.phase("t.py::test_0[dk]", {"phase": "???", "result": "error", "message": "died", "crashed": True})
    view = live.view(101.0)
    assert (board(view, "dk").running, board(view, "dk").done) == ("", 1)


def test_what_runs_before_say_of_a_test():
    nights = [
        summary(number, {"dk": {"t.py::test_0": result}})
        for number, result in enumerate(["passed", "failed", "failed"], 1)
    ]
    other_lab = summary(4, {"dk": {"t.py::test_0": "passed"}}, lab="other")
    usual = usual_of([*nights, other_lab], "")
    assert usual.seconds("t.py::test_0[dk]", "dk") == 0.1
    live = run()
    live.know(usual)
    go(live, 0, result="failed", message="wrong", raised="X", party="cloud")
    assert live.view(101.0).causes[0].age == "since 15 Nov 02:00"
    healthy = Usual({}, {("dk", "t.py::test_0"): [HistoryEntry(night(1), "passed")]})
    live.know(healthy)
    assert live.view(101.0).causes[0].age == "new"
    live.know(Usual())
    assert live.view(101.0).causes[0].age == ""
