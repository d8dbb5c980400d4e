"""How Serial Modem's connection is ended, and what else an earlier user may have left open."""

import pytest

from harness.at import Answer
from harness.errors import LabError
from harness.firmware import MqttEventKind, to_known_state
from harness.timeline import Kind
from tests.unit.firmware.test_serial_modem import ScriptedPort, device, error, heard, steps

UP, DOWN = '#XMQTTCON: 1,"dev-1","mqtt",8883,1', "#XMQTTCON: 0"


class Connected(ScriptedPort):
    """A board with a connection, which ``ends`` it: how often it must be asked, None: never. ``in_flight_mode``: so."""

    def __init__(self, answers=None, *, asks=1, in_flight_mode=True):
        super().__init__({"AT+CFUN?": "+CFUN: 1", **(answers or {})})
        self.asks, self.in_flight_mode, self.up = asks, in_flight_mode, True

    def command(self, text, timeout=None):
        if text == "AT#XMQTTCON?":
            self.answers[text] = UP if self.up else DOWN
        if text == "AT#XMQTTCON=0":
            self.asks -= 1
            self.up = self.asks > 0
        if text == "AT+CFUN=4":
            self.up = not self.in_flight_mode
        return super().command(text, timeout)


@pytest.mark.parametrize("up", [True, False])
def test_whether_it_is_connected_is_the_boards_to_say(up):
    port = Connected()
    port.up = up
    assert device(port).is_connected() is up


def test_disconnect_ends_what_the_board_says_it_has():
    port = Connected({"AT#XMQTTCON=0": ["#XMQTTEVT: 1,0"]})
    modem = device(port)
    modem.disconnect()
    assert heard(modem) == [(MqttEventKind.CLOSED, 0)]
    assert port.sent == ["AT#XMQTTCON?", "AT#XMQTTCON=0", "AT#XMQTTCON?"]
    assert port.timeline.waited == []


@pytest.mark.parametrize("lines", [(), (DOWN, DOWN)])
def test_a_line_that_was_lost_or_came_twice_is_asked_for_once_more(lines):
    class Noisy(Connected):
        synced = 0

        def command(self, text, timeout=None):
            answer = super().command(text, timeout)
            return Answer(text, lines, 0.0) if text == "AT#XMQTTCON?" and not self.synced else answer

        def sync(self):
            self.synced += 1

    port = Noisy()
    port.up = False
    device(port).disconnect()
    assert port.sent == ["AT#XMQTTCON?", "AT#XMQTTCON?"]
    (fault,) = [event.text for event in port.timeline.since() if event.kind is Kind.FAULT]
    assert fault.startswith("asked once more: AT#XMQTTCON?: expected one line")


def test_disconnect_asks_nothing_of_a_board_that_is_not_connected():
    port = Connected()
    port.up = False
    device(port).disconnect()
    assert port.sent == ["AT#XMQTTCON?"]


def test_disconnect_does_not_need_its_event():
    port = Connected()
    device(port).disconnect()
    assert port.timeline.waited == [5.0]
    assert not port.up


def test_a_half_made_connection_is_given_the_time_for_its_connack():
    """Before CONNACK the board refuses AT#XMQTTCON=0, and says no event."""
    port = Connected({"AT#XMQTTCON=0": error("AT#XMQTTCON=0")}, asks=2)
    device(port).disconnect()
    assert port.timeline.waited == [15.0]
    assert port.sent.count("AT#XMQTTCON=0") == 2
    assert "AT+CFUN=4" not in port.sent


def test_a_connection_that_does_not_end_is_cut_below_and_the_modem_left_as_it_was():
    port = Connected({"AT#XMQTTCON=0": error("AT#XMQTTCON=0")}, asks=99)
    device(port).disconnect()
    assert port.sent[-4:] == ["AT+CFUN=4", "AT#XMQTTCON?", "AT+CFUN=1", "AT#XMQTTCON?"]
    assert [event.text for event in port.timeline.since() if event.kind is Kind.FAULT] == [
        "the MQTT connection does not end: the modem is taken offline for it"
    ]


def test_a_connection_that_survives_everything_is_the_labs_error():
    port = Connected({"AT#XMQTTCON=0": error("AT#XMQTTCON=0")}, asks=99, in_flight_mode=False)
    with pytest.raises(LabError, match=r"dk1: expected no MQTT connection, got AT#XMQTTCON: 1 after 3 .*; reset"):
        device(port).disconnect()


def test_the_known_state_has_no_echo_no_connection_and_no_socket():
    port = Connected({"AT#XMQTTCON=0": ["#XMQTTEVT: 1,0"]})
    to_known_state(port, "serial-modem")
    assert port.sent[:4] == ["ATE0", "AT#XMQTTCON?", "AT#XMQTTCON=0", "AT#XMQTTCON?"]
    assert port.sent[4:] == ["AT#XCLOSE", "AT#XAPOLL=,0", "AT#XNRFCLOUD=0"]
    assert steps(port) == [
        (port.name, "an earlier user left an MQTT connection open: it is ended"),
        (port.name, "an earlier user left the firmware connected to nRF Cloud: it is ended"),
    ]


def test_sockets_of_the_serial_lte_modem_are_closed_one_by_one():
    """It has neither ATE0 nor AT#XCLOSE; the list ends with the handle that is selected."""
    listed = Answer("AT#XSOCKETSELECT?", ("#XSOCKETSELECT: 3,1,0,1,-1,2,0", "#XSOCKETSELECT: 3"), 0.0)

    class Slm(Connected):
        def command(self, text, timeout=None):
            answer = super().command(text, timeout)
            return listed if text == "AT#XSOCKETSELECT?" else answer

    port = Slm({"ATE0": error("ATE0"), "AT#XCLOSE": error("AT#XCLOSE")})
    port.up = False
    to_known_state(port, "serial-modem")
    assert port.sent[-4:-1] == ["AT#XSOCKETSELECT?", "AT#XSOCKETSELECT=3", "AT#XSOCKET=0"]
    assert (port.name, "an earlier user left 1 socket open: it is closed") in steps(port)


def test_sockets_that_were_left_open_are_told():
    closed = Answer("AT#XCLOSE", ("#XCLOSE: 1,0", "#XCLOSE: 2,0"), 0.0)

    class Sockets(Connected):
        def command(self, text, timeout=None):
            answer = super().command(text, timeout)
            return closed if text == "AT#XCLOSE" else answer

    port = Sockets({"AT#XAPOLL=,0": error("AT#XAPOLL=,0"), "AT#XNRFCLOUD=0": error("AT#XNRFCLOUD=0")})
    port.up = False
    to_known_state(port, "serial-modem")
    assert steps(port) == [(port.name, "an earlier user left 2 sockets open: they are closed")]
