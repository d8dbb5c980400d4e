"""A board that its user left in the middle of anything is opened again, and is in a known state then.

The virtual board is driven into each state that it has, its user goes away without a word, and the harness opens it.
"""

from __future__ import annotations

import socket
import threading

import pytest

from harness.at import AtPort, Terminator
from harness.errors import NoAnswer
from harness.firmware import Login, reset_blindly
from harness.lab import BoardConfig
from harness.run.open_board import open_board
from harness.settings import FirmwareName, Model
from harness.timeline import Kind, Timeline
from harness.virtual.mqtt import Connack, Puback, Publish
from tests.integration.board_lab import (
    CONNECT,
    HOST,
    OK,
    Authority,
    Host,
    Lab,
    Server,
    connect,
    provision,
)

LOGIN = Login("nrf-1", HOST, 8883, 16842753)


@pytest.fixture
def lab(tmp_path):
    lab = Lab(tmp_path)
    yield lab
    lab.stop()


@pytest.fixture
def authority():
    return Authority()


@pytest.fixture
def server(lab, authority):
    server = Server(lab, authority, client_ca=authority)
    yield server
    server.stop()


@pytest.fixture
def host(lab, server, authority):
    """A provisioned, registered board."""
    host = Host(lab.board().port)
    provision(host, authority, "nrf-1")
    host.ask("AT+CEREG=1")
    host.ask("AT+CFUN=1", until=b"+CEREG: 1\r\n")
    return host


def connected(host, server):
    connect(host)


def data_mode(host, server):
    connect(host)
    server.answer = lambda packet: Puback(packet.packet_id) if getattr(packet, "packet_id", None) else None
    assert host.ask('AT#XMQTTPUB="t","",1') == OK


def data_mode_half_a_payload(host, server):
    data_mode(host, server)
    host.serial.write(b'{"a":')


def data_mode_half_its_end(host, server):
    data_mode(host, server)
    host.serial.write(b'{"a":1}+')


def before_connack(host, server):
    """Half made: the board says that it is connected, and the broker has not accepted."""
    server.answer = lambda packet: None
    host.ask('AT#XMQTTCFG="nrf-1",60,1')
    assert host.ask(CONNECT) == OK
    threading.Timer(0.5, lambda: server.send(Connack())).start()


def half_closed(host, server):
    """The broker has said its last word and closed: the board's event is under way."""
    connect(host)
    server.close("notify", Puback(1))


def command_pending(host, server):
    host.serial.write(b"AT%CMNG=1\r")


def command_half_typed(host, server):
    host.serial.write(b"AT+CFUN")


def quote_open(host, server):
    host.serial.write(b'AT%CMNG=0,16842753,0,"-----BEGIN')


def echo_on(host, server):
    assert host.ask("ATE1").endswith(OK)


STATES = [
    connected,
    data_mode,
    data_mode_half_a_payload,
    data_mode_half_its_end,
    before_connack,
    half_closed,
    command_pending,
    command_half_typed,
    quote_open,
    echo_on,
]


def opened(host, lab, timeline, **settings):
    (board,) = lab.boards
    host.serial.close()
    config = BoardConfig(name=board.name, port=str(board.port), **{"firmware": FirmwareName.SERIAL_MODEM, **settings})
    return open_board(config, str(board.port), timeline, patience=10.0)


DECLARED = pytest.mark.parametrize("firmware", [FirmwareName.SERIAL_MODEM, None], ids=["declared", "found out"])


@DECLARED
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_board_left_in_any_state_is_opened_and_works(lab, server, host, state, firmware):
    state(host, server)
    timeline = Timeline()
    board = opened(host, lab, timeline, firmware=firmware)
    try:
        assert not board.mqtt.is_connected()
        assert board.modem.registration().registered
        server.answer = lambda packet: Connack() if type(packet).__name__ == "Connect" else None
        mark = board.mqtt.mark()
        board.mqtt.connect(LOGIN)
        accepted = board.mqtt.wait(lambda event: True, since=mark, timeout=30.0)
        assert accepted is not None
        assert accepted.kind == "accepted"
        board.mqtt.disconnect()
        assert not board.mqtt.is_connected()
    finally:
        board.port.close()


@DECLARED
def test_what_opens_the_board_is_published_nowhere(lab, server, host, firmware):
    """A board in data mode takes AT commands for a message: the first thing that it is sent ends data mode."""
    data_mode(host, server)
    board = opened(host, lab, Timeline(), firmware=firmware)
    board.port.close()
    assert [packet for packet in server.packets if isinstance(packet, Publish)] == []


