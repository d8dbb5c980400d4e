from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from harness.report.pruning import PruningLimits, protected, prune, to_prune
from harness.report.run_lock import LOCK, GoingOn, goes_on
from harness.report.stored_runs import stored_runs, write_summary
from tests.unit.report.runs_made_up import FIRST_NIGHT, night, summary

RESULTS = {"P": "passed", "F": "failed", "E": "error", "S": "skipped"}
SOME = st.lists(st.tuples(st.sampled_from("PFES"), st.sampled_from("PFES")), min_size=1, max_size=12)
TIGHT = PruningLimits(runs=0, days=0, size=0)


def runs_of(letters):
    return [
        summary(number, {"one": {"t": RESULTS[one]}, "two": {"t": RESULTS[two]}})
        for number, (one, two) in enumerate(letters, 1)
    ]


@given(SOME)
def test_some_runs_always_stay(letters):
    runs = runs_of(letters)
    gone = to_prune(runs, {run.run: 1 for run in runs}, TIGHT, FIRST_NIGHT + timedelta(days=1000))
    assert runs[-1].run not in gone
    for place in (0, 1):
        column = "".join(pair[place] for pair in letters)
        green = column.rfind("P")
        assert green < 0 or night(green + 1) not in gone
        if column[-1] == "F":
            failing = column[green + 1 :]
            assert night(green + 2 + failing.index("F")) not in gone
    assert set(gone) | protected(runs) == {run.run for run in runs}


@given(SOME, st.integers(0, 12), st.integers(0, 400), st.integers(0, 3000))
def test_no_more_goes_than_must(letters, number, days, size):
    runs = runs_of(letters)
    sizes = {run.run: 100 for run in runs}
    now = FIRST_NIGHT + timedelta(days=20)
    gone = to_prune(runs, sizes, PruningLimits(number, days, size), now)
    assert gone == sorted(gone)
    young = [run for run in gone if run > (now - timedelta(days=days)).strftime("%Y%m%dT%H%M%SZ-~")]
    left = len(runs) - len(gone)
    # Where one went that was not too old, one more would have been over a limit.
    assert not young or left + 1 > number or (left + 1) * 100 > size


def test_a_run_that_somebody_keeps_stays():
    runs = runs_of([("P", "P")] * 4)
    sizes = {run.run: 1 for run in runs}
    gone = to_prune(runs, sizes, TIGHT, FIRST_NIGHT + timedelta(days=1), keep={night(2)})
    assert gone == [night(1), night(3)]


def test_a_run_that_goes_on_stays_and_one_that_was_killed_does_not(tmp_path):
    runs = [summary(number, {"one": {"t": "error"}}, complete=False) for number in (1, 2)]
    for run in [*runs, summary(3, {"one": {"t": "passed"}})]:
        (tmp_path / run.run).mkdir()
        write_summary(tmp_path / run.run, run)
    writer = GoingOn(tmp_path / night(1))
    assert [goes_on(tmp_path / night(number)) for number in (1, 2)] == [True, False]
    assert prune(tmp_path, stored_runs([tmp_path]), TIGHT, dry=True) == [night(2)]
    writer.end()
    writer.end()
    assert prune(tmp_path, stored_runs([tmp_path]), TIGHT, dry=True) == [night(1), night(2)]


def test_a_lock_that_cannot_be_asked_may_be_held_and_none_is_not(tmp_path):
    assert not goes_on(tmp_path)
    assert not goes_on(tmp_path / "none")
    (tmp_path / "journal.jsonl").touch()
    (tmp_path / LOCK).symlink_to(LOCK)  # what leads in a circle cannot be opened, not even by root
    assert goes_on(tmp_path)


def test_pruned_runs_stay_in_the_history(tmp_path):
    for run in runs_of([("P", "P")] * 4):
        (tmp_path / run.run / "transcripts").mkdir(parents=True)
        write_summary(tmp_path / run.run, run)
    (tmp_path / night(1) / "keep").touch()
    before = stored_runs([tmp_path])
    assert prune(tmp_path, before, TIGHT, dry=True) == [night(2), night(3)]
    assert len(stored_runs([tmp_path]).folders) == 4
    prune(tmp_path, before, TIGHT, dry=False)
    after = stored_runs([tmp_path])
    assert sorted(after.folders) == [night(1), night(4)]
    assert after.runs == before.runs
    assert sorted(file.name for file in (tmp_path / "history").iterdir()) == [
        f"{night(2)}.json.gz",
        f"{night(3)}.json.gz",
    ]


def test_what_is_left_of_a_run_goes_too_when_it_is_old_unless_something_rests_on_it(tmp_path):
    for number, letters in enumerate(["PF", "PF", "PF", "PP"], 1):
        folder = tmp_path / night(number)
        folder.mkdir()
        results = {"one": {"t": RESULTS[letters[0]]}, "two": {"t": RESULTS[letters[1]]}}
        write_summary(folder, summary(number, results))
    all_but_one = PruningLimits(runs=1)
    assert len(prune(tmp_path, stored_runs([tmp_path]), all_but_one, dry=False)) == 3
    old = PruningLimits(runs=1, history_days=1)
    assert prune(tmp_path, stored_runs([tmp_path]), old, dry=True) == [night(1), night(2), night(3)]
    assert len(stored_runs([tmp_path]).runs) == 4
    assert prune(tmp_path, stored_runs([tmp_path]), old, dry=False) == [night(1), night(2), night(3)]
    assert [run.run for run in stored_runs([tmp_path]).runs] == [night(4)]


def test_of_a_streak_that_goes_on_the_first_run_stays_however_old_it_is(tmp_path):
    for number in (1, 2, 3):
        folder = tmp_path / night(number)
        folder.mkdir()
        write_summary(folder, summary(number, {"one": {"t": "passed" if number == 1 else "failed"}}))
    limits = PruningLimits(runs=1, days=1, history_days=1)
    prune(tmp_path, stored_runs([tmp_path]), limits, dry=False)
    assert [run.run for run in stored_runs([tmp_path]).runs] == [night(1), night(2), night(3)]
