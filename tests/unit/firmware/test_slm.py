"""The Serial LTE Modem, by its commands, its sockets and its TCP client: what each is taken for, and is told."""

import pytest

from harness.at import AtError, Terminator
from harness.at.syntax import FinalResult
from harness.firmware import FIRMWARES, Capability
from harness.firmware.bridge import HandleSocket, SelectedSocket, TcpClientSocket
from harness.firmware.http import SlmHttp, SocketHttp
from harness.firmware.raw_sockets.driver import RawSocketMqtt
from harness.firmware.serial_modem.driver import SerialModem
from harness.timeline import Kind
from tests.unit.firmware.test_serial_modem import ScriptedPort

TELLS = "AT#XAPOLL=?"
SOCKET_NAMES = ("slm", "slm-sockets", "slm-tcp-client")


def error(text):
    return AtError(text, FinalResult("ERROR"))


def board(*, version="2.9.0", tells=True, **answers):
    """A Serial LTE Modem; ``tells``: its sockets tell of themselves."""
    known = {"AT#XSMVER": error("AT#XSMVER"), "AT#XSLMVER": f'#XSLMVER: "{version}","2.0.2"'}
    if not tells:
        known[TELLS] = error(TELLS)
    return ScriptedPort(known | answers)


def serial_modem(version="1.0.0"):
    return ScriptedPort({"AT#XSMVER": f'#XSMVER: "{version}","3.2.1"'})


@pytest.mark.parametrize(
    ("name", "product"),
    [
        ("slm", "Serial LTE Modem of NCS"),
        ("slm-sockets", "sockets of Serial LTE Modem of NCS"),
        ("slm-tcp-client", "TCP client of Serial LTE Modem of NCS"),
    ],
)
@pytest.mark.parametrize("tells", [True, False])
def test_it_is_named_with_what_it_is_used_by(name, product, tells):
    found = FIRMWARES[name].recognise(board(tells=tells))
    assert found is not None
    assert (found.product, found.version) == (product, "2.9.0")
    assert Capability.TCP_CLIENT in found.capabilities
    assert (Capability.POLLED_SOCKETS in found.capabilities) is (tells and name != "slm-tcp-client")
    assert found.longest_topic == (128 if name == "slm" else None)
    expected = FIRMWARES[name].capabilities
    assert found.capabilities == (expected if tells else expected - {Capability.POLLED_SOCKETS})


@pytest.mark.parametrize("name", SOCKET_NAMES)
def test_another_board_is_none(name):
    kind = FIRMWARES[name]
    assert kind.recognise(serial_modem()) is None
    neither = ScriptedPort({text: error(text) for text in ("AT#XSMVER", "AT#XSLMVER")})
    assert kind.recognise(neither) is None
    assert TELLS not in neither.sent


def test_what_a_kind_can_do():
    slm, sockets, client = (FIRMWARES[name].capabilities for name in SOCKET_NAMES)
    assert slm == FIRMWARES["serial-modem"].capabilities | {Capability.TCP_CLIENT}
    assert sockets == FIRMWARES["raw-sockets"].capabilities | {Capability.TCP_CLIENT}
    assert client == sockets - {Capability.POLLED_SOCKETS}
    for name in SOCKET_NAMES:
        kind = FIRMWARES[name]
        assert kind.terminator == Terminator.CRLF
        assert kind.terminators == (Terminator.CR, Terminator.LF)
        assert kind.unrecognised == ("AT#XSLMVER is not known to the board: it does not run the Serial LTE Modem")
    assert FIRMWARES["slm"].product == "Serial LTE Modem"
    assert FIRMWARES["slm-sockets"].product == "Serial LTE Modem's sockets"
    assert FIRMWARES["slm-tcp-client"].product == "Serial LTE Modem's TCP client"


