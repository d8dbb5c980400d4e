"""Since when, and how often: states of tests over runs."""

import random

from hypothesis import given
from hypothesis import strategies as st

from harness.report.history import HistoryEntry, ResultState, RunHistory, merge, standing, standings
from tests.unit.report.runs_made_up import night, summary

RESULTS = {"P": "passed", "F": "failed", "E": "error", "S": "skipped"}


def stands(letters, versions=None, attempts=None):
    entries = [
        HistoryEntry(f"r{i}", RESULTS[letter], (versions or {}).get(i, "v1"), (attempts or {}).get(i, 1))
        for i, letter in enumerate(letters)
    ]
    return standing(entries)


def test_each_state():
    cases = {
        "F": ResultState.FIRST,
        "EF": ResultState.FIRST,
        "SF": ResultState.FIRST,
        "PPPF": ResultState.NEW,
        "PPEF": ResultState.NEW,
        "PPFF": ResultState.STILL,
        "PFEF": ResultState.STILL,
        "PPFP": ResultState.FLAKY,
        "PPEP": ResultState.FIXED,
        "PESP": ResultState.FIXED,
        "P": ResultState.HEALTHY,
        "SSP": ResultState.HEALTHY,
        "FP": ResultState.FIXED,
        "PPFPPF": ResultState.FLAKY,
        "PFPFFF": ResultState.STILL,  # broken outweighs flaky
        "PPE": ResultState.UNPROVED,
        "PPS": ResultState.SKIPPED,
    }
    assert {letters: stands(letters).state for letters in cases} == cases


def test_errors_and_skips_neither_break_nor_lengthen_a_streak():
    found = stands("PPFESF")
    assert (found.since, found.streak, found.broken) == ("r2", 2, False)
    assert stands("PFFEF").broken


def test_a_streak_may_be_older_than_the_window_of_the_figures():
    found = stands("P" + "F" * 40)
    assert (found.since, found.streak, len(found.entries)) == ("r1", 40, 30)


def test_a_flip_with_a_change_of_version_is_no_flake():
    letters = "PPFFP"
    assert stands(letters).state is ResultState.FLAKY
    changed = {i: "v2" if i in (2, 3) else "v1" for i in range(5)}
    assert stands(letters, changed).flips == 0
    assert stands(letters, changed).state is ResultState.FIXED


def test_a_second_attempt_that_passed_is_a_flake():
    assert stands("PPP", attempts={2: 2}).state is ResultState.FLAKY


def test_a_flake_ends_after_ten_quiet_runs():
    assert stands("PFP" + "P" * 9).state is ResultState.FLAKY
    assert stands("PFP" + "P" * 10).state is ResultState.HEALTHY


def test_of_a_failing_test_the_rate_is_that_before_the_streak():
    found = stands("PPPPPPPPPPPPPF")
    assert str(found.rate) == "in 0 of 13 runs, 0 % (95 %: 0 to 23 %)"
    assert (stands("PPFP").rate.failed, stands("PPFP").rate.number) == (1, 4)


def test_a_board_whose_tests_mostly_failed_says_nothing_about_each():
    many = {f"t{i}": "passed" for i in range(20)}
    runs = [summary(1, {"dk": many}), summary(2, {"dk": dict.fromkeys(many, "failed")}), summary(3, {"dk": many})]
    found = standings(runs)["dk", "t0"]
    assert (found.flips, found.rate.failed, found.rate.number) == (0, 0, 2)
    assert found.state is ResultState.FIXED


def test_a_right_that_is_lost_every_third_night_comes_and_goes():
    runs = [summary(i, {"dk": {"t0": "failed" if i % 3 == 0 else "passed", "t1": "passed"}}) for i in range(1, 13)]
    found = standings(runs)
    assert found["dk", "t0"].state is ResultState.FLAKY
    assert found["dk", "t1"].state is ResultState.HEALTHY


def test_labs_are_apart():
    runs = [
        summary(1, {"dk": {"t": "passed"}}, lab="oslo"),
        summary(2, {"dk": {"t": "failed"}}, lab="trondheim"),
    ]
    assert standings(merge(runs))["dk", "t"].state is ResultState.FIRST


LETTERS = st.text("PFES", min_size=1, max_size=40)


@given(LETTERS, st.data())
def test_the_state_says_what_the_test_did_now(letters, data):
    versions = {i: data.draw(st.sampled_from(["v1", "v2"])) for i in range(len(letters))}
    found = stands(letters, versions)
    allowed = {
        "F": {ResultState.NEW, ResultState.FIRST, ResultState.STILL, ResultState.FLAKY},
        "P": {ResultState.FIXED, ResultState.HEALTHY, ResultState.FLAKY},
        "E": {ResultState.UNPROVED},
        "S": {ResultState.SKIPPED},
    }
    assert found.state in allowed[letters[-1]]
    assert (found.streak > 0) == (letters[-1] == "F")
    assert not (found.broken and found.state is ResultState.FLAKY)
    assert found.rate.number <= sum(letter in "PF" for letter in letters)
    if found.state in (ResultState.NEW, ResultState.STILL):
        assert "P" in letters or found.streak > 1


RUNS = st.lists(
    st.tuples(st.integers(1, 8), st.sampled_from(["", "oslo"]), st.sampled_from("PFES"), st.booleans()), max_size=12
)


@given(RUNS, st.randoms(use_true_random=False), st.integers(0, 12))
def test_merging_in_any_order_gives_one_history(given_runs, order: random.Random, cut):
    runs = [
        summary(number, {"dk": {"t": RESULTS[letter]}}, lab=lab, complete=complete)
        for number, lab, letter, complete in given_runs
    ]
    mixed = list(runs)
    order.shuffle(mixed)
    merged = merge(runs)
    assert merge(mixed[:cut], mixed[cut:]) == merged
    assert merge(merged, runs) == merged
    assert len({(run.lab, run.run) for run in merged}) == len(merged)
    tests = RunHistory(merged).tests()
    assert RunHistory(merge(mixed)).tests() == tests
    assert all(RunHistory(merge(mixed)).entries(*test) == RunHistory(merged).entries(*test) for test in tests)


def test_the_fuller_of_two_summaries_of_a_run_is_kept():
    whole, half = summary(1, {"dk": {"t": "passed"}}), summary(1, {"dk": {}}, complete=False)
    assert merge([half], [whole]) == merge([whole], [half]) == [whole]
    assert merge([whole])[0].run == night(1)
