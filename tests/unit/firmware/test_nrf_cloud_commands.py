"""The firmware's own connection to nRF Cloud: what it is told, and what its answers mean."""

import pytest

from harness.at import Answer, AtError, AtFormatError
from harness.at.syntax import FinalResult
from harness.firmware.nrf_cloud_commands import NrfCloudConnection, NrfCloudRefused, NrfCloudState
from harness.timeline import Kind, Timeline
from tests.fake import Fake


class Port(Fake):
    """A port with scripted answers; ``says`` follows each command."""

    name = "dk1"

    def __init__(self, answers=None, says=None):
        self.timeline = Timeline()
        self.answers = answers or {}
        self.says = says or {}
        self.sent = []
        self.waited = []
        self.status: int | None = 0

    def command(self, text, timeout=None):
        self.sent.append(text)
        self.timeout = timeout
        answer = self.answers.get(text, ())
        if answer is None:
            raise AtError(text, FinalResult("ERROR"))
        for line in self.says.get(text, ()):
            self.timeline.add(Kind.URC, self.name, line)
        return Answer(text, tuple(answer), 0.0)

    def send_payload(self, command, payload):
        self.sent.append((command, payload))
        if self.status is None:
            raise AtError(command, FinalResult("ERROR"))
        return self.status

    def wait_line(self, pattern, timeout, *, since):
        self.waited.append((pattern, timeout, [event.text for event in self.timeline.since(since)]))


def test_the_state_is_what_the_board_says():
    port = Port({"AT#XNRFCLOUD?": ['#XNRFCLOUD: 1,0,16842753,"abc"']})
    assert NrfCloudConnection(port).state() == NrfCloudState(True, 16842753, "abc")
    port = Port({"AT#XNRFCLOUD?": ["#XNRFCLOUD: 1"]})
    with pytest.raises(AtFormatError, match="expected ready,location,sec_tag"):
        NrfCloudConnection(port).state()


def test_connecting_and_disconnecting_wait_for_the_boards_word():
    port = Port(says={"AT#XNRFCLOUD=1": ["#XNRFCLOUD: 1,0"], "AT#XNRFCLOUD=0": ["#XNRFCLOUD: 0,0"]})
    port.timeline.add(Kind.URC, "dk1", "#XNRFCLOUD: 1,0")  # of an earlier connection
    connection = NrfCloudConnection(port)
    connection.connect(timeout=5.0)
    connection.disconnect(timeout=6.0)
    assert port.sent == ["AT#XNRFCLOUD=1", "AT#XNRFCLOUD=0"]
    assert port.waited == [
        ("#XNRFCLOUD: 1,", 5.0, ["#XNRFCLOUD: 1,0"]),
        ("#XNRFCLOUD: 0,", 6.0, ["#XNRFCLOUD: 0,0"]),
    ]


def test_refusals():
    port = Port({"AT#XNRFCLOUD=1": None})
    connection = NrfCloudConnection(port)
    with pytest.raises(NrfCloudRefused, match="dk1: AT#XNRFCLOUD=1 answered ERROR"):
        connection.connect()
    port.status = None
    with pytest.raises(NrfCloudRefused, match="AT#XNRFCLOUD=2 answered ERROR"):
        connection.send(b"{}")
    port.status = -1
    with pytest.raises(NrfCloudRefused, match="data mode ended with -1"):
        connection.send(b"{}")
    port.status = 0
    connection.send(b"{}")
    assert port.sent[-1] == ("AT#XNRFCLOUD=2", b"{}")


def test_every_wait_has_its_time():
    port = Port(says={"AT#XNRFCLOUD=1": ["#XNRFCLOUD: 1,0"], "AT#XNRFCLOUD=0": ["#XNRFCLOUD: 0,0"]})
    connection = NrfCloudConnection(port)
    connection.connect()
    assert port.timeout == 15.0
    connection.disconnect()
    port.timeline.add(Kind.URC, "dk1", "before")
    mark = port.timeline.mark()
    port.timeline.add(Kind.URC, "dk1", "after")
    connection.wait_message(since=mark, timeout=7.0)
    connection.wait_ended(since=mark, timeout=8.0)
    assert [(pattern, timeout) for pattern, timeout, _ in port.waited] == [
        ("#XNRFCLOUD: 1,", 60.0),
        ("#XNRFCLOUD: 0,", 30.0),
        (r"#XNRFCLOUD: (\{.*)", 7.0),
        ("#XNRFCLOUD: 0,", 8.0),
    ]
    assert [said for _, _, said in port.waited[2:]] == [["after"], ["after"]]


def test_an_answer_in_lines_is_one():
    port = Port({"AT#XNRFCLOUD?": ["#XNRFCLOUD: 1,0,42", ',"abc"']})
    assert NrfCloudConnection(port).state() == NrfCloudState(True, 42, "abc")
