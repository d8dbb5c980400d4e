"""What is said of a port on which somebody else speaks."""

import os

import pytest

from harness.at import foreign_writer as module
from harness.at.foreign_writer import LINE_FAULT, foreign_writer
from harness.at.holders import Holder
from harness.timeline import Kind, Timeline

HEAD = "something else writes to this port: ModemManager?"
CURE = '; end it, or tell it to leave the port alone (udev: ENV{ID_MM_DEVICE_IGNORE}="1")'


@pytest.fixture
def held(monkeypatch):
    """Have ``holders`` find these for any port; the ports that were asked about."""
    asked = []

    def install(*found):
        def holders(ports):
            asked.append(ports)
            return {port: list(found) for port in ports}

        monkeypatch.setattr(module, "holders", holders)
        return asked

    return install


def test_the_processes_that_hold_it_are_named_but_our_own(held):
    others = [Holder(11, "minicom"), Holder(os.getpid(), "python"), Holder(12, "ModemManager")]
    asked = held(*others)
    said = foreign_writer("/dev/ttyACM0", Timeline())
    assert said == f"{HEAD}; it is open in {others[0]}, {others[2]}, too{CURE}"
    assert asked == [["/dev/ttyACM0"]]


def test_nobody_else_holds_it(held):
    held(Holder(os.getpid(), "python"))
    assert foreign_writer("/dev/ttyACM0", Timeline()) == HEAD + CURE


def test_holders_of_a_port_on_another_computer_are_not_looked_for(held):
    asked = held(Holder(11, "minicom"))
    assert foreign_writer("socket://rack:4000", Timeline()) == HEAD + CURE
    assert asked == [[]]


def test_faults_that_the_boards_file_asks_for_are_named_and_nobody_else(held):
    held(Holder(11, "minicom"))
    timeline = Timeline()
    timeline.add(Kind.STEP, "faults", "a fault struck: rst at age 1.0 (out)", wire="network")
    assert foreign_writer("/dev/ttyACM0", timeline).startswith(HEAD)
    timeline.add(Kind.STEP, "faults", "a fault struck: garble at byte 500 (in)", wire=LINE_FAULT)
    assert foreign_writer("/dev/ttyACM0", timeline) == (
        "a fault on this port that was asked for looks like this: a fault struck: garble at byte 500 (in)"
    )


def test_faults_that_a_stand_in_was_told_are_named_where_they_change_what_the_port_says(held):
    held()
    timeline = Timeline()
    timeline.add(Kind.RX, "dk-1", "say-line in phase action")
    timeline.add(Kind.STEP, "faults", "drop-pdn in phase action")
    assert foreign_writer("/dev/ttyACM0", timeline).startswith(HEAD)
    timeline.add(Kind.STEP, "faults", "say-line in phase action")
    assert foreign_writer("/dev/ttyACM0", timeline).endswith(
        "that was asked for looks like this: say-line in phase action"
    )
