"""Boards files against what is attached: entries that are one board, ports that are not there, shared numbers."""

import pytest

from harness.lab import BoardsFileError, hardware_checks, load_boards_file
from tests.unit.lab.test_discovery import DK, FTDI, THINGY, adapter

HEAD = "boards:\n"


@pytest.fixture
def load(tmp_path):
    """Read boards that are given as YAML, one in a line from line 2 on; return the mistakes."""

    def load(*boards, attached=()):
        path = tmp_path / "boards.yaml"
        lines = [
            f"  - {{name: b{n}, cloud: nrfcloud, {board}}}\n".replace(", cloud: nrfcloud", "", "cloud:" in board)
            for n, board in enumerate(boards)
        ]
        path.write_text(HEAD + "".join(lines))
        try:
            load_boards_file(path, comports=lambda: attached)
        except BoardsFileError as error:
            return [line.removeprefix(f"{path}:") for line in error.lines]
        return []

    return load


def same(first, second, column):
    text = f"is the same one: {first} and {second} lead to one device; remove one of the two entries, or correct it"
    return [f"3:{column}: board 'b0', in line 2, {text}"]


def test_two_links_to_one_device(load, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).symlink_to("/dev/null")
    first, second = tmp_path / "a", tmp_path / "b"
    assert load(f"port: {first}", f"port: {second}") == same(f"port {first}", f"port {second}", 39)
    assert load(f"port: {first}", "port: /dev/zero") == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("rfc2217://rack.lan:4001", "rfc2217://RACK.lan:4001"),
        ("rfc2217://rack.lan:4001", "socket://rack.lan:4001"),
    ],
)
def test_two_urls_of_one_server(load, first, second):
    assert load(f"port: {first}", f"port: {second}") == same(f"port {first}", f"port {second}", 39)
    assert load(f"port: {first}", "port: socket://rack.lan:4002") == []


@pytest.mark.parametrize("attached", [[], DK, THINGY])
@pytest.mark.parametrize(
    ("first", "second"),
    [("001051216197", "1051216197"), ("THINGY91X_135CE6BA227", "thingy91x_135ce6ba227")],
)
def test_one_serial_number_in_two_spellings(load, first, second, attached):
    found = load(f'serial: "{first}"', f'serial: "{second}"', attached=attached)
    assert found == same(f"serial {first}", f"serial {second}", 41)


def test_two_ports_of_a_kit_are_one_board_and_of_an_adapter_two(load):
    kit = ['serial: "1051216197"', 'serial: "1051216197", vcom: 1']
    assert load(*kit, attached=DK) == same("serial 1051216197", "serial 1051216197 vcom 1", 41)
    assert load(*kit) == []  # not attached: nobody knows what it is
    adapters = ['serial: "FT4"', 'serial: "FT4", vcom: 1']
    assert load(*adapters, attached=FTDI) == []


def test_a_serial_number_and_the_port_that_it_has(load):
    assert load('serial: "1051216197"', "port: /dev/ttyACM3", attached=DK) == same(
        "serial 1051216197", "port /dev/ttyACM3", 39
    )


def test_a_vcom_that_the_kit_does_not_have(load):
    board = 'serial: "1051216197", vcom: 2'
    (found,) = load(board, attached=DK)
    assert found.startswith("2:61: kit 1051216197 has no vcom 2, its ports are /dev/ttyACM2, /dev/ttyACM3; correct ")
    assert load(board) == []


def test_a_number_that_several_devices_share(load):
    three = [adapter(1), adapter(2), adapter(3)]
    (found,) = load('serial: "0001", vcom: 1', attached=three)
    assert found.startswith("2:41: 3 USB devices have serial number 0001 (location 1-2.1: /dev/ttyUSB1; location ")
    named = [f'serial: "0001", location: "1-2.{number}"' for number in (1, 2, 3)]
    assert load(*named, attached=three) == []
    assert load(*named) == []
    assert load(named[0], named[0]) == same("serial 0001", "serial 0001", 41)


@pytest.mark.parametrize("url", ["rfc2217://rack", "socket://rack:", "rfc2217://:4001", "socket://rack:70000"])
def test_a_url_without_host_or_port(load, url):
    text = "it must name host and port (1 to 65535), e.g. rfc2217://rack-3.lan:4001; correct it"
    assert load(f'port: "{url}"') == [f"2:39: 'port' cannot be '{url}': {text}"]


def test_one_device_id_twice(load):
    device = "virtual: {}, device_id: d"
    text = "device id 'd' belongs to board 'b0' already, in line 2; give each its own"
    (found,) = load(device, device)
    assert found.endswith(text)
    assert load(device, f"{device}, cloud: local") == []


def test_a_real_board_on_a_local_cloud(load):
    (found,) = load("port: /dev/null, cloud: local")
    assert found == "2:40: a real board cannot reach 'local': only this computer can; write cloud: nrfcloud"
    assert load("virtual: {}, cloud: local") == []


def test_a_location_without_a_serial_number(load):
    (found,) = load("port: /dev/null, location: 1-2")
    assert found.endswith("'location' chooses among devices with one serial number; give 'serial' or remove 'location'")


def test_a_plain_file_is_no_port_and_is_removed_in_place_of_a_device_only(load, tmp_path, monkeypatch):
    plain = tmp_path / "ttyACM0"
    plain.touch()
    assert load(f"port: {plain}") == [f"2:39: {plain} is a plain file, not a device; correct port:"]
    monkeypatch.setattr(hardware_checks, "in_place_of_device", lambda _path: True)
    assert load(f"port: {plain}") == [
        f"2:39: {plain} is a plain file, not a device; remove it, and plug the kit in: sudo rm {plain}"
    ]
