"""What an earlier user of a Serial Modem left behind: how long each step of ending it may take, and what is asked."""

import pytest

from harness.at import Answer
from harness.errors import NoAnswer
from harness.firmware.serial_modem.known_state import connected, end_connection, to_known_state
from harness.timeline import Kind
from tests.unit.firmware.test_serial_modem import error
from tests.unit.firmware.test_serial_modem_ends import Connected

REFUSES = {"AT#XMQTTCON=0": error("AT#XMQTTCON=0")}


class Noting(Connected):
    """Notes what is waited for, with its time and what has come since."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.waits = []

    def wait_line(self, pattern, timeout, *, since):
        self.waits.append((pattern, timeout, [event.text for event in self.timeline.since(since)][:1]))
        raise NoAnswer("dk1: no line")


def faults(port):
    return [(event.source, event.text) for event in port.timeline.since() if event.kind is Kind.FAULT]


def test_a_board_that_does_not_know_the_question_is_not_connected():
    port = Connected()
    port.command = lambda text, timeout=None: (_ for _ in ()).throw(error(text))
    assert connected(port) is False


@pytest.mark.parametrize(("state", "up"), [("1", True), ("0", False)])
def test_what_the_board_says_of_its_connection(state, up):
    port = Connected()
    port.up = state == "1"
    assert connected(port) is up


def test_whether_there_was_one_is_told():
    port = Noting()
    assert end_connection(port) is True
    assert end_connection(port) is False
    assert end_connection(Noting(REFUSES, asks=99)) is True


def test_ending_may_take_as_long_as_the_clients_thread():
    port = Noting()
    end_connection(port)
    assert port.timeouts["AT#XMQTTCON=0"] == 65.0
    assert port.waits == [("#XMQTTEVT: [01],", 5.0, ["AT#XMQTTCON=0"])]


def test_a_refusal_of_a_connection_that_has_ended_is_waited_for_no_longer():
    port = Noting(REFUSES)
    end_connection(port)
    assert port.sent == ["AT#XMQTTCON?", "AT#XMQTTCON=0", "AT#XMQTTCON?", "AT#XMQTTCON?"]
    assert port.waits == []


def test_a_refusal_of_a_half_made_connection_is_waited_for():
    port = Noting(REFUSES, asks=2)
    end_connection(port)
    assert port.waits[0][:2] == ("#XMQTTEVT: [01],", 15.0)


def test_the_modem_has_a_minute_to_go_offline_and_to_come_back():
    port = Noting(REFUSES, asks=99)
    end_connection(port)
    assert (port.timeouts["AT+CFUN=4"], port.timeouts["AT+CFUN=1"]) == (60.0, 60.0)
    assert faults(port) == [("dk1", "the MQTT connection does not end: the modem is taken offline for it")]
    assert len(port.waits) == 3


def test_an_end_that_comes_late_is_waited_for_before_the_network_comes_back():
    class Late(Noting):
        def command(self, text, timeout=None):
            if text == "AT#XMQTTCON?" and self.sent[-1:] == ["AT+CFUN=1"]:
                self.up = False
            return super().command(text, timeout)

    port = Late(REFUSES, asks=99, in_flight_mode=False)
    assert end_connection(port) is True
    assert port.waits[-1] == ("#XMQTTEVT: [01],", 5.0, ["AT+CFUN=4"])


def test_a_modem_that_was_offline_stays_so():
    port = Noting({**REFUSES, "AT+CFUN?": "+CFUN: 4"}, asks=99)
    end_connection(port)
    assert [text for text in port.sent if text.startswith("AT+CFUN=")] == ["AT+CFUN=4"]


def test_only_lines_of_the_list_are_sockets():
    """The list of the Serial LTE Modem ends with the handle that is selected."""
    listed = Answer("AT#XSOCKETSELECT?", ("#XSOCKETSELECT: 3,1,0", "#XSOCKETSELECT: 7,1,0", "#XSOCKETSELECT: 3"), 0.0)

    class Slm(Connected):
        def command(self, text, timeout=None):
            answer = super().command(text, timeout)
            return listed if text == "AT#XSOCKETSELECT?" else answer

    port = Slm({"AT#XCLOSE": error("AT#XCLOSE")})
    port.up = False
    to_known_state(port)
    assert [text for text in port.sent if text.startswith(("AT#XSOCKETSELECT=", "AT#XSOCKET="))] == [
        *("AT#XSOCKETSELECT=3", "AT#XSOCKET=0", "AT#XSOCKETSELECT=7", "AT#XSOCKET=0"),
    ]


def test_every_command_may_be_refused():
    class Refusing(Connected):
        def command(self, text, timeout=None):
            super().command(text, timeout)
            raise error(text)

    port = Refusing()
    to_known_state(port)
    assert port.sent == ["ATE0", "AT#XMQTTCON?", "AT#XCLOSE", "AT#XSOCKETSELECT?", "AT#XNRFCLOUD=0"]
