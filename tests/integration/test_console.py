"""The console over a pty: what pexpect does with the bytes that the port's reader hears and records."""

from __future__ import annotations

import pexpect
import pytest

from harness.at import AtPort, PortSettings
from harness.errors import BoardLost, Misuse, NoAnswer
from harness.firmware.console import Console
from harness.timeline import Kind, Timeline
from tests.integration.at_far_end import FarEnd


class TinyShell:
    """A shell of three commands, as its user sees it."""

    def __init__(self) -> None:
        self._line = b""

    def feed(self, data: bytes) -> bytes:
        said = b""
        for byte in data:
            if byte != 0x0D:
                self._line += bytes((byte,))
                said += bytes((byte,))
                continue
            line, self._line = self._line, b""
            answers = {b"ask": b"Are you sure? (y/n) ", b"y": b"done\r\nuart:~$ ", b"big": b"x" * 1_000_000}
            said += b"\r\n" + answers.get(line, line + b": command not found\r\nuart:~$ ")
        return said


@pytest.fixture
def far():
    with FarEnd(TinyShell().feed) as far:
        yield far


@pytest.fixture
def port(far):
    with AtPort.open(far.path, name="b", timeline=Timeline(), settings=PortSettings(at_shell=True)) as port:
        yield port


@pytest.fixture
def console(port):
    with Console(port) as console:
        yield console


def test_a_line_is_typed_and_what_comes_before_the_prompt_is_its_answer(console):
    assert console.run("hello") == ["hello: command not found"]


def test_a_question_without_a_line_end_is_answered(console):
    console.type_line("ask")
    console.answer(r"Are you sure\? \(y/n\) ", "y")
    assert "done" in console.prompt()


@pytest.mark.parametrize("prompt", [b"my-board:~$ ", b"\x1b[8D\x1b[J\x1b[1;32mdesh:~$ \x1b[m"])
def test_a_shell_may_have_any_name(console, far, prompt):
    far.send(b"said\r\n" + prompt)
    assert console.prompt(5.0) == "said\r\n"


def test_the_record_is_one(console, port):
    console.run("hello")
    events = port.timeline.since(0)
    assert [event.text for event in events if event.kind is Kind.TX] == ["hello\r"]
    assert "hello: command not found" in [event.text for event in events if event.kind is Kind.RX]


def test_nothing_is_lost_while_nobody_expects_anything(console, far, port):
    far.send(b"".join(b"line %d\r\n" % number for number in range(5000)))
    port.wait_line("line 4999", 10.0, since=0)
    assert console.expect(r"line 0\r").group() == "line 0\r"
    assert console.expect(r"line 4999\r", 5.0).group() == "line 4999\r"


def test_silence_says_what_was_waited_for_and_heard(console, far, port):
    mark = port.timeline.mark()
    far.send(b"boot\r\n")
    port.wait_line("boot", 5.0, since=mark)
    with pytest.raises(NoAnswer, match=r"b: no 'ready' on the console within 0.05 s; last heard: boot"):
        console.expect("ready", 0.05)


def test_a_megabyte_without_an_end_ends_at_the_deadline_and_costs_no_more(console):
    console.type_line("big")
    with pytest.raises(NoAnswer, match="no 'never'"):
        console.expect("never", 1.0)
    assert len(console.spawn.buffer) <= 256 * 1024


def test_half_a_character_is_no_text_and_binary_no_trouble(console, far):
    far.send(b"\xc3")
    far.send(b"\xa9 \xff\xfe ok\r\n")
    assert console.expect(r"(.) .. ok").group(1) == "é"


def test_a_port_that_goes_away_is_heard_of(console, far):
    far.unplug()
    with pytest.raises(BoardLost):
        console.expect("ready", 5.0)
    with pytest.raises(pexpect.EOF):
        console.spawn.read_nonblocking(1, 0.0)


def test_a_console_may_begin_late_and_end_early(port, far):
    with Console(port) as first:
        first.run("one")
    with Console(port) as second:
        assert second.run("two") == ["two: command not found"]


def test_one_line_at_a_time(console):
    with pytest.raises(Misuse, match="one line at a time"):
        console.type_line("a\nb")


def test_a_button_needs_somebody_who_presses_it(console, port):
    with pytest.raises(Misuse, match="nothing can press its button"):
        console.press()
    pressed = []
    with Console(port, press=lambda: pressed.append(1)) as other:
        other.press()
    assert pressed == [1]
    assert port.timeline.since(0)[-1].text == "the button is pressed"


def test_a_command_after_the_console_gets_in_step_first(far):
    """What was typed may be half a line: the next AT command must not be its end."""
    with AtPort.open(far.path, name="b", timeline=Timeline()) as port:
        port.type_bytes(b"AT+CF")
        assert not port.in_step
