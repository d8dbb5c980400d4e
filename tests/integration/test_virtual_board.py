"""A virtual board from outside: a serial port opened with pyserial, and a TLS server that it connects to."""

import hashlib
import os
import socket
import time

import pytest
import serial

from harness.settings import Model
from harness.virtual.mqtt import Connack, Connect, Puback, Publish, Suback
from tests.integration.board_lab import CONNECT, ERROR, HOST, OK, Authority, Host, Lab, Server, connect, provision


@pytest.fixture
def lab(tmp_path):
    lab = Lab(tmp_path)
    yield lab
    lab.stop()


# -- the port -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"rtscts": True}, {"dsrdtr": True}, {"exclusive": True}])
def test_the_port_opens_however_tools_open_it(lab, options):
    board = lab.board()
    assert Host(board.port, **options).ask("AT+CGSN") == f"\r\n{board.imei}\r\n\r\nOK\r\n".encode()


def test_state_is_kept_from_one_tool_to_the_next(lab):
    board = lab.board()
    first = Host(board.port)
    assert first.ask("AT+CMEE=1") == OK
    first.serial.write(b"AT+CM")  # and goes away in the middle of a command
    first.serial.close()
    second = Host(board.port)
    assert second.ask("EE?") == b"\r\n+CMEE: 1\r\n\r\nOK\r\n"


def test_the_link_appears_and_goes(lab):
    board = lab.board()
    assert board.port.is_symlink()
    assert os.readlink(board.port).startswith("/dev/pts/")
    assert [path.name for path in lab.folder.iterdir()] == ["virtual-1"]
    lab.run(board.stop())
    assert list(lab.folder.iterdir()) == []


def test_the_link_of_another_board_is_left_alone(lab):
    old = lab.board()
    new = lab.board()
    lab.run(old.stop())
    assert Host(new.port).ask("AT") == OK


def test_many_boards_in_one_loop(lab):
    boards = [lab.board(f"virtual-{number}") for number in range(8)]
    hosts = [Host(board.port) for board in boards]
    answers = [host.ask("AT+CGSN=1") for host in hosts]
    assert answers == [f'\r\n+CGSN: "{board.imei}"\r\n\r\nOK\r\n'.encode() for board in boards]
    assert len(set(answers)) == 8


def test_nothing_is_said_unasked(lab):
    host = Host(lab.board().port)
    host.ask("AT+CFUN=1")
    host.serial.timeout = 0.3
    assert host.serial.read(1) == b""


def test_reset_ends_with_the_banner(lab):
    host = Host(lab.board().port)
    assert host.ask("AT#XRESET", until=b"Ready\r\n") == OK + b"Ready\r\n"


def test_a_pulled_cable(lab):
    board = lab.board()
    host = Host(board.port)
    host.ask("AT+CFUN=1")
    lab.loop.call_soon_threadsafe(board.unplug)
    with pytest.raises(serial.SerialException):
        host.serial.read(1)
    assert not board.port.is_symlink()


def test_plugged_in_again(lab):
    board = lab.board()
    host = Host(board.port)
    host.ask('AT%CMNG=0,1,4,"x"')
    host.ask("AT+CMEE=1")
    lab.run(board.stop())
    lab.run(board.start())
    again = Host(board.port)
    assert again.ask("AT+CMEE?").endswith(b"+CMEE: 0\r\n\r\nOK\r\n")
    assert again.ask("AT%CMNG=1,1,4").startswith(b"\r\n%CMNG: 1,4,")


def test_a_mute_board(lab):
    host = Host(lab.board(model=Model.MUTE).port)
    host.serial.timeout = 0.2
    host.serial.write(b"AT\r")
    assert host.serial.read(1) == b""


def test_a_board_at_the_wrong_baud_rate(lab):
    host = Host(lab.board(model=Model.GARBAGE).port)
    host.serial.timeout = 0.2
    host.serial.write(b"AT\r")
    heard = host.serial.read(100)
    assert heard
    assert min(heard) >= 0x80


def test_pace_of_the_baud_rate(lab):
    host = Host(lab.board(baud=115200).port)
    host.ask(f'AT%CMNG=0,1,4,"{"x" * 2000}"')
    took = []
    for _ in range(3):
        start = time.monotonic()
        answer = host.ask("AT%CMNG=2,1,4")
        took.append(time.monotonic() - start)
    expected = (len("AT%CMNG=2,1,4\r") + len(answer)) * 10 / 115200
    assert len(answer) > 2000
    assert expected * 0.99 < min(took) < expected * 2  # the quickest: other work on the computer may hold one up


def test_a_long_answer_waits_for_a_slow_reader(lab):
    board = lab.board()
    host = Host(board.port)
    answer = host.ask(f'AT%CMNG=0,1,4,"{"y" * 3000}"')
    assert answer == OK
    for _ in range(20):
        host.serial.write(b"AT%CMNG=2,1,4\r")  # 60 kB: more than the terminal holds
    one = f'\r\n%CMNG: 1,4,"{hashlib.sha256(b"y" * 3000).hexdigest().upper()}","{"y" * 3000}"\r\n\r\nOK\r\n'
    assert host.hear(one.encode() * 20) == one.encode() * 20


# -- the network -----------------------------------------------------------------------------------------------------


@pytest.fixture
def authority():
    return Authority()


@pytest.fixture
def server(lab, authority):
    server = Server(lab, authority, client_ca=authority)
    yield server
    server.stop()


