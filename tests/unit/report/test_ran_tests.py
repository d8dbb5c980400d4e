"""What a journal says of its tests."""

from harness.report.ran_tests import KILLED, ran_tests
from harness.report.run_file import from_json, to_json
from harness.report.run_summary import ci_link, summary_of

T = "t.py::test_a[dk]"


def journal(*lines, planned=(T,), ended=True, interrupted=""):
    begin = {
        "k": "run",
        "at": "2026-11-27T02:00:00.000+00:00",
        "tests": dict.fromkeys(planned, "dk"),
        "planned": {"dk": 1},
    }
    end = [{"k": "end", "at": "2026-11-27T02:19:00.000+00:00", "interrupted": interrupted}] if ended else []
    return [begin, *lines, *end]


def began(test=T):
    return {"k": "begin", "at": "2026-11-27T02:00:01.000+00:00", "test": test, "board": "dk"}


def phase(name, result="passed", test=T, **more):
    return {
        "k": "phase",
        "at": "x",
        "test": test,
        "board": "dk",
        "phase": name,
        "result": result,
        "seconds": 0.5,
        **more,
    }


def only(*lines, **more):
    (found,) = ran_tests(journal(began(), *lines, **more))
    return found


def test_a_test_that_passed():
    found = only(phase("setup", key="t.py::test_a"), phase("call", properties={"attempts": "1, 3"}), phase("teardown"))
    assert (found.result, found.seconds, found.key, found.attempts, found.message) == (
        "passed",
        1.5,
        "t.py::test_a",
        3,
        "",
    )


def test_a_refusal_by_the_product_is_a_failure_wherever_it_was_raised():
    found = only(
        phase("setup", "error", message="no", raised="AtError", branch="Refusal", party="modem/firmware"),
        phase("teardown"),
    )
    assert (found.result, found.phase, found.party) == ("failed", "setup", "modem/firmware")


def test_a_failure_outweighs_the_trouble_of_its_teardown():
    found = only(
        phase("setup"), phase("call", "failed", message="a"), phase("teardown", "error", message="b", branch="LabError")
    )
    assert (found.result, found.message) == ("failed", "a")


def test_a_test_that_was_not_run_for_its_board_proved_nothing():
    found = only(phase("setup", "skipped", message="dk is out: see the error of test_b"), phase("teardown"))
    assert (found.result, found.board_out) == ("error", True)


def test_a_test_that_was_skipped_for_another_reason_was_skipped():
    found = only(phase("setup", "skipped", message="needs a second sec_tag"), phase("teardown"))
    assert (found.result, found.board_out) == ("skipped", False)


def test_what_ran_when_the_run_was_killed():
    found = only(phase("setup"), ended=False)
    assert (found.result, found.message, found.party) == ("error", KILLED, "lab")


def test_a_worker_that_died_is_the_labs():
    found = only(phase("???", "error", message="the process died", crashed=True))
    assert (found.result, found.party) == ("error", "lab")


def test_the_summary_of_a_killed_run():
    summary, _ = summary_of("r", journal(began(), phase("setup"), planned=(T, "t.py::test_b[dk]"), ended=False))
    assert (summary.complete, summary.not_run, summary.state) == (False, 1, "amber")
    assert "killed" in summary.interrupted


def test_a_summary_comes_back_from_its_file():
    summary, _ = summary_of(
        "r", journal(began(), phase("setup"), phase("call", "failed", message="a"), phase("teardown"))
    )
    assert from_json(to_json(summary), "run.json") == summary
    assert (summary.seconds, summary.state, summary.counts) == (1140, "red", {"failed": 1})


def test_a_clock_that_went_back_makes_no_run_shorter_than_nothing():
    lines = journal(began(), phase("setup"), phase("teardown"))
    lines[-1]["at"] = "2026-11-26T00:00:00.000+00:00"
    assert summary_of("r", lines)[0].seconds == 0


def test_where_a_run_of_ci_is():
    github = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "a/b", "GITHUB_RUN_ID": "7"}
    assert ci_link(github) == "https://github.com/a/b/actions/runs/7"
    assert ci_link({"CI_JOB_URL": "https://gitlab/1"}) == "https://gitlab/1"
    assert ci_link({}) == ""


def again(result, *, rerun):
    flag = {"rerun": True} if rerun else {}
    return [
        {"k": "phase", "test": "t[b]", "phase": "setup", "result": "passed", "seconds": 1.0},
        {"k": "phase", "test": "t[b]", "phase": "call", "result": result, "seconds": 1.0, "message": result, **flag},
        {"k": "phase", "test": "t[b]", "phase": "teardown", "result": "passed", "seconds": 1.0},
    ]


def test_of_a_test_that_was_run_again_the_last_time_counts_and_the_first_failure_is_kept():
    begin = {"k": "run", "tests": {"t[b]": "b"}}
    lines = [begin, *again("failed", rerun=True), *again("failed", rerun=True), *again("passed", rerun=False)]
    (test,) = ran_tests(lines)
    assert (test.result, test.reruns, test.attempts, test.first_failure) == ("passed", 2, 3, "failed")
    (test,) = ran_tests([begin, *again("failed", rerun=True), *again("failed", rerun=False)])
    assert (test.result, test.reruns, test.message) == ("failed", 1, "failed")
    (test,) = ran_tests([begin, *again("failed", rerun=True)])  # killed before it was run again
    assert (test.result, test.reruns) == ("failed", 0)


def test_what_the_run_took_back_is_an_error_of_the_labs_whatever_it_was():
    taken = {"k": "overturned", "test": T, "board": "dk", "message": "overturned by the run: 3 connections ended"}
    for result in ("passed", "failed"):
        test = only(
            phase("setup"), phase("call", result, decisive={"got": "policy disconnect"}), phase("teardown"), taken
        )
        assert (test.result, test.party, test.message) == ("error", "lab", taken["message"])
        assert not test.decisive
    found, _ = summary_of("r", journal(began(), phase("setup"), phase("call"), phase("teardown"), taken))
    assert (found.state, found.causes[0].title) == ("amber", "overturned by the run: 3 connections ended")


def test_notes_of_a_run_are_kept():
    note = {"k": "note", "at": "x", "text": "faults of the boards file that never struck: a: line: drop at byte 9 (in)"}
    found, _ = summary_of("r", journal(began(), phase("setup"), note))
    assert found.notes == (note["text"],)
    assert from_json(to_json(found), "run.json").notes == found.notes
    assert from_json(to_json(found).replace('"notes"', '"unknown"'), "run.json").notes == ()
