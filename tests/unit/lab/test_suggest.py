"""Entries for kits that a boards file does not name, and how they get into the file."""

import stat

import pytest
import yaml

from harness.errors import Misuse
from harness.lab import load_boards_file
from harness.lab.merging import merged, write_merged
from harness.lab.suggest import BoardEntry, suggest
from tests.unit.lab.test_discovery import DK, FTDI, THINGY, Port, adapter, usb
from tests.unit.lab.test_inventory import NRF5340, NRF9160
from tests.unit.lab.test_inventory import look as look

DK_ENTRY = BoardEntry({"name": "dk-1", "serial": "001051216197", "cloud": "nrfcloud"}, "nRF9151 DK")


def suggested(inventory, *, names=(), asked=None):
    return suggest(inventory, names, cloud="nrfcloud", asked=asked or {})


def test_each_kind_of_kit_gets_what_it_needs(look):
    found = suggested(look([*DK, *NRF9160, *THINGY]))
    assert [dict(entry.keys) for entry in found.entries] == [
        {"name": "nrf9160dk-1", "serial": "000960012345", "flow_control": True, "cloud": "nrfcloud"},
        {"name": "nrf9151dk-1", "serial": "001051216197", "flow_control": True, "cloud": "nrfcloud"},
        {"name": "thingy91x-1", "serial": "THINGY91X_135CE6BA227", "cloud": "nrfcloud"},
    ]
    assert found.refused == ()


def test_names_that_are_taken_are_not_given_again(look):
    found = suggested(look(DK), names=["nrf9151dk-1", "nrf9151dk-2"])
    assert found.entries[0].keys["name"] == "nrf9151dk-3"


def test_a_kit_that_the_file_names_is_not_suggested(look):
    assert suggested(look(DK, {"serial": "1051216197"})).entries == ()


def test_what_is_no_nrf91_kit_is_refused_with_the_reason(look, tmp_path):
    plain = tmp_path / "ttyACM5"
    plain.touch()
    found = suggested(look([*NRF5340, *FTDI, Port(str(plain), "n/a")]))
    assert found.entries == ()
    assert found.refused == (
        f"{plain}: a plain file, not a device; remove it: sudo rm {plain}",
        "nRF5340 DK 001050012345 (/dev/ttyACM9): it has no nRF91",
        "Quad FT4 (/dev/ttyUSB0): not a kit of SEGGER or Nordic; if a board is behind it, add it by hand with port:",
    )


def test_equal_serial_numbers_are_told_apart_by_location(look):
    twins = [usb(f"/dev/ttyACM{n}", 0x1366, 0x1059, "001051216197", 0) for n in (1, 2)]
    for n, port in enumerate(twins):
        port.location = f"1-2.{n}:1.0"
    found = suggested(look(twins))
    assert [(entry.keys["serial"], entry.keys["location"]) for entry in found.entries] == [
        ("001051216197", "1-2.0"),
        ("001051216197", "1-2.1"),
    ]


def test_a_kit_without_a_serial_number_goes_by_path_or_is_refused(look, tmp_path):
    bare = [Port("/dev/ttyACM2", "USB VID:PID=1366:1059 LOCATION=1-3:1.0", 0x1366, "", "1-3:1.0")]
    (reason,) = suggested(look(bare)).refused
    assert reason.startswith("J-Link 1-3 (/dev/ttyACM2): it has no USB serial number, and it has no permanent name; ")
    (tmp_path / "by-path").mkdir()
    link = tmp_path / "by-path" / "pci-usb-0:3:1.0"
    link.symlink_to("/dev/ttyACM2")
    (entry,) = suggested(look(bare, by_path=tmp_path / "by-path")).entries
    assert entry.keys["port"] == str(link)


