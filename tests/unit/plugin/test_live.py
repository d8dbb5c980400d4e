"""What is shown while a run goes on."""

import io

import pytest
from _pytest.config import get_config
from _pytest.terminal import TerminalReporter

from harness.plugin.live import Live
from harness.report import Journal, RunRecord


class Screen(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self._is = terminal

    def isatty(self):
        return self._is


@pytest.fixture
def record(tmp_path):
    made = RunRecord("r", Journal(tmp_path / "journal.jsonl"))
    made.plan({f"t.py::test_{number}[{board}]": board for board in ("a", "b") for number in range(2)})
    return made


def live(record, screen, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    return Live(record, TerminalReporter(get_config(), screen))


def end(record, test, result="passed", message=""):
    record.begin(test)
    record.phase(test, {"phase": "call", "result": result, "message": message})
    record.phase(test, {"phase": "teardown", "result": "passed"})


def test_a_terminal_has_a_line_for_each_board_drawn_over_the_former_one(record, monkeypatch):
    screen = Screen(True)
    shown = live(record, screen, monkeypatch)
    end(record, "t.py::test_0[a]")
    record.begin("t.py::test_1[a]")
    shown.pytest_sessionfinish()
    end(record, "t.py::test_0[b]", "failed", "wrong")
    shown.pytest_sessionfinish()
    first, second = screen.getvalue().split("\x1b[2A")
    assert first.replace("\x1b[2K", "").splitlines() == ["a: 1/2  1 passed  t.py::test_1[a]", "b: 0/2"]
    assert second.replace("\x1b[2K", "").splitlines()[1] == "b: 1/2  1 failed"


def test_elsewhere_each_trouble_and_each_board_that_is_done_has_a_line(record, monkeypatch):
    screen = Screen(False)
    shown = live(record, screen, monkeypatch)
    for number in range(2):
        end(record, f"t.py::test_{number}[a]", "failed" if number else "passed", "wrong\nevidence")
        shown.pytest_runtest_logreport()
    shown.pytest_runtest_logstart()
    assert screen.getvalue().splitlines() == ["FAILED t.py::test_1[a]: wrong", "a: 2/2  1 passed, 1 failed"]


def test_letters_of_pytest_are_not_shown(record, monkeypatch):
    hook = live(record, Screen(False), monkeypatch).pytest_report_teststatus()
    next(hook)
    with pytest.raises(StopIteration) as stop:
        hook.send(("passed", ".", "PASSED"))
    assert stop.value.value == ("passed", "", "")


def test_the_last_lines_begin_with_the_words_of_pytest(record, monkeypatch):
    shown = live(record, Screen(False), monkeypatch)
    shown.pytest_terminal_summary()
    hook = shown.pytest_report_teststatus()
    next(hook)
    with pytest.raises(StopIteration) as stop:
        hook.send(("failed", "F", "FAILED"))
    assert stop.value.value == ("failed", "F", "FAILED")
