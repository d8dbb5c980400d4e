"""Faults of the boards file strike in the phases of trials, as often as it says; a sink never waits for itself."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.errors import Misuse
from harness.faults import Deed, Direction, Fault, Struck
from harness.lab import BoardConfig
from harness.lab.config import LocalCloudConfig
from harness.run.fault_driver import FaultDriver, has_faults
from harness.timeline import Kind, Timeline


class StandIn:
    """Notes its commands; refuses those of ``refused``."""

    def __init__(self):
        self.told = []
        self.refused = ""

    def command(self, name, **fields):
        if name == self.refused:
            raise Misuse(f"stand-ins: command {name!r} refused")
        self.told.append((name, fields))
        return {}


@pytest.fixture
def world():
    """A board and a cloud with faults for the phases action and fence; the device is not known yet."""
    commands = [
        {"command": "drop-pdn", "phase": "action", "times": 2},
        {"command": "say-line", "text": "Ready", "phase": "fence"},
        {"command": "slow-attach", "seconds": 1},
    ]
    config = BoardConfig.model_validate({"name": "a", "virtual": {}, "faults": {"commands": commands}})
    duplicate = {"command": "duplicate-client", "client_id": "{device}", "phase": "action"}
    cloud = LocalCloudConfig.model_validate({"kind": "local", "faults": {"commands": [duplicate]}})
    announced: list[str] = []
    wiring = SimpleNamespace(announce=lambda board, cloud, phase: announced.append(phase), struck=lambda *_: [])
    file = SimpleNamespace(cloud=lambda name: cloud)
    lab = SimpleNamespace(file=file, stand_ins=SimpleNamespace(wiring=wiring))
    known: dict[str, str] = {}
    board = SimpleNamespace(
        name="a",
        config=config,
        timeline=Timeline(),
        stand_in=StandIn(),
        cloud=SimpleNamespace(name="local", stand_in=StandIn()),
        properties=lambda: known,
    )
    made: Any = SimpleNamespace(lab=lab, board=board, announced=announced, known=known)
    made.begin = lambda phase: board.timeline.add(Kind.PHASE, "trial", phase, name=phase, on="begin")
    with board.timeline.sink(FaultDriver(cast(Any, lab), cast(Any, board))):
        yield made


def test_commands_are_sent_in_their_phase_as_often_as_asked(world):
    for phase in ("baseline", "action", "fence", "action", "action"):
        world.begin(phase)
    assert world.announced == ["baseline", "action", "fence", "action", "action"]
    drop, ready = ("drop-pdn", {"board": "a"}), ("say-line", {"board": "a", "text": "Ready"})
    assert world.board.stand_in.told == [drop, ready, drop]
    assert "drop-pdn in phase action" in [event.text for event in world.board.timeline.since()]


def test_the_devices_id_is_filled_in_when_it_is_known(world):
    world.begin("action")
    assert world.board.cloud.stand_in.told == []
    text = "duplicate-client in phase action came to nothing: the board's device is not known yet"
    assert text in [event.text for event in world.board.timeline.since()]
    world.known["device_id"] = "nrf-1"
    world.begin("action")
    assert world.board.cloud.stand_in.told == [("duplicate-client", {"client_id": "nrf-1"})]


def test_a_command_that_is_refused_breaks_no_trial(world):
    world.board.stand_in.refused = "drop-pdn"
    world.begin("action")
    assert any("came to nothing: stand-ins: command 'drop-pdn' refused" in e.text for e in world.board.timeline.since())


def test_what_a_phase_ends_with_starts_nothing(world):
    world.board.timeline.add(Kind.PHASE, "trial", "action ends", name="action", on="end")
    assert world.board.stand_in.told == []


def test_has_faults(world):
    assert has_faults(world.lab, world.board)
    world.board.config = BoardConfig.model_validate({"name": "a", "virtual": {}})
    world.lab.file = SimpleNamespace(cloud=lambda name: LocalCloudConfig.model_validate({"kind": "local"}))
    assert not has_faults(world.lab, world.board)


def test_what_struck_on_the_line_is_told_apart_from_what_struck_on_the_way_to_the_cloud(world):
    line = {"deed": "garble", "direction": "in", "byte": 500}
    world.board.config = BoardConfig.model_validate({"name": "a", "virtual": {}, "faults": {"line": [line]}})
    cut = Struck(Fault(Deed.RST, age=1.0), 1, 1.0, 0, "")
    struck = [Struck(Fault(Deed.GARBLE, Direction.IN, byte=500), 1, 2.0, 3, ""), cut]
    world.lab.stand_ins.wiring.struck = lambda *_: [struck.pop(0)] if struck else []
    world.begin("action")
    world.begin("fence")
    assert [event.data["wire"] for event in world.board.timeline.since() if "wire" in event.data] == ["line", "network"]
