"""The steps by which a board is got back: in which order, how often, and what an error in one of them costs."""

from types import SimpleNamespace
from typing import Any

import pytest

from harness.at import AtPort, PortSettings
from harness.errors import BoardLost, LabError, NoAnswer, PortBusy, PortMissing
from harness.run import recovery
from harness.run.open_board import Known
from harness.run.recovery import MOST_RESETS, Recovery
from harness.settings import FirmwareName
from harness.timeline import Kind, Timeline

SILENT = NoAnswer("dk-1: no answer")
FOUND = PortSettings(baudrate=460800, terminator="\r\n")
OPENED: Any = SimpleNamespace(kind="serial-modem", port=SimpleNamespace(settings=FOUND))


class Port:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Lab:
    """``answers``: what opening the board gives, in order. ``port``, ``reset``: what raises there, or what it gives."""

    def __init__(
        self, monkeypatch, *answers, port=None, reset=True, power=True, noise=(Kind.RX, "%&!?"), firmware="serial-modem"
    ):
        self.timeline = Timeline()
        self.answers = list(answers)
        self.port, self.reset, self.power, self.noise = port, reset, power, noise
        self.done: list[str] = []
        config: Any = SimpleNamespace(
            name="dk-1", return_within=0.0, firmware=firmware, baud=115200, flow_control=False, cloud_library=None
        )
        monkeypatch.setattr(recovery, "open_board", self.open_board)
        monkeypatch.setattr(recovery, "reset_blindly", self.reset_blindly)
        monkeypatch.setattr(AtPort, "open", self.open_port)
        self.recovery = Recovery(config, lambda: "loop://", self.timeline, self.cut_power)

    def open_board(self, *_given, patience, press=None, known=None):
        self.done.append("open")
        self.known = known
        kind, text = self.noise
        self.timeline.add(kind, "dk-1", text)  # what hears something may be helped by a reset
        return self.give(self.answers.pop(0))

    def open_port(self, *_given, settings, **_named):
        self.settings = settings
        return Port() if self.port is None else self.give(self.port)

    def reset_blindly(self, _port, _firmware):
        self.done.append("reset")
        return self.give(self.reset)

    def cut_power(self):
        self.done.append("power")
        return self.power

    @staticmethod
    def give(what):
        if isinstance(what, Exception):
            raise what
        return what

    def faults(self):
        return [event.text for event in self.timeline.since() if event.kind is Kind.FAULT]


def test_each_step_once_in_order(monkeypatch):
    lab = Lab(monkeypatch, SILENT, SILENT, SILENT, SILENT)
    with pytest.raises(NoAnswer):
        lab.recovery.open(returning=False)
    assert lab.done == ["open", "open", "reset", "open", "power", "open"]
    assert lab.recovery.taken == {"reopen": 1, "reset": 1, "power": 1}


def test_what_is_not_known_gets_no_command_that_would_restart_it(monkeypatch):
    lab = Lab(monkeypatch, SILENT, SILENT, OPENED, SILENT, SILENT, OPENED, firmware=None)
    lab.recovery.open(returning=False)
    assert lab.done == ["open", "open", "power", "open"]
    assert lab.known is None
    lab.recovery.open(returning=True)  # by now it is known
    assert lab.known == Known(FirmwareName.SERIAL_MODEM, FOUND)
    assert lab.done[4:] == ["open", "open", "reset", "open"]
    assert lab.settings == FOUND  # the speed too: the boards file's may be another


@pytest.mark.parametrize("trouble", [PortMissing("gone"), PortBusy("taken"), BoardLost("hung up")])
def test_a_port_that_cannot_be_opened_for_the_reset_does_not_keep_power_away(monkeypatch, trouble):
    lab = Lab(monkeypatch, SILENT, SILENT, OPENED, port=trouble)
    assert lab.recovery.open(returning=False) is OPENED
    assert lab.done == ["open", "open", "power", "open"]
    assert lab.recovery.taken == {"reopen": 1, "power": 1}
    assert f"recovery: no reset: {trouble}" in lab.faults()


@pytest.mark.parametrize("trouble", [NoAnswer("no Ready"), BoardLost("hung up")])
def test_a_reset_that_was_not_seen_counts_and_power_comes_next(monkeypatch, trouble):
    lab = Lab(monkeypatch, SILENT, SILENT, SILENT, OPENED, reset=trouble)
    assert lab.recovery.open(returning=False) is OPENED
    assert lab.done == ["open", "open", "reset", "open", "power", "open"]
    assert lab.recovery.taken["reset"] == 1
    assert f"recovery: the board was reset, and was not seen to start: {trouble}" in lab.faults()


def test_resets_that_were_not_seen_end_too(monkeypatch):
    lab = Lab(monkeypatch, reset=NoAnswer("no Ready"), power=False)
    for _ in range(MOST_RESETS + 2):
        lab.answers = [SILENT] * 3
        with pytest.raises(LabError):
            lab.recovery.open(returning=False)
    assert lab.done.count("reset") == MOST_RESETS


def test_a_board_that_vanishes_after_a_step_gets_the_next_one(monkeypatch):
    lab = Lab(monkeypatch, SILENT, BoardLost("hung up"), PortMissing("gone"), OPENED)
    assert lab.recovery.open(returning=False) is OPENED
    assert lab.done[-2:] == ["power", "open"]


def test_a_port_that_another_has_is_no_reason_to_cut_power(monkeypatch):
    lab = Lab(monkeypatch, SILENT, PortBusy("taken"))
    with pytest.raises(PortBusy):
        lab.recovery.open(returning=False)
    assert "power" not in lab.done


def test_a_board_that_says_nothing_is_not_reset(monkeypatch):
    lab = Lab(monkeypatch, SILENT, SILENT, SILENT, noise=(Kind.RESULT, "no answer"))
    with pytest.raises(NoAnswer):
        lab.recovery.open(returning=False)
    assert lab.done == ["open", "open", "power", "open"]


def test_a_firmware_without_a_reset_is_not_counted(monkeypatch):
    lab = Lab(monkeypatch, SILENT, SILENT, reset=False, power=False)
    with pytest.raises(NoAnswer):
        lab.recovery.open(returning=False)
    assert lab.recovery.taken == {"reopen": 1}
