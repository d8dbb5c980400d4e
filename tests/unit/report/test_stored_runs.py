"""The runs of a reports folder: all of them, or the newest ones."""

from harness.report.stored_runs import pack, stored_runs, write_summary
from tests.unit.report.runs_made_up import night, summary


def write(base, number):
    folder = base / night(number)
    folder.mkdir()
    write_summary(folder, summary(number, {"dk": {"t": "passed"}}))
    return folder


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