def test_a_board_that_is_busy_connecting_is_waited_for(lab, server, host):
    """AT#XMQTTCON blocks every other command, here because nobody answers its TLS handshake for five seconds."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        lab.network.route(HOST, 8883, silent.getsockname())
        host.ask('AT#XMQTTCFG="nrf-1",60,1')
        host.serial.write(CONNECT.encode() + b"\r")
        peer, _ = silent.accept()
        timer = threading.Timer(5.0, peer.close)
        timer.start()
        timeline = Timeline()
        board = opened(host, lab, timeline)
        timer.join()
        board.port.close()
    tries = [event.data["tries"] for event in timeline.since() if "tries" in event.data]
    assert tries[0] == 5


@pytest.fixture
def flooded(lab, server, authority):
    """A board at 115200 baud that gets more messages than its line carries, for as long as the test lasts."""
    host = Host(lab.board(baud=115200).port)
    provision(host, authority, "nrf-1")
    host.ask("AT+CEREG=1")
    host.ask("AT+CFUN=1", until=b"+CEREG: 1\r\n")
    connect(host)
    message = Publish("prod/t/m/d/another-device/d2c", b'{"appId":"HARNESS","messageType":"DATA"}')
    over = threading.Event()

    def flood():
        while not over.wait(0.05):
            server.send(*[message] * 20)  # 30 kB/s on the line

    thread = threading.Thread(target=flood)
    thread.start()
    host.hear(b"#XMQTTEVT: 2,0\r\n")
    yield host
    over.set()
    thread.join()


@DECLARED
def test_a_board_that_is_flooded_with_messages_is_opened_as_what_it_is(lab, flooded, firmware):
    timeline = Timeline()
    board = opened(flooded, lab, timeline, firmware=firmware)
    try:
        assert board.kind is FirmwareName.SERIAL_MODEM
        assert board.port.settings.terminator is Terminator.CR
        assert not board.mqtt.is_connected()
    finally:
        board.port.close()
    assert len([event for event in timeline.since() if event.text.startswith("#XMQTTMSG")]) > 20


def test_a_board_that_is_reset_in_the_midst_of_messages_carries_bytes_afterwards(lab, flooded):
    """Data mode counts: one byte that is no payload, and the peer waits for the last one for ever."""
    (virtual,) = lab.boards
    flooded.serial.close()
    with AtPort.open(str(virtual.port), name="virtual-1", timeline=Timeline()) as port:
        assert reset_blindly(port, FirmwareName.SERIAL_MODEM)
    board = opened(flooded, lab, Timeline(), firmware=None)
    try:
        board.modem.register()
        request = b"GET / HTTP/1.1\r\nHost: api\r\n\r\n"
        with socket.create_server(("127.0.0.1", 0)) as server:
            lab.network.route("api.nrfcloud.com", 443, server.getsockname())
            board.port.command("AT#XSOCKET=1,1,0")
            board.port.command('AT#XCONNECT=0,"api.nrfcloud.com",443')
            peer, _ = server.accept()
            with peer:
                mark = board.port.timeline.mark()
                board.port.command("AT#XAPOLL=0,1,1")
                board.port.send_payload(f"AT#XSEND=0,2,0,{len(request)}", request, counted=True)
                peer.settimeout(5.0)
                assert peer.recv(4096) == request
                peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                board.port.wait_line("#XAPOLL: 0,1", 5.0, since=mark)
    finally:
        board.port.close()


def test_a_half_typed_shell_line_is_no_obstacle(lab):
    lab.board("shell-1", firmware=FirmwareName.SHELL)
    host = Host(lab.boards[0].port)
    host.serial.write(b"at 'AT+CF")
    timeline = Timeline()
    board = opened(host, lab, timeline, firmware=FirmwareName.SHELL)
    assert board.modem.functional_mode() == 0
    board.port.close()


def test_a_board_that_never_answers_is_not_waited_for_longer_than_it_may(lab):
    lab.board("mute", model=Model.MUTE)
    config = BoardConfig(name="mute", port=str(lab.boards[0].port), firmware=FirmwareName.SERIAL_MODEM)
    timeline = Timeline()
    with pytest.raises(NoAnswer, match="nothing was heard at all"):
        open_board(config, str(lab.boards[0].port), timeline, patience=0.2)
    # The last probe, and then the questions by which another firmware would have been found.
    sent = [event.text for event in timeline.since() if event.kind is Kind.TX]
    assert "AT+CNEC?" in sent
    assert not any(text.startswith("AT+") for text in sent[sent.index("AT+CNEC?") + 1 :])
