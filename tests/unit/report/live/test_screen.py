"""The lowest lines of a terminal, as a terminal emulator shows them after each single write."""

import io

import pyte
from hypothesis import given
from hypothesis import strategies as st

from harness.report.live import Screen


class Terminal(io.StringIO):
    """A terminal of a size, and what stood on it after each write."""

    def __init__(self, columns=40, rows=12):
        super().__init__()
        self.size = (columns, rows)
        self._screen = pyte.HistoryScreen(columns, rows, history=1000)
        self._stream = pyte.Stream(self._screen)
        self.shown = []

    def write(self, text):
        self._stream.feed(text.replace("\n", "\r\n"))
        self.shown.append([line.rstrip() for line in self._screen.display])
        return super().write(text)

    @property
    def lines(self):
        above = ["".join(line[x].data for x in range(self.size[0])).rstrip() for line in self._screen.history.top]
        return [line for line in [*above, *self.shown[-1]] if line]


def made(**kwargs):
    terminal = Terminal(**kwargs)
    return terminal, Screen(terminal, lambda: terminal.size)


def test_no_write_ever_shows_less_than_all_rows():
    terminal, screen = made()
    screen.draw(["row a", "row b"])
    for number in range(30):
        screen.draw([f"row a {number}", "row b"])
        if number % 3 == 0:
            screen.write(f"said {number}\n")
    for shown in terminal.shown:
        assert sum(line.startswith("row ") for line in shown) == 2, shown
    assert [line for line in terminal.lines if line.startswith("said")] == [f"said {n}" for n in range(0, 30, 3)]
    assert terminal.lines[-2:] == ["row a 29", "row b"]


def test_only_rows_that_changed_are_sent():
    terminal, screen = made()
    screen.draw(["row a", "row b"])
    before = len(terminal.getvalue())
    screen.draw(["row a", "row b"])
    assert len(terminal.getvalue()) == before
    screen.draw(["row a", "row c"])
    assert "row a" not in terminal.getvalue()[before:]
    assert terminal.lines == ["row a", "row c"]


@given(st.lists(st.one_of(st.integers(0, 6), st.text("ab\n\r", max_size=3)), max_size=12))
def test_rows_stand_last_and_everything_said_above(steps):
    terminal, screen = made()
    rows, said = 0, ""
    for step in steps:
        if isinstance(step, int):
            rows = step
            screen.draw([f"row {number}" for number in range(rows)])
        else:
            said += step
            screen.write(step)
    whole = [line.rpartition("\r")[2] for line in said.split("\n")[:-1]]
    if terminal.shown:
        assert terminal.lines == [*filter(None, whole), *(f"row {number}" for number in range(rows))]
    screen.close(keep=False)
    if terminal.shown:
        assert not any(line.startswith("row") for line in terminal.lines)


def test_a_part_of_a_line_waits_for_its_end():
    terminal, screen = made()
    screen.draw(["row"])
    screen.write("half")
    assert terminal.lines == ["row"]
    screen.say(["whole"])
    screen.write(" a line\nnew")
    assert terminal.lines == ["whole", "half a line", "row"]
    screen.close(keep=True)
    assert terminal.lines == ["whole", "half a line", "row", "new"]
    screen.draw(["never"])
    screen.write(" end\n")
    assert terminal.lines == ["whole", "half a line", "row", "new end"]


def test_a_line_that_is_written_again_and_again_is_not_left_behind():
    terminal, screen = made()
    screen.draw(["row"])
    screen.write("\r2 workers [6 items]")
    screen.write("\r2 workers [7 items]")
    screen.close(keep=False)
    assert terminal.lines == []


def test_a_terminal_that_changes_its_width_gets_its_rows_anew():
    terminal, screen = made()
    screen.draw(["row a", "row b"])
    terminal.size = (30, 12)
    screen.draw(["row a", "row b"])
    assert terminal.lines[-2:] == ["row a", "row b"]


def test_a_terminal_without_these_signs_gets_others():
    class Ascii(Terminal):
        encoding = "ascii"

    terminal = Ascii()
    Screen(terminal, lambda: terminal.size).draw(["█ ✕"])
    assert terminal.lines == ["? ?"]
