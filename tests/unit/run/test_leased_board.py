"""A board that could not be opened, or whose port goes away, during a run."""

import traceback
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import BoardLost, LabError
from harness.run import leased_board
from harness.run.found_modes import FoundModes
from harness.run.leased_board import LeasedBoard
from harness.timeline import Kind


class Lab:
    """``failure``: what looking for the port raises; None: it is there."""

    def __init__(self, failure=None):
        self.failure = failure
        self.asked = 0

    def lease(self, config):
        return nullcontext()

    def port_url(self, config):
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return "loop://"


class Port:
    def __init__(self):
        self.alive, self.closed = True, False

    def close(self):
        self.closed = True


@pytest.fixture
def opened(monkeypatch):
    """Every board that was opened, in order."""
    boards = []

    def open_board(config, url, timeline):
        modem = SimpleNamespace(modes=[])
        modem.set_functional_mode = modem.modes.append
        identity = SimpleNamespace(imei="350000000000001")
        boards.append(
            SimpleNamespace(port=Port(), modem=modem, firmware="fake", found_mode=len(boards), identity=identity)
        )
        return boards[-1]

    monkeypatch.setattr(leased_board, "open_board", open_board)
    return boards


def leased(lab, modes=None):
    config: Any = SimpleNamespace(name="dk-1")
    return LeasedBoard(lab, config, lambda _text: None, modes)


def test_the_first_error_ends_the_board_for_the_run_and_each_test_gets_one_of_its_own():
    lab = Lab(BoardLost("no such port"))
    board = leased(lab)
    raised = []
    for _ in range(3):
        with pytest.raises(BoardLost, match=r"^no such port$") as caught:
            _ = board.opened
        raised.append(caught.value)
    assert lab.asked == 1
    assert len({id(error) for error in raised}) == 3
    frames = [[frame.name for frame in traceback.extract_tb(error.__traceback__)] for error in raised]
    assert "_open" in frames[0]
    assert "_open" not in frames[1]
    assert frames[1] == frames[2]


def test_a_port_that_went_away_is_opened_anew_by_the_next_test(opened):
    board = leased(Lab())
    first = board.opened
    assert board.opened is first
    assert board.begin()
    assert board.opened is first
    first.port.alive = False
    assert not board.begin()
    assert [event.text for event in board.timeline.since() if event.kind is Kind.FAULT] == [
        "the port had gone away: it is opened anew"
    ]
    assert first.port.closed
    assert board.opened is opened[1]


def test_the_board_is_left_as_it_was_found_first(opened):
    board = leased(Lab())
    board.opened.port.alive = False
    board.begin()
    _ = board.opened
    board.restore_mode()
    assert opened[1].modem.modes == [0]


def test_after_a_killed_run_the_mode_is_put_back_that_it_found(opened, tmp_path):
    modes = FoundModes(tmp_path / "modes")
    assert leased(Lab(), modes).opened.found_mode == 0  # and then it is killed
    board = leased(Lab(), modes)
    assert board.opened.found_mode == 1
    board.restore_mode()
    assert opened[1].modem.modes == [0]
    after = leased(Lab(), modes)
    assert after.opened.found_mode == 2
    after.restore_mode()
    assert opened[2].modem.modes == [2]


def test_a_note_that_cannot_be_read_is_written_anew(opened, tmp_path):
    modes = FoundModes(tmp_path)
    (tmp_path / "350000000000001.json").write_text("{")
    board = leased(Lab(), modes)
    _ = board.opened
    assert modes.found("350000000000001", 4) == 0
    board.restore_mode()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line(opened, tmp_path):
    (tmp_path / "modes").write_text("")
    with pytest.raises(LabError, match="--lab-ca"):
        _ = leased(Lab(), FoundModes(tmp_path / "modes")).opened