@pytest.fixture
def host(lab, authority):
    """A provisioned, registered board."""
    host = Host(lab.board().port)
    provision(host, authority, "nrf-1")
    host.ask("AT+CEREG=1")
    host.ask("AT+CFUN=1", until=b"+CEREG: 1\r\n")
    return host


def test_mutual_tls_with_the_key_made_on_the_board(host, server):
    connect(host)
    assert server.wait(1) == [Connect("nrf-1", keepalive=60)]
    assert server.peer["subject"] == ((("commonName", "nrf-1"),),)
    assert server.version == "TLSv1.2"
    assert server.server_names == [HOST]
    server.answer = lambda packet: Suback(packet.packet_id, (0x80,))
    host.serial.write(b'AT#XMQTTSUB="t",1\r')
    assert host.hear(b"7,0\r\n") == OK + b"\r\n#XMQTTEVT: 7,0\r\n"
    server.answer = lambda packet: Puback(packet.packet_id)
    assert host.ask('AT#XMQTTPUB="t","",1') == OK
    host.serial.write(b'{"a":1}+++')
    assert host.hear(b"3,0\r\n") == b"\r\n#XDATAMODE: 0\r\n\r\n#XMQTTEVT: 3,0\r\n"
    assert server.wait(3)[2] == Publish("t", b'{"a":1}', 1, packet_id=1)
    server.answer = lambda packet: None
    server.send(Publish("t", b"x" * 3000, 1, packet_id=5))
    assert host.hear(b"2,0\r\n") == b"\r\n#XMQTTMSG: 1,3000\r\nt\r\n%s\r\n\r\n#XMQTTEVT: 2,0\r\n" % (b"x" * 3000)
    assert server.wait(4)[3] == Puback(5)


@pytest.mark.parametrize(
    ("style", "last", "heard"),
    [
        ("notify", (), b"\r\n#XMQTTEVT: 1,-128\r\n"),
        ("fin", (), b"\r\n#XMQTTEVT: 1,-128\r\n"),
        ("rst", (), b"\r\n#XMQTTEVT: 1,-104\r\n"),
        ("notify", (Puback(1),), b"\r\n#XMQTTEVT: 3,0\r\n\r\n#XMQTTEVT: 1,-113\r\n"),
    ],
)
def test_how_the_broker_closes_is_told_truthfully(host, server, style, last, heard):
    connect(host)
    server.wait(1)
    server.close(style, *last)
    assert host.hear(heard[-10:]) == heard
    assert host.ask("AT#XMQTTCON?") == b"\r\n#XMQTTCON: 0\r\n\r\nOK\r\n"
    connect(host)


def test_closed_without_connack(host, server):
    server.answer = lambda packet: server.close("notify")
    host.serial.write(CONNECT.encode() + b"\r")
    assert host.hear(b"-128\r\n") == OK + b"\r\n#XMQTTEVT: 1,-128\r\n"


def test_refused_by_connack(host, server):
    server.answer = lambda packet: Connack(5)
    host.serial.write(CONNECT.encode() + b"\r")
    assert host.hear(b"-111\r\n") == OK + b"\r\n#XMQTTEVT: 0,5\r\n\r\n#XMQTTEVT: 1,-111\r\n"


def test_the_network_goes_away(host, server):
    connect(host)
    host.serial.write(b"AT+CFUN=4\r")
    assert host.hear(b"-113\r\n") == OK + b"\r\n+CEREG: 0\r\n\r\n#XMQTTEVT: 1,-113\r\n"
    assert host.ask(CONNECT) == ERROR


def test_whatever_fails_up_to_tls_is_an_error_without_a_word(lab, host, authority):
    stranger = Authority("stranger")

    def refused():
        assert host.ask(CONNECT) == ERROR
        assert host.ask("AT#XMQTTCON?") == b"\r\n#XMQTTCON: 0\r\n\r\nOK\r\n"

    refused()  # the name does not resolve
    free = socket.create_server(("127.0.0.1", 0))
    closed_port = free.getsockname()[1]
    free.close()
    lab.network.route(HOST, 8883, ("127.0.0.1", closed_port))
    refused()
    for server in (
        Server(lab, stranger),  # not our root
        Server(lab, authority, names=("other.example",)),  # not this name
        Server(lab, authority, client_ca=stranger),  # does not want our certificate
    ):
        refused()
        server.stop()
    server = Server(lab, authority, client_ca=authority)
    host.ask("AT+CFUN=4", until=b"+CEREG: 0\r\n")
    host.ask("AT%CMNG=3,16842753,2")
    host.ask("AT+CFUN=1", until=b"+CEREG: 1\r\n")
    refused()  # a certificate and no key
    server.stop()


def test_key_and_certificate_that_do_not_match(lab, host, authority):
    server = Server(lab, authority, client_ca=authority)
    host.ask("AT+CFUN=4", until=b"+CEREG: 0\r\n")
    host.ask("AT%CMNG=3,16842753,2")
    host.ask("AT%KEYGEN=16842753,2,1")
    host.ask("AT+CFUN=1", until=b"+CEREG: 1\r\n")
    assert host.ask(CONNECT) == ERROR
    server.stop()


def test_stopping_while_a_connection_is_being_opened(lab, host):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        lab.network.route(HOST, 8883, silent.getsockname())
        host.serial.write(CONNECT.encode() + b"\r")
        peer, _ = silent.accept()
        with peer:
            assert peer.recv(1) == b"\x16"  # a TLS ClientHello
            lab.run(lab.boards[0].stop())
