"""The console on a port without a pty: what pexpect is given of the bytes that the port's reader hears and records."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty
from typing import Any

import pexpect
import pytest

from harness.at import AtPort, PortSettings, Terminator
from harness.errors import BoardLost, LabError, Misuse, NoAnswer
from harness.firmware.console import Console, PortSpawn
from harness.timeline import Kind, Timeline
from tests.unit.at.test_port import Stream

SHORT = 0.02
WAIT = 10.0


def shell(data):
    """Echo a line and answer it, as a shell does."""
    line = data.strip()
    answers = {b"ask": b"Are you sure? (y/n) ", b"y": b"done\r\nuart:~$ ", b"quiet": b""}
    return line + b"\r\n" + answers.get(line, line + b": command not found\r\n\r\nuart:~$ ")


class Slow:
    """What is overheard: each of ``pieces`` comes after so many seconds of a clock that is played; then nothing."""

    def __init__(self, monkeypatch, *pieces):
        self._pieces = list(pieces)
        self._now = 100.0
        self.waits = []
        monkeypatch.setattr(time, "monotonic", lambda: self._now)

    def get(self, timeout):
        self.waits.append(timeout)
        if not self._pieces:
            raise Empty
        seconds, data = self._pieces.pop(0)
        self._now += seconds
        return data


@pytest.fixture
def port():
    with AtPort(Stream(shell), name="b", timeline=Timeline(), settings=PortSettings(at_shell=True), url="") as port:
        yield port


@pytest.fixture
def console(port):
    with Console(port) as console:
        yield console


def say(port, data):
    """Return when the port's reader has heard ``data``."""
    port._stream.incoming.put(data)
    port._stream.incoming.join()


# -- what pexpect reads


def test_what_came_is_read_in_the_pieces_that_are_asked_for(port):
    spawn = PortSpawn(port)
    say(port, b"abcde")
    assert spawn.read_nonblocking(2, WAIT) == "ab"
    assert spawn.read_nonblocking(2, 0.0) == "cd"
    assert spawn.read_nonblocking(9, 0.0) == "e"
    say(port, b"fg")
    assert [spawn.read_nonblocking(), spawn.read_nonblocking()] == ["f", "g"]


def test_without_a_time_limit_it_waits_for_the_next_byte(port):
    spawn = PortSpawn(port)
    say(port, b"x")
    assert spawn.read_nonblocking(1, None) == "x"


def test_nothing_in_time_is_a_timeout(port):
    spawn = PortSpawn(port)
    for timeout in (0.0, SHORT):
        with pytest.raises(pexpect.TIMEOUT, match=r"^nothing came in time$"):
            spawn.read_nonblocking(1, timeout)
    spawn.timeout = SHORT
    with pytest.raises(pexpect.TIMEOUT):
        spawn.read_nonblocking()


def test_the_time_limit_holds_although_bytes_come_that_are_no_character(port, monkeypatch):
    """Each half of a character began the wait anew."""
    spawn: Any = PortSpawn(port)
    spawn._heard = heard = Slow(monkeypatch, (4.0, b"\xc3"), (0.0, b"\xa9"))
    assert spawn.read_nonblocking(1, 8.0) == "é"
    assert heard.waits == [8.0, 4.0]


def test_time_that_is_over_is_not_waited_for(port, monkeypatch):
    spawn: Any = PortSpawn(port)
    spawn._heard = heard = Slow(monkeypatch, (9.0, b"\xc3"))
    with pytest.raises(pexpect.TIMEOUT):
        spawn.read_nonblocking(1, 8.0)
    assert heard.waits == [8.0, 0.0]


def test_a_read_without_a_time_limit_of_its_own_has_the_spawns(port, monkeypatch):
    spawn: Any = PortSpawn(port, timeout=7.0)
    spawn._heard = heard = Slow(monkeypatch)
    for limit in ((), (-1,)):
        with pytest.raises(pexpect.TIMEOUT):
            spawn.read_nonblocking(1, *limit)
    assert heard.waits == [7.0, 7.0]


def test_a_character_in_halves_is_one_and_what_is_no_text_is_marked(port):
    spawn = PortSpawn(port)
    say(port, b"\xc3")
    say(port, b"\xa9\xff")
    assert spawn.read_nonblocking(5, WAIT) == "é�"


def test_every_read_hears_that_the_port_has_failed(port):
    spawn = PortSpawn(port)
    say(port, BoardLost("b: unplugged"))
    for _ in range(2):
        with pytest.raises(pexpect.EOF, match=r"^the port failed$"):
            spawn.read_nonblocking(1, WAIT)
    assert spawn.flag_eof
    assert not spawn.isalive()


def test_what_is_typed_is_counted_in_bytes_and_a_line_ends_as_the_port_says(port):
    spawn = PortSpawn(port)
    assert spawn.isalive()
    assert spawn.send("é") == 2
    port.end_commands_with(Terminator.CRLF)
    assert spawn.sendline("a") == 3
    assert spawn.sendline() == 2
    assert [data for data in port._stream.written if data != "flush"] == ["é".encode(), b"a\r\n", b"\r\n"]


