"""A board that could not be opened, or whose port goes away, during a run."""

import traceback
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from harness.at import PortSettings
from harness.cloud.refusals import CloudBusy
from harness.errors import BoardLost, LabError, NoAnswer, Party, PortMissing, party_of
from harness.firmware import WrongFirmware
from harness.run import recovery
from harness.run.found_modes import FoundModes
from harness.run.leased_board import LeasedBoard
from harness.timeline import Kind


class Lab:
    """``failure``: what looking for the port raises; None: it is there."""

    def __init__(self, failure=None):
        self.failure = failure
        self.returns_after: int | None = None
        self.asked = 0

    def lease(self, config):
        return nullcontext()

    def heal(self, config):
        return None

    def wrong(self, config):
        return None

    def port_url(self, config):
        self.asked += 1
        if self.returns_after is not None:
            self.returns_after -= 1
            if self.returns_after < 0:
                return "loop://"
        if self.failure is not None:
            raise self.failure
        return "loop://"


class Port:
    def __init__(self):
        self.alive, self.closed, self.in_step = True, False, True
        self.failure = None
        self.settings = PortSettings()

    def close(self):
        self.closed = True


@pytest.fixture
def opened(monkeypatch):
    """Every board that was opened, in order."""
    boards = []

    def open_board(config, url, timeline, *, patience, press=None, known=None):
        modem = SimpleNamespace(modes=[], write_settings=lambda _wanted, _note, _keep: None)
        modem.set_functional_mode = modem.modes.append
        identity = SimpleNamespace(imei="350000000000001")
        boards.append(
            SimpleNamespace(
                port=Port(),
                modem=modem,
                firmware="fake",
                found_mode=len(boards),
                identity=identity,
                kind="serial-modem",
            )
        )
        return boards[-1]

    monkeypatch.setattr(recovery, "open_board", open_board)
    monkeypatch.setattr(recovery, "_LOOK_AGAIN", 0.01)
    return boards


def leased(lab, modes=None, **options):
    config: Any = SimpleNamespace(
        name="dk-1",
        return_within=0.6,
        firmware="serial-modem",
        cloud_library=None,
        baud=115200,
        put_back=False,
        wanted_settings=None,
        flash=None,
    )
    return LeasedBoard(lab, config, lambda _text: None, modes, **options)


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
    assert "_find_port" in frames[0]
    assert "_find_port" not in frames[1]
    assert frames[1] == frames[2]


def test_the_errors_of_later_tests_keep_cause_party_and_notes():
    reason = NoAnswer("silence")
    first = BoardLost("no such port")
    first.__cause__, first.party = reason, Party.RADIO
    first.add_note("a note")
    board = leased(Lab(first))
    for _ in range(2):
        with pytest.raises(BoardLost, match="no such port") as caught:
            _ = board.opened
        error = caught.value
        assert (error.__cause__, party_of(error), error.__notes__) == (reason, Party.RADIO, ["a note"])


def test_a_board_with_another_firmware_is_told_with_the_line_that_names_it():
    lab: Any = Lab(WrongFirmware("dk-1: expected SLM, the board runs Serial Modem"))
    lab.file = SimpleNamespace(firmware_lines={"dk-1": "lab/boards.yaml:7: firmware: slm-sockets"})
    board = leased(lab)
    for _ in range(2):
        with pytest.raises(WrongFirmware, match=r"runs Serial Modem \(lab/boards.yaml:7: firmware: slm-sockets\)$"):
            _ = board.opened


def test_an_error_whose_constructor_takes_other_things_is_told_again():
    first = CloudBusy("GET", "/account", 503, None, "busy", attempts=4)
    board = leased(Lab(first))
    for _ in range(2):
        with pytest.raises(CloudBusy, match="GET /account answered 503") as caught:
            _ = board.opened
        assert caught.value.status == 503


def test_a_port_that_went_away_is_opened_anew_by_the_next_test(opened):
    board = leased(Lab())
    first = board.opened
    assert board.opened is first
    assert board.begin()
    assert board.opened is first
    first.port.alive, first.port.failure = False, BoardLost("dk-1: the port went away (hung up)")
    assert not board.begin()
    assert [event.text for event in board.timeline.since() if event.kind is Kind.FAULT] == [
        "recovery: await, because: dk-1: the port went away (hung up)"
    ]
    assert first.port.closed
    assert board.opened is opened[1]


def test_the_board_is_left_as_it_was_found_first(opened):
    board = leased(Lab())
    board.opened.port.alive = False
    board.begin()
    _ = board.opened
    board.restore()
    assert opened[1].modem.modes == [0]


