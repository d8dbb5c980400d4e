"""The page of a run that goes on: how often it is made, what stands on it, and that nothing is made afterwards."""

import subprocess

import pytest

from harness.report.live.live_page import EVERY, LivePage, main
from tests.made_up_nights import Told, the_fourteen, write_night


class Builder:
    """Stands in for the process that makes the page."""

    made: list["Builder"] = []  # noqa: RUF012 - emptied before each test

    def __init__(self, command, **_):
        self.pid, self.over, self.killed = 1000 + len(Builder.made), False, False
        Builder.made.append(self)

    def poll(self):
        return 0 if self.over else None

    def kill(self):
        self.killed = True

    def wait(self, _timeout):
        self.over = True
        return 0


@pytest.fixture
def builders(monkeypatch):
    Builder.made = []
    monkeypatch.setattr(subprocess, "Popen", Builder)
    return Builder.made


def grow(folder):
    with (folder / "journal.jsonl").open("a") as file:
        file.write("x\n")


def test_it_is_made_when_something_has_happened_and_at_most_every_ten_seconds(tmp_path, builders):
    page = LivePage(tmp_path)
    grow(tmp_path)
    page.refresh(100.0)
    assert len(builders) == 1
    builders[0].over = True
    page.refresh(100.0 + EVERY)  # nothing has happened
    assert len(builders) == 1
    grow(tmp_path)
    page.refresh(100.0 + EVERY - 0.1)
    assert len(builders) == 1
    page.refresh(100.0 + EVERY)
    assert len(builders) == 2
    grow(tmp_path)
    page.refresh(200.0)  # the one before is not done yet
    assert len(builders) == 2


def test_when_the_run_ends_its_maker_is_ended_and_leaves_no_half_page(tmp_path, builders):
    page = LivePage(tmp_path)
    grow(tmp_path)
    page.refresh(100.0)
    half = tmp_path / f".report.html.{builders[0].pid}"
    half.write_text("half")
    page.close()
    assert builders[0].killed
    assert not half.exists()
    page.close()


def test_what_stands_on_it(tmp_path):
    folder = write_night(tmp_path, 1, the_fourteen, boards=("dk-9151",), tests=9, ended=False)
    assert main(folder) == 0
    text = (folder / "report.html").read_text("utf-8")
    assert '<meta http-equiv="refresh" content="10">' in text
    assert "So far: All 8 tests passed." in text
    assert "interrupted" not in text
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == ["journal.jsonl", "report.html"]
    assert not (tmp_path / "index.html").exists()


def test_a_run_of_which_nothing_has_ended_yet_has_a_page(tmp_path):
    folder = write_night(tmp_path, 1, lambda *_: Told(), boards=("dk",), tests=1, ended=False)
    assert main(folder) == 0
    assert "So far: " in (folder / "report.html").read_text("utf-8")


def test_what_keeps_it_away_is_one_line(tmp_path, capsys):
    assert main(tmp_path) == 1
    assert "journal.jsonl: cannot read the journal" in capsys.readouterr().err


def test_its_process_can_be_started(tmp_path):
    folder = write_night(tmp_path, 1, lambda *_: Told(), boards=("dk",), tests=2, ended=False)
    page = LivePage(folder)
    page.refresh(100.0)
    assert page._builder is not None
    assert isinstance(page._builder, subprocess.Popen)
    assert page._builder.wait(60) == 0
    assert (folder / "report.html").exists()
