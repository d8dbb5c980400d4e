"""A board whose firmware nobody named, and which has stopped answering since it was found out."""

import sys

import pytest

from harness.at import PortSettings
from harness.errors import NoAnswer
from harness.firmware import NothingKnown
from harness.firmware.detection import NotAnswering, PortState
from harness.lab import BoardConfig
from harness.run.open_board import Known, open_board
from harness.settings import FirmwareName
from tests.fake import Fake

MODULE = sys.modules[open_board.__module__]


class Port(Fake):
    """Nobody asks it anything here."""

    name = "b"


@pytest.mark.parametrize("state", list(PortState))
def test_what_it_does_instead_of_answering_is_told_with_its_cure(monkeypatch, state):
    def silent(port, kind, *, patience):
        raise NoAnswer("no answer to AT")

    def nothing(port):
        raise NothingKnown("b", NotAnswering(state))

    monkeypatch.setattr(MODULE, "synchronise", silent)
    monkeypatch.setattr(MODULE, "find_firmware", nothing)
    config = BoardConfig(name="b", port="/dev/b")
    assert config.firmware is None
    with pytest.raises(NoAnswer) as caught:
        MODULE._synchronised(Port(), config, 0.0, Known(FirmwareName.SERIAL_MODEM, PortSettings()))
    if state is PortState.SILENT:
        assert str(caught.value) == "no answer to AT"
    else:
        assert f"the board {NotAnswering(state)}" in str(caught.value)
