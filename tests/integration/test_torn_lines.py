"""Log and AT on one port, with lines torn apart: an answer is asked for again, a kick in two pieces is still seen."""

from __future__ import annotations

import pytest

from harness.at import AtFormatError, AtPort
from harness.errors import NoAnswer
from harness.firmware.cloud_library.evidence import LogClass
from harness.firmware.cloud_library.watcher import evidence_of, log_watch
from harness.modem import Modem
from harness.timeline import Kind, Timeline
from tests.integration.at_far_end import FarEnd

LOG = b"[00:00:01.000,000] <inf> app: temperature 21\r\n"
KICK = b"[00:00:02.000,000] <err> nrf_cloud_transport: MQTT input error: -128\r\n"


class TornBoard:
    """Answers AT+CFUN? and AT+CMEE?; the log comes into the middle of the next ``times`` answers, at byte ``at``."""

    def __init__(self, at: int, times: int) -> None:
        self.at, self.times, self.asked = at, times, 0
        self._line = b""

    def feed(self, data: bytes) -> bytes:
        said = b""
        *lines, self._line = (self._line + data).split(b"\r")
        for line in lines:
            name = line.strip(b'\n+"').removeprefix(b"AT").removesuffix(b"?").strip(b'"+')
            if not line.strip(b'\n+"'):
                continue
            answer = b"+" + name + b": 1\r\nOK\r\n"
            if name == b"CFUN":
                self.asked += 1
                if self.times:
                    self.times -= 1
                    answer = answer[: self.at] + LOG + answer[self.at :]
            said += answer
        return said


@pytest.fixture
def torn():
    """Open a port on a board whose answers are torn."""
    stack = []

    def open_port(at, times):
        far = FarEnd(TornBoard(at, times).feed)
        port = AtPort.open(far.path, name="b", timeline=Timeline())
        stack.append((port, far))
        return far, port

    yield open_port
    for port, far in stack:
        port.close()
        far.unplug()


@pytest.mark.parametrize("at", [1, 4, 7])
def test_a_torn_answer_is_asked_for_once_more(torn, at):
    _, port = torn(at, 1)
    assert Modem(port, sec_tags=()).functional_mode() == 1
    assert any("asked once more" in event.text for event in port.timeline.since(0) if event.kind is Kind.FAULT)


def test_answers_that_are_always_torn_end_in_one_clear_line(torn):
    _, port = torn(4, 100)
    with pytest.raises(AtFormatError, match=r"\AAT\+CFUN\?") as caught:
        Modem(port, sec_tags=()).functional_mode()
    assert "\n" not in str(caught.value)


def test_a_torn_final_result_costs_its_time_and_the_board_is_back_in_step(torn):
    _, port = torn(11, 1)
    with pytest.raises(NoAnswer, match="it answers AT commands again"):
        port.command("AT+CFUN?", timeout=0.3)
    assert port.command("AT+CFUN?").value("+CFUN") == "1"


@pytest.mark.parametrize("tear", [b'+CEREG: 1,"0001"\r\n', LOG, b"\xff\xfe\x00 binary \x80\r\n"])
def test_a_kick_in_two_pieces_is_still_seen(torn, tear):
    far, port = torn(0, 0)
    port.watch(log_watch("b"))
    mark = port.timeline.mark()
    far.send(KICK[:50] + tear + KICK[50:] + LOG)
    port.wait_line("temperature 21", 5.0, since=mark)
    found = [evidence for event in port.timeline.since(mark) if (evidence := evidence_of(event)) is not None]
    kicked = [evidence for evidence in found if evidence.what is LogClass.KICKED]
    # Binary is no beginning of other output, so that tear cannot be told from the line's own text.
    assert len(kicked) == (0 if tear.startswith(b"\xff") else 1)
