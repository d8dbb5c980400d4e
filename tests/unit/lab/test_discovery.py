from dataclasses import dataclass

import pytest

from harness.errors import PortMissing
from harness.lab import find_port, list_kits
from harness.lab.discovery import in_place_of_device
from harness.lab.lease import port_key


@dataclass
class Port:
    """A port as pyserial lists it on Linux."""

    device: str
    hwid: str
    vid: int | None = None
    serial_number: str | None = None
    location: str | None = None
    product: str | None = None


def usb(device, vid, pid, serial, interface, product=""):
    location = f"3-12.1.3.2.1.4:1.{interface}"
    hwid = f"USB VID:PID={vid:04X}:{pid:04X} SER={serial} LOCATION={location}"
    return Port(device, hwid, vid, serial, location, product)


DK = [
    usb("/dev/ttyACM3", 0x1366, 0x1059, "001051216197", 2, "J-Link"),
    usb("/dev/ttyACM2", 0x1366, 0x1059, "001051216197", 0, "J-Link"),
]
THINGY = [
    usb("/dev/ttyACM1", 0x1915, 0x910A, "THINGY91X_135CE6BA227", 4, "Thingy:91 X UART"),
    usb("/dev/ttyACM0", 0x1915, 0x910A, "THINGY91X_135CE6BA227", 1, "Thingy:91 X UART"),
]
FTDI = [usb(f"/dev/ttyUSB{n}", 0x0403, 0x6011, "FT4", n, "Quad") for n in range(4)]
ONBOARD = [Port("/dev/ttyS0", "n/a")]


def ports():
    return [*ONBOARD, *FTDI, *DK, *THINGY]


@pytest.mark.parametrize(
    ("serial", "vcom", "device"),
    [
        ("001051216197", 0, "/dev/ttyACM2"),
        ("1051216197", 0, "/dev/ttyACM2"),
        ("1051216197", 1, "/dev/ttyACM3"),
        ("THINGY91X_135CE6BA227", 0, "/dev/ttyACM0"),
        ("thingy91x_135ce6ba227", 1, "/dev/ttyACM1"),
        ("FT4", 3, "/dev/ttyUSB3"),
    ],
)
def test_find_port(serial, vcom, device):
    assert find_port(serial, vcom, comports=ports) == device


def test_the_serial_number_may_be_in_the_hwid_alone():
    bare = [Port(port.device, port.hwid, port.vid) for port in DK]
    assert find_port("1051216197", comports=lambda: bare) == "/dev/ttyACM2"


def test_interfaces_are_ordered_as_numbers():
    many = [usb(f"/dev/ttyACM{n}", 0x1366, 0x1055, "000960012345", n) for n in (10, 2, 0)]
    assert [find_port("960012345", n, comports=lambda: many) for n in range(3)] == [
        "/dev/ttyACM0",
        "/dev/ttyACM2",
        "/dev/ttyACM10",
    ]


def adapter(number, serial="0001"):
    location = f"1-2.{number}"
    hwid = f"USB VID:PID=10C4:EA60 SER={serial} LOCATION={location}"
    return Port(f"/dev/ttyUSB{number}", hwid, 0x10C4, serial, location, "CP2102")


def test_a_number_that_several_devices_share_is_not_guessed_at():
    three = [adapter(1), adapter(2), adapter(3)]
    with pytest.raises(PortMissing) as caught:
        find_port("0001", 1, comports=lambda: three)
    assert str(caught.value) == (
        "3 USB devices have serial number 0001 (location 1-2.1: /dev/ttyUSB1; location 1-2.2: /dev/ttyUSB2;"
        " location 1-2.3: /dev/ttyUSB3); say which one: add location: to the board,"
        " or name port: (of /dev/serial/by-path) in place of serial:"
    )
    assert find_port("0001", location="1-2.2", comports=lambda: three) == "/dev/ttyUSB2"
    with pytest.raises(PortMissing, match=r"^kit 0001 has no vcom 1, its ports are /dev/ttyUSB2; "):
        find_port("0001", 1, location="1-2.2", comports=lambda: three)
    with pytest.raises(PortMissing, match=r"^no USB kit with serial number 0001 at location 1-9; "):
        find_port("0001", location="1-9", comports=lambda: three)


@pytest.mark.parametrize("wanted", ["682452128", "000682452128", "0682452128"])
def test_numbers_that_differ_in_leading_zeros_alone_are_not_guessed_at(wanted):
    two = [adapter(1, "682452128"), adapter(2, "000682452128")]
    with pytest.raises(PortMissing, match=f"^2 USB devices have serial number {wanted} "):
        find_port(wanted, comports=lambda: two)


def test_known_vendors_come_first():
    assert [kit.serial for kit in list_kits(ports)] == ["001051216197", "THINGY91X_135CE6BA227", "FT4"]


def test_a_missing_kit_lists_those_that_are_there():
    with pytest.raises(PortMissing) as caught:
        find_port("42", comports=lambda: [*DK, *THINGY])
    assert str(caught.value) == (
        "no USB kit with serial number 42; plug it in, or correct the boards file; there:"
        " 001051216197 (J-Link): /dev/ttyACM2, /dev/ttyACM3;"
        " THINGY91X_135CE6BA227 (Thingy:91 X UART): /dev/ttyACM0, /dev/ttyACM1"
    )
    with pytest.raises(PortMissing, match="there: none"):
        find_port("42", comports=list)


def test_a_missing_port_of_a_kit_lists_its_ports():
    with pytest.raises(PortMissing, match="has no vcom 2, its ports are /dev/ttyACM2, /dev/ttyACM3;"):
        find_port("1051216197", 2, comports=ports)


@pytest.mark.parametrize(
    ("port", "key"),
    [
        ("/dev/ttyACM2", "usb-1051216197"),
        ("/dev/ttyACM3", "usb-1051216197"),  # another port of the same board
        ("/dev/ttyACM0", "usb-THINGY91X_135CE6BA227"),
        ("/dev/ttyUSB1", "port_dev_ttyUSB1"),  # one board on each port of an adapter
        ("/dev/ttyS0", "port_dev_ttyS0"),
        ("rfc2217://Rack-3.lan:4001", "net-rack-3.lan-4001"),
        ("rfc2217://rack-3.lan:4001?ign_set_control", "net-rack-3.lan-4001"),
        ("socket://[::1]:5000", "net-__1-5000"),
    ],
)
def test_port_key_is_the_hardware(port, key):
    assert port_key(port, comports=ports) == key


def test_port_key_sees_through_links(tmp_path):
    link = tmp_path / "by-id"
    link.symlink_to("/dev/ttyACM2")
    assert port_key(str(link), comports=ports) == "usb-1051216197"


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("/dev/ttyACM9", True),
        ("/dev/serial/by-id/usb-x", True),
        ("/dev/shm/somebodys", False),
        ("/dev/../etc/passwd", False),
        ("/etc/passwd", False),
    ],
)
def test_only_below_dev_a_plain_file_stands_in_place_of_a_device(path, is_one):
    assert in_place_of_device(path) is is_one