def test_a_closed_console_listens_no_more_and_the_port_goes_on(port):
    spawn = PortSpawn(port)
    assert not spawn.closed
    spawn.close()
    assert spawn.closed
    say(port, b"late")
    with pytest.raises(pexpect.TIMEOUT):
        spawn.read_nonblocking(1, 0.0)
    assert port.alive


def test_a_pattern_is_looked_for_in_what_came_last_and_no_time_is_slept_away(port):
    spawn = Console(port).spawn
    assert spawn.searchwindowsize == 16 * 1024
    assert spawn.delayafterread is None
    assert spawn.timeout == 10.0
    assert Console(port, timeout=3.0).spawn.timeout == 3.0


# -- what a person does


def test_a_lines_answer_is_what_stands_before_the_prompt_without_the_echo(console):
    assert console.run("hello") == ["hello: command not found"]


def test_a_question_is_answered(console):
    console.type_line("ask")
    console.answer(r"Are you sure\? \(y/n\) ", "y", WAIT)
    assert console.prompt(WAIT).strip().splitlines()[-1] == "done"


@pytest.mark.parametrize("prompt", [b"my-board:~$ ", b"\x1b[8D\x1b[J\x1b[1;32mdesh:~$ \x1b[m"])
def test_a_shell_may_have_any_name_and_colour(console, port, prompt):
    say(port, b"said\r\n" + prompt + b"more")
    assert console.prompt(WAIT) == "said\r\n"
    assert console.expect("more", WAIT).group() == "more"


@pytest.mark.parametrize("line", ["a\nb", "a\rb"])
def test_one_line_at_a_time(console, port, line):
    with pytest.raises(Misuse, match=r"^b: one line at a time: 'a\\[nr]b' has a line end in it$"):
        console.type_line(line)
    assert port._stream.written == []


def test_silence_says_what_was_waited_for_for_how_long_and_what_was_heard(console, port):
    say(port, b"boot\r\n")
    with pytest.raises(NoAnswer, match=r"^b: no 'ready' on the console within 0.02 s; last heard: boot$"):
        console.expect("ready", SHORT)


def test_every_wait_has_the_time_that_it_is_given(port):
    waits: tuple[Callable[[], Any], ...]
    with Console(port, timeout=SHORT) as console:
        waits = (lambda: console.expect("no"), console.prompt, lambda: console.answer("no", "y"))
        for wait in waits:
            with pytest.raises(NoAnswer, match=r"within 0.02 s"):
                wait()
        with pytest.raises(NoAnswer, match=r"within 0.02 s"):
            console.run("quiet")
    with Console(port) as console:
        waits = (
            lambda: console.prompt(0.03),
            lambda: console.answer("no", "y", 0.03),
            lambda: console.run("quiet", 0.03),
        )
        for wait in waits:
            with pytest.raises(NoAnswer, match=r"within 0.03 s"):
                wait()


def test_a_port_that_fails_is_the_boards_loss(console, port):
    port._stream.incoming.put(BoardLost("b: unplugged"))
    with pytest.raises(BoardLost, match=r"^b: unplugged$"):
        console.expect("ready", WAIT)


def test_an_end_that_nobody_can_explain_is_no_answer(console, port, monkeypatch):
    console.spawn._heard.put(None)
    with pytest.raises(NoAnswer, match=r"^b: the console ended$"):
        console.expect("ready", WAIT)


def test_a_port_that_was_closed_says_so(port):
    console = Console(port)
    port.close()
    with pytest.raises(LabError, match=r"^b: the port was closed$"):
        console.expect("ready", WAIT)


def test_a_button_is_pressed_where_something_can(console, port):
    with pytest.raises(Misuse, match=r"^b: nothing can press its button: give firmware: \{button: \.\.\.\}$"):
        console.press()
    pressed = []
    with Console(port, press=lambda: pressed.append(port.timeline.since()[-1].text)) as other:
        other.press()
    assert pressed == ["the button is pressed"]
    event = port.timeline.since()[-1]
    assert (event.kind, event.source) == (Kind.STEP, "b")


def test_a_console_ends_with_its_block(port):
    with Console(port) as console:
        assert not console.spawn.closed
    assert console.spawn.closed


class Come:
    """What has come, and nothing more, however long one waits."""

    def __init__(self, pieces):
        self._pieces = pieces

    def get(self, timeout):
        if not self._pieces:
            raise Empty
        return self._pieces.pop(0)


@pytest.mark.parametrize(("much", "kept"), [(256 * 1024, 256 * 1024), (256 * 1024 + 1, 16 * 1024)])
def test_what_nobody_looks_for_is_forgotten(console, much, kept):
    """All that came without a match was kept: an hour of a log at each look for what never came."""
    spawn: Any = console.spawn
    spawn._heard = Come([b"x" * (much - 6) + b"before"])
    with pytest.raises(NoAnswer):
        console.expect("never", WAIT)
    assert spawn._before.tell() == kept
    spawn._heard = Come([b" the end"])
    assert console.expect("e the end", WAIT).group() == "e the end"
    assert len(spawn.before) == kept - 1
    assert spawn.before.endswith("xbefor")
