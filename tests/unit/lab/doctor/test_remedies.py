"""Remedies that fit the trouble: of a board that does not answer, and of labgrid."""

from contextlib import contextmanager

import pytest

from harness.at.serial_link import NoSerialPort
from harness.errors import LabError, NoAnswer
from harness.lab.config import BoardConfig
from harness.lab.doctor import Status, board, places
from harness.lab.places.config import LabgridConfig
from harness.lab.places.places import Places

SWITCH = {"kind": "command", "on": ["x"], "off": ["x"]}


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (NoAnswer("silent"), "nrf91-harness power dk-1 cycle"),
        (NoSerialPort("/dev/null is not a serial port; correct port:"), "nrf91-harness boards list"),
        (LabError("labgrid is not installed"), "nrf91-harness boards list"),
    ],
)
def test_power_is_for_a_board_that_does_not_answer(error, remedy):
    @contextmanager
    def reach():
        raise error
        yield ""

    config = BoardConfig.model_validate({"name": "dk-1", "port": "/dev/null", "power": SWITCH})
    (found,) = board.check(config, reach, lambda _imei, _tag: set()).look()
    assert (found.status, found.remedy) == (Status.FAIL, remedy)


@pytest.mark.parametrize("installed", [True, False])
def test_labgrids_tool_is_named_where_it_is_with_its_coordinator(tmp_path, installed):
    client = tmp_path / ".labgrid" / "bin" / "labgrid-client"
    if installed:
        client.parent.mkdir(parents=True)
        client.touch()
    refusing = Places(lambda *_, **__: {"ok": False, "kind": "unreachable", "error": "nobody is there"})
    config = BoardConfig.model_validate({"name": "dk-1", "place": "dk-1"})
    (found,) = places.check(refusing, config, "dk-1", LabgridConfig(coordinator="rack.lan:20408"), tmp_path).look()
    assert found.remedy == (f"{client} -x rack.lan:20408 who" if installed else "make labgrid-env")