def test_after_a_killed_run_the_mode_is_put_back_that_it_found(opened, tmp_path):
    modes = FoundModes(tmp_path / "modes")
    assert leased(Lab(), modes).opened.found_mode == 0  # and then it is killed
    board = leased(Lab(), modes)
    assert board.opened.found_mode == 1
    board.restore()
    assert opened[1].modem.modes == [0]
    after = leased(Lab(), modes)
    assert after.opened.found_mode == 2
    after.restore()
    assert opened[2].modem.modes == [2]


@pytest.mark.parametrize("text", ["{", '{"mode": Infinity}'])
def test_a_note_that_cannot_be_read_is_written_anew(opened, tmp_path, text):
    modes = FoundModes(tmp_path)
    (tmp_path / "350000000000001.json").write_text(text)
    board = leased(Lab(), modes)
    _ = board.opened
    assert modes.found("350000000000001", 4) == 0
    board.restore()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line(opened, tmp_path):
    (tmp_path / "modes").write_text("")
    with pytest.raises(LabError, match="--lab-ca"):
        _ = leased(Lab(), FoundModes(tmp_path / "modes")).opened
    assert opened[0].port.closed


def test_the_mode_is_put_back_also_where_a_setting_is_not(opened, tmp_path):
    def refuse(_commands):
        raise NoAnswer("bands are not taken back")

    board = leased(Lab(), FoundModes(tmp_path / "modes"))
    board.config.put_back = True
    board.opened.modem.put_back = refuse
    with pytest.raises(NoAnswer, match="not taken back"):
        board.restore()
    assert opened[0].modem.modes == [0]
    assert list((tmp_path / "modes").iterdir()) == []


def test_a_port_that_answers_no_more_is_opened_anew_too(opened):
    board = leased(Lab())
    board.opened.port.in_step = False
    assert not board.begin()
    assert board.opened is opened[1]
    board.close()
    assert board.properties() == {"recovery": "await 1"}


def test_a_port_that_went_away_is_waited_for_and_one_that_never_was_there_is_not(opened):
    lab = Lab()
    board = leased(lab)
    board.opened.port.alive = False
    board.begin()
    looked = lab.asked
    lab.failure = PortMissing("dk-1: no port")
    lab.returns_after = 2
    assert board.opened is opened[1]
    assert lab.asked == looked + 3

    absent = Lab(PortMissing("dk-1: no port"))
    with pytest.raises(PortMissing, match=r"^dk-1: no port$"):
        _ = leased(absent).opened
    assert absent.asked == 1


def test_the_wait_for_a_port_has_an_end_that_says_how_long_it_was(opened):
    lab = Lab()
    board = leased(lab)
    board.opened.port.alive = False
    board.begin()
    lab.failure = PortMissing("dk-1: no port")
    with pytest.raises(PortMissing, match=r"dk-1: no port; waited for \d s \(return_within in the boards file\)"):
        _ = board.opened
    assert lab.asked > 2


def test_what_does_not_answer_is_opened_again_and_then_its_power_is_cut(monkeypatch):
    tried, cuts = [], []

    def cut_power():
        cuts.append(None)
        return True

    def open_board(config, url, timeline, *, patience, press=None, known=None):
        tried.append(patience)
        if not cuts:
            raise NoAnswer("dk-1: no answer")
        modem = SimpleNamespace(write_settings=lambda _wanted, _note, _keep: None)
        return SimpleNamespace(kind="serial-modem", port=Port(), modem=modem, firmware="fake", found_mode=0)

    monkeypatch.setattr(recovery, "open_board", open_board)
    board = leased(Lab(), cut_power=cut_power)
    assert board.opened.found_mode == 0
    assert tried == [0.6, 0.0, 0.0]
    steps = [event.data["step"] for event in board.timeline.since() if event.kind is Kind.FAULT]
    assert steps == ["reopen", "power"]


def test_a_board_that_nothing_helps_is_out_with_the_last_error(monkeypatch):
    tried = []

    def open_board(config, url, timeline, *, patience, press=None, known=None):
        tried.append(url)
        raise NoAnswer("dk-1: no answer")

    monkeypatch.setattr(recovery, "open_board", open_board)
    board = leased(Lab())
    for _ in range(2):
        with pytest.raises(NoAnswer, match=r"^dk-1: no answer$"):
            _ = board.opened
    assert len(tried) == 2
    assert board.properties() == {"recovery": "reopen 1"}
