"""A board that is named by a plain port, and comes back under another name."""

import pytest

from harness.lab.seen_ports import SeenPorts
from tests.unit.lab.test_discovery import usb


class Attached:
    """``ports``: what pyserial lists. Devices are files in ``folder``."""

    def __init__(self, folder):
        self.folder = folder
        self.ports = []

    def path(self, name):
        return str(self.folder / name)

    def plug(self, name, serial, interface=0, location="3-1"):
        (self.folder / name).touch()
        port = usb(self.path(name), 0x1366, 0x1059, serial, interface)
        port.location = f"{location}:1.{interface}"
        port.hwid = port.hwid.partition(" LOCATION")[0] + f" LOCATION={port.location}"
        self.ports.append(port)

    def unplug(self, *names):
        for name in names:
            (self.folder / name).unlink()
        self.ports = [port for port in self.ports if port.device not in map(self.path, names)]


@pytest.fixture
def attached(tmp_path):
    return Attached(tmp_path)


@pytest.fixture
def seen(attached):
    return SeenPorts(lambda: attached.ports)


def test_a_device_that_comes_back_under_another_name_is_found(attached, seen):
    attached.plug("ttyACM0", "001051216197", 0)
    attached.plug("ttyACM1", "001051216197", 2)
    port = attached.path("ttyACM1")
    assert seen.find(port) == port
    attached.unplug("ttyACM0", "ttyACM1")
    assert seen.find(port) is None
    attached.plug("ttyACM2", "1051216197", 0)
    attached.plug("ttyACM3", "1051216197", 2)
    assert seen.find(port) == attached.path("ttyACM3")
    attached.unplug("ttyACM2", "ttyACM3")
    attached.plug("ttyACM0", "001051216197", 0)
    attached.plug("ttyACM1", "001051216197", 2)
    assert seen.find(port) == port


def test_another_board_that_has_the_name_by_then_is_not_taken_for_it(attached, seen):
    attached.plug("ttyACM0", "1")
    attached.plug("ttyACM1", "2")
    first, second = attached.path("ttyACM0"), attached.path("ttyACM1")
    assert (seen.find(first), seen.find(second)) == (first, second)
    attached.unplug("ttyACM0", "ttyACM1")
    attached.plug("ttyACM0", "2")
    assert (seen.find(first), seen.find(second)) == (None, first)
    attached.plug("ttyACM1", "1")
    assert (seen.find(first), seen.find(second)) == (second, first)


def test_of_several_with_one_number_the_place_decides(attached, seen):
    attached.plug("ttyACM0", "1", location="3-1")
    attached.plug("ttyACM1", "1", location="3-2")
    port = attached.path("ttyACM1")
    assert seen.find(port) == port
    attached.unplug("ttyACM1")
    attached.plug("ttyACM4", "1", location="3-2")
    assert seen.find(port) == attached.path("ttyACM4")


def test_what_is_no_usb_device_is_where_it_is(attached, seen):
    (attached.folder / "pts").touch()
    assert seen.find(attached.path("pts")) == attached.path("pts")
    (attached.folder / "pts").unlink()
    assert seen.find(attached.path("pts")) is None
