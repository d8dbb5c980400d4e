"""Tables are as wide as they are in a pipe, and as wide as the terminal on one."""

import sys

import pytest

from harness.cli import tables
from harness.cli.tables import blocks, columns

ROWS = [
    ("KIT", "SERIAL", "PORT", "HELD BY"),
    ("nRF9151 DK", "001051216197", "/dev/ttyACM0", "pid 4711 (root, pytest tests/scenarios) since 2026-11-27T01:17:00"),
    ("", "", "/dev/ttyACM1", "nobody"),
]


def test_where_there_is_no_terminal_nothing_is_cut_or_broken():
    (head, first, second) = columns(ROWS)
    assert head == "KIT         SERIAL        PORT          HELD BY"
    assert first.endswith("2026-11-27T01:17:00")
    assert second == "                          /dev/ttyACM1  nobody"


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_a_terminal_gets_no_line_that_is_wider_and_loses_no_word(width):
    lines = columns(ROWS, width=width)
    assert max(map(len, lines)) <= width
    shown = "".join("".join(lines).split())
    assert all(part in shown or width < 80 for part in ("001051216197", "/dev/ttyACM0", "tests/scenarios"))
    assert sorted("".join("".join(row).replace(" ", "") for row in ROWS)) == sorted(shown)


def test_a_table_that_fits_is_left_alone():
    assert columns(ROWS, width=200) == columns(ROWS)


def test_the_last_column_takes_what_the_others_leave_and_rows_stay_apart():
    rows = [
        ("ok", "dk-1", "port.present", "/dev/ttyACM0"),
        ("fail", "dk-2", "board.answers", "it does not answer " * 6),
    ]
    first, second = blocks(rows, width=60)
    assert first == ["ok    dk-1  port.present   /dev/ttyACM0"]
    assert len(second) > 1
    assert all(len(line) <= 60 for line in second)
    assert second[0].startswith("fail  dk-2  board.answers  it does")
    assert second[1].startswith(" " * 27 + "answer")
    assert blocks(rows) == [[line] for line in columns(rows)]


def test_the_width_is_that_of_the_terminal(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "72")
    assert tables.terminal_width() == 72
    assert max(map(len, columns(ROWS))) <= 72
    monkeypatch.setenv("COLUMNS", "5")
    assert tables.terminal_width() == 40
