"""The runs of a reports folder: all of them, or the newest ones."""

from harness.report.journal import RunJournal
from harness.report.run_lock import GoingOn
from harness.report.stored_runs import pack, stored_runs, write_summary
from tests.unit.report.runs_made_up import night, summary


def write(base, number):
    folder = base / night(number)
    folder.mkdir()
    write_summary(folder, summary(number, {"dk": {"t": "passed"}}))
    return folder


def test_a_run_that_goes_on_is_left_out_and_one_that_was_killed_is_not(tmp_path):
    write(tmp_path, 1)
    folder = tmp_path / night(2)
    journal = RunJournal(folder / "journal.jsonl")
    journal.begin(night(2), {"t.py::test_it[dk]": "dk"}, {})
    writer = GoingOn(folder)
    assert ids(base=tmp_path) == [night(1)]
    writer.end()
    assert ids(base=tmp_path) == [night(1), night(2)]
    (killed,) = [run for run in stored_runs([tmp_path]).runs if run.run == night(2)]
    assert not killed.complete


def ids(**kwargs):
    base = kwargs.pop("base")
    return [run.run for run in stored_runs([base], **kwargs).runs]


def test_the_newest_before_a_run_are_read_and_of_pruned_ones_what_is_left(tmp_path):
    for number in range(1, 7):
        folder = write(tmp_path, number)
        if number < 4:
            pack(folder, tmp_path)
            (folder / "run.json").unlink()
    assert ids(base=tmp_path) == [night(number) for number in range(1, 7)]
    assert ids(base=tmp_path, before=night(6)) == [night(number) for number in range(1, 6)]
    assert ids(base=tmp_path, before=night(6), newest=2) == [night(4), night(5)]
    assert ids(base=tmp_path, before=night(6), newest=3) == [night(3), night(4), night(5)]
    assert ids(base=tmp_path, newest=100) == [night(number) for number in range(1, 7)]
