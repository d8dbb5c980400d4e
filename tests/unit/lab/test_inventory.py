"""What is attached, from fake USB trees: kits, ports by role, who holds them, and what the boards file says of them."""

import os

import pytest

from harness.at.holders import Holder
from harness.lab import Lease
from harness.lab.config import BoardConfig
from harness.lab.inventory import as_data, take_inventory
from tests.unit.lab.test_discovery import DK, FTDI, ONBOARD, THINGY, Port, adapter, usb

NRF9160 = [usb(f"/dev/ttyACM{n}", 0x1366, 0x1055, "000960012345", n * 2, "J-Link") for n in range(3)]
THINGY91 = [usb(f"/dev/ttyACM{n}", 0x1915, 0x9100, "PCA20035_1", n, "Thingy:91 UART") for n in (7, 8)]
NRF5340 = [usb("/dev/ttyACM9", 0x1366, 0x1059, "001050012345", 0, "J-Link")]


@pytest.fixture
def look(tmp_path):
    """Take the inventory of given ports and boards."""
    for name in ("leases", "proc"):
        (tmp_path / name).mkdir()

    def look(ports, *boards, **folders):
        folders = {"leases": tmp_path / "leases", "proc": tmp_path / "proc", "by_path": tmp_path / "none"} | folders
        return take_inventory(
            [BoardConfig(name=f"b{n}", **board) for n, board in enumerate(boards)], comports=lambda: ports, **folders
        )

    return look


@pytest.mark.parametrize(
    ("ports", "name", "roles", "flow_control"),
    [
        (DK, "nRF9151 DK", ["AT", "log"], True),
        (NRF9160, "nRF9160 DK", ["AT", "nRF52840", "log"], True),
        (THINGY, "Thingy:91 X", ["AT", "second UART"], False),
        (THINGY91, "Thingy:91", ["AT", "second UART"], False),
        ([usb("/dev/ttyACM0", 0x1366, 0x1059, "001050965037", 0)], "nRF9161 DK", ["AT"], True),
        ([usb("/dev/ttyACM0", 0x1915, 0x910A, "", 0, "Thingy:91 X UART")], "Thingy:91 X", ["AT"], False),
        (NRF5340, "nRF5340 DK", ["unknown"], False),
        (FTDI[:1], "Quad", ["unknown"], False),
    ],
)
def test_what_a_kit_is_and_what_its_ports_carry(look, ports, name, roles, flow_control):
    (found,) = look(ports).attached
    assert (found.kind.name, [port.role for port in found.ports]) == (name, roles)
    assert found.kind.flow_control is flow_control


def test_ports_that_are_no_usb_device_are_left_out(look):
    assert look(ONBOARD).attached == ()


def test_a_board_is_found_by_serial_number_by_port_and_by_link(look, tmp_path):
    link = tmp_path / "link"
    link.symlink_to("/dev/ttyACM0")
    found = look([*DK, *THINGY], {"serial": "1051216197"}, {"port": str(link)})
    assert [each.boards for each in found.attached] == [("b0",), ("b1",)]
    assert found.absent == ()


def test_what_is_absent(look):
    boards = [
        {"serial": "42"},
        {"serial": "1051216197", "location": "1-9"},
        {"port": "/dev/ttyACM77"},
        {"port": "socket://rack.lan:1"},
        {"virtual": {}},
    ]
    found = look(DK, *boards)
    assert found.absent == (
        ("b0", "serial 42"),
        ("b1", "serial 1051216197 at location 1-9"),
        ("b2", "port /dev/ttyACM77"),
    )


def test_equal_serial_numbers_are_not_taken_for_one_kit(look):
    found = look([adapter(1), adapter(2), adapter(3)], {"serial": "0001"}, {"serial": "1", "location": "1-2.2"})
    assert [each.doubt for each in found.attached] == ["3 devices have this serial number"] * 3
    assert [each.boards for each in found.attached] == [(), ("b1",), ()]


def test_numbers_that_differ_in_leading_zeros_are_doubtful(look):
    found = look([adapter(1, "682452128"), adapter(2, "000682452128")])
    assert [each.doubt for each in found.attached] == ["2 devices have this serial number"] * 2


def test_a_kit_without_a_serial_number(look):
    bare = [Port(port.device, "USB VID:PID=1366:1059 LOCATION=1-3:1.0", 0x1366, "", "1-3:1.0") for port in DK]
    (found,) = look(bare).attached
    assert (found.doubt, found.kit.location, len(found.ports)) == ("it has no USB serial number", "1-3", 2)


def test_plain_files_named_like_ports(look, tmp_path):
    plain = tmp_path / "ttyACM5"
    plain.write_text("AT\r")
    found = look([Port(str(plain), "n/a"), *DK])
    assert found.plain_files == (str(plain),)
    assert len(found.attached) == 1


def test_who_holds_a_port(look, tmp_path):
    proc = tmp_path / "proc" / "123"
    (proc / "fd").mkdir(parents=True)
    (proc / "fd" / "5").symlink_to("/dev/ttyACM3")
    (proc / "comm").write_text("ModemManager\n")
    (proc / "cmdline").write_bytes(b"/usr/sbin/ModemManager\0")
    (found,) = look(DK).attached
    assert [port.holders for port in found.ports] == [(), (Holder(123, "ModemManager"),)]
    assert not found.free


def test_the_process_behind_a_virtual_board_does_not_hold_it(look, tmp_path):
    proc = tmp_path / "proc" / "123"
    (proc / "fd").mkdir(parents=True)
    (proc / "fd" / "5").symlink_to("/dev/ttyACM3")
    (proc / "comm").write_text("python\n")
    (proc / "cmdline").write_bytes(b"python\0-m\0harness.virtual\0")
    (found,) = look(DK).attached
    assert found.free


def test_who_has_the_lease(look, tmp_path):
    with Lease("dk-1", "usb-1051216197", folder=tmp_path / "leases"):
        (found,) = look(DK).attached
        assert found.owner is not None
        assert found.owner.said["pid"] == os.getpid()
    (found,) = look(DK).attached
    assert found.owner is None
    assert found.free


def test_as_data_is_plain(look):
    (kit,) = as_data(look(DK, {"serial": "1051216197"}))["kits"]
    assert kit["boards"] == ["b0"]
    assert kit["ports"][0] == {"device": "/dev/ttyACM2", "vcom": 0, "role": "AT", "holders": []}
