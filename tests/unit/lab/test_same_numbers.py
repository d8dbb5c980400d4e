"""Two virtual boards of a boards file with one number: one would keep the other from working."""

import pytest

from harness.lab.boards_file import BoardsFileError, load_boards_file

UUID = "56495254-3030-41c5-8026-7764ada6a798"
IMEI = "001010912078571"


def lines_of(tmp_path, first: str, second: str) -> list[str]:
    path = tmp_path / "boards.yaml"
    path.write_text(f"boards:\n  - {{name: a, virtual: {{{first}}}}}\n  - {{name: b, virtual: {{{second}}}}}\n")
    try:
        load_boards_file(path, comports=list)
    except BoardsFileError as error:
        return [line.removeprefix(f"{path}:") for line in error.lines]
    return []


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (f'imei: "{IMEI}"', f'imei: "{IMEI}"', f"imei {IMEI}"),
        (f'device_uuid: "{UUID}"', f'device_uuid: "{UUID.upper()}"', f"device_uuid {UUID}"),
        ("rfc2217: 5077", "rfc2217: 5077", "rfc2217 5077"),
    ],
)
def test_two_virtual_boards_with_one_number_are_a_mistake_in_the_words_of_virtual_up(tmp_path, first, second, said):
    column = 25 + second.index(": ") + 2
    told = f"3:{column}: boards must have different numbers, but two have {said}, this one and board 'a' in line 2"
    assert lines_of(tmp_path, first, second) == [f"{told}; correct it"]


@pytest.mark.parametrize(
    ("first", "second"),
    [("rfc2217: 0", "rfc2217: 0"), ("rfc2217: 5077", "rfc2217: 5078"), ("seed: x", "seed: x"), ("", "imei: null")],
)
def test_other_numbers_and_any_port_are_no_mistake(tmp_path, first, second):
    assert lines_of(tmp_path, first, second) == []