def test_what_the_board_said_is_taken_over(look):
    said = {"keys": {"firmware": "at-client", "baud": 1000000}, "comment": "at_client, nRF9151-LACA, IMEI …0012"}
    (entry,) = suggested(look(DK), asked={"/dev/ttyACM2": said}).entries
    assert (entry.keys["firmware"], entry.keys["baud"]) == ("at-client", 1000000)
    assert entry.comment == "nRF9151 DK, /dev/ttyACM2, at_client, nRF9151-LACA, IMEI …0012"
    found = suggested(look(THINGY), asked={"/dev/ttyACM0": {"refused": "no answer to AT"}})
    assert (found.entries, found.refused) == (
        (),
        ("Thingy:91 X THINGY91X_135CE6BA227 (/dev/ttyACM0): no answer to AT",),
    )


FILES = {
    "empty": "",
    "comment alone": "# my lab\n",
    "clouds alone": "clouds:\n  mine: {kind: nrfcloud}   # account\n",
    "block": "boards:\n  - name: a   # first\n    virtual: {}  # end\n\n# trailing comment\n",
    "dashes not indented": "boards:\n- {name: a, virtual: {}}\n- name: b\n  virtual: {}\n",
    "boards before clouds": "boards:\n    - name: a\n      virtual: {}\n    # clouds\nclouds:\n  x: {kind: local}\n",
    "no line end": "boards:\n  - name: a\n    virtual: {}",
    "flow": "boards: [{name: a, virtual: {}}]  # one line\n",
    "flow over lines": "boards: [\n  {name: a, virtual: {}},  # a\n]\n",
    "crlf": "boards:\r\n  - name: a\r\n    virtual: {}\r\n# end\r\n",
    "literal text": "boards:\n  - virtual: {}\n    name: |-\n      a\n\n# after\n",
    "document end": "---\nboards:\n  - {name: a, virtual: {}}\n...\n",
    "not ascii": "# Prüfstand „Nord“\nboards:\n  - {name: a, virtual: {}} # größte\n",
    "byte order mark": "\ufeffboards:\n  - {name: a, virtual: {}}\n",
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES.keys())
def test_merging_loses_no_character(text):
    new = merged(text, [DK_ENTRY, BoardEntry({"name": "t-1", "serial": "T"}, "Thingy")])
    boards = yaml.safe_load(new)["boards"]
    assert boards[-2:] == [dict(DK_ENTRY.keys), {"name": "t-1", "serial": "T"}]
    assert len(boards) == len((yaml.safe_load(text) or {}).get("boards", [])) + 2
    rest = iter(new)
    assert all(character in rest for character in text)  # in this order
    at = next(n for n in range(len(text) + 1) if n == len(text) or text[n] != new[n])
    assert new.endswith(text[at:])  # one piece was put in, and nothing else changed
    assert new.count("\r\n") == (new.count("\n") if "\r\n" in text else 0)


@pytest.mark.parametrize("text", ["[1, 2]\n", "boards: 7\n", "boards: [\n", "{boards: []}\n", "a: 1\na: 2\n"])
def test_a_file_that_cannot_be_added_to_stays_as_it_is(tmp_path, text):
    path = tmp_path / "boards.yaml"
    path.write_text(text)
    with pytest.raises(Misuse):
        write_merged(path, [DK_ENTRY])
    assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]


def test_writing_keeps_the_mode_and_follows_a_link(tmp_path):
    real = tmp_path / "real.yaml"
    real.write_bytes(b"boards:\r\n  - {name: a, virtual: {}}\r\n")
    real.chmod(0o640)
    link = tmp_path / "boards.yaml"
    link.symlink_to(real)
    write_merged(link, [DK_ENTRY])
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert [board.name for board in load_boards_file(link, comports=lambda: DK).boards] == ["a", "dk-1"]


def test_a_new_file_is_a_good_one(tmp_path, look):
    path = tmp_path / "lab.yaml"
    write_merged(path, suggested(look([*DK, *THINGY])).entries)
    assert [board.name for board in load_boards_file(path, comports=lambda: DK).boards] == [
        "nrf9151dk-1",
        "thingy91x-1",
    ]


def test_two_adapters_with_one_number_are_not_merged_into_one(look):
    assert suggested(look([adapter(1), adapter(2)])).entries == ()