@pytest.mark.parametrize(
    ("name", "tells", "driver", "socket"),
    [
        ("slm", True, SerialModem, None),
        ("slm-sockets", True, RawSocketMqtt, SelectedSocket),
        ("slm-sockets", False, RawSocketMqtt, TcpClientSocket),
        ("slm-tcp-client", True, RawSocketMqtt, TcpClientSocket),
    ],
)
def test_each_has_its_driver_and_its_sockets(name, tells, driver, socket):
    port = board(tells=tells)
    kind = FIRMWARES[name]
    found = kind.recognise(port)
    assert found is not None
    made = kind.driver(port, found)
    assert type(made) is driver
    assert made.firmware is found
    if isinstance(made, RawSocketMqtt):
        assert made._make_socket is socket
        assert made._port is port
    assert kind.socket(found) is (SelectedSocket if tells and name != "slm-tcp-client" else TcpClientSocket)


@pytest.mark.parametrize(
    ("name", "tells", "http"),
    [("slm", True, SlmHttp), ("slm-sockets", True, SocketHttp), ("slm-sockets", False, SlmHttp)],
)
def test_https_goes_by_what_it_has(name, tells, http):
    port = board(tells=tells)
    make = FIRMWARES[name].http
    assert make is not None
    made = make(port)
    assert type(made) is http
    assert made.port is port
    if isinstance(made, SocketHttp):
        assert made._make_socket is SelectedSocket
    assert FIRMWARES["slm-tcp-client"].http is SlmHttp


def to_known_state(**answers):
    port = ScriptedPort(answers)
    FIRMWARES["slm"].to_known_state(port)
    steps = [event.text for event in port.timeline.since() if event.kind is Kind.STEP]
    assert all(event.source == "dk1" for event in port.timeline.since() if event.kind is Kind.STEP)
    return port, steps


QUIET = {"AT#XMQTTCON?": "#XMQTTCON: 0", "AT#XNRFCLOUD=0": error("AT#XNRFCLOUD=0")}
FIRST = ["AT#XAPOLL=0", "AT#XTCPCLI?", "AT#XTCPCLI=0", "AT#XHTTPCCON=0", "ATE0"]
LEFT = "an earlier user left the TCP client connected: it is closed"


@pytest.mark.parametrize(("state", "said"), [("#XTCPCLI: -1,0", []), ("#XTCPCLI: 3,0", [LEFT])])
def test_its_clients_are_ended_before_all_else(state, said):
    port, steps = to_known_state(**QUIET, **{"AT#XTCPCLI?": state})
    assert port.sent[:5] == FIRST
    assert port.timeouts["AT#XTCPCLI=0"] == 15.0
    assert steps == said


def test_what_it_refuses_of_that_was_not_there():
    refused = {text: error(text) for text in FIRST}
    port, steps = to_known_state(**(QUIET | refused))
    assert port.sent[:5] == FIRST
    assert "AT#XCLOSE" in port.sent
    assert steps == []
    assert FIRMWARES["slm-sockets"].to_known_state is FIRMWARES["slm"].to_known_state


# -- Serial Modem's sockets


def test_the_sockets_of_serial_modem():
    found = FIRMWARES["raw-sockets"].recognise(serial_modem())
    assert found is not None
    assert (str(found), found.longest_topic) == ("Serial Modem's sockets 1.0.0", None)
    assert found.capabilities == FIRMWARES["raw-sockets"].capabilities
    assert FIRMWARES["raw-sockets"].socket(found) is HandleSocket


@pytest.mark.parametrize(("version", "has"), [("0.1", False), ("0.1.0", False), ("0.10", True), ("0.2.0", True)])
def test_the_first_serial_modem_has_the_sockets_of_its_predecessor(version, has):
    assert (FIRMWARES["raw-sockets"].recognise(serial_modem(version)) is not None) is has


def test_only_serial_modem_has_them():
    assert FIRMWARES["raw-sockets"].recognise(board()) is None
    neither = ScriptedPort({text: error(text) for text in ("AT#XSMVER", "AT#XSLMVER")})
    assert FIRMWARES["raw-sockets"].recognise(neither) is None
