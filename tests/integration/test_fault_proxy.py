"""The fault proxy on real sockets: before an echo, before the broker, and between virtual board and broker."""

import contextlib
import re
import socket
import threading
import time
from typing import Any

import pytest

from harness.faults import Deed, Direction, Fault, Framing, TcpProxy
from harness.virtual.mqtt import Puback, Publish
from tests.integration import broker_lab
from tests.integration.board_lab import HOST, Authority, Host, Lab, Server, connect, provision

DEADLINE = 30.0


class Echo:
    """Answers each byte with itself. ``ends``: how its connections ended."""

    def __init__(self):
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = self._listening.getsockname()
        self.ends = []
        self._changed = threading.Condition()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=self._listening.accept()[:1], daemon=True).start()

    def _serve(self, tcp):
        how = "fin"
        with tcp:
            try:
                while data := tcp.recv(65536):
                    tcp.sendall(data)
            except OSError:
                how = "rst"
        with self._changed:
            self.ends.append(how)
            self._changed.notify_all()

    def ended(self):
        with self._changed:
            assert self._changed.wait_for(lambda: self.ends, DEADLINE), "the connection does not end"
        return self.ends[0]

    def close(self):
        self._listening.close()


@pytest.fixture
def echo():
    echo = Echo()
    yield echo
    echo.close()


def heard(tcp, count=1 << 20):
    """Return up to ``count`` bytes, and how the connection ended: fin, rst, or open."""
    data = b""
    try:
        while len(data) < count:
            fresh = tcp.recv(count - len(data))
            if not fresh:
                return data, "fin"
            data += fresh
    except ConnectionResetError:
        return data, "rst"
    return data, "open"


def client(proxy):
    return socket.create_connection(proxy.address, timeout=DEADLINE)


def test_bytes_pass_both_ways_and_ends_too(echo):
    with TcpProxy(echo.address, []) as proxy, client(proxy) as tcp:
        body = bytes(range(256)) * 1000
        threading.Thread(target=lambda: (tcp.sendall(body), tcp.shutdown(socket.SHUT_WR)), daemon=True).start()
        assert heard(tcp) == (body, "fin")
        assert echo.ended() == "fin"
        assert (proxy.connections, proxy.struck) == (1, [])


@pytest.mark.parametrize(("deed", "how"), [(Deed.FIN, "fin"), (Deed.RST, "rst")])
def test_a_cut_reaches_both_sides(echo, deed, how):
    with TcpProxy(echo.address, [Fault(deed, byte=1)], framing=Framing.BYTES) as proxy, client(proxy) as tcp:
        tcp.sendall(b"abcdef")
        assert heard(tcp)[1] == how
        assert echo.ended() == how
        assert [str(struck.fault) for struck in proxy.struck] == [f"{deed} at byte 1 (out)"]


def test_a_close_that_only_the_near_side_sees(echo):
    with TcpProxy(echo.address, [Fault(Deed.FIN_NEAR, phase="cut")]) as proxy, client(proxy) as tcp:
        tcp.sendall(b"abc")
        assert heard(tcp, 3) == (b"abc", "open")
        proxy.phase("cut")
        assert heard(tcp) == (b"", "fin")
        assert echo.ends == []
    assert echo.ended() in ("fin", "rst")  # with the proxy goes what the far side still believed in


def test_a_close_that_only_the_far_side_sees(echo):
    with TcpProxy(echo.address, [Fault(Deed.FIN_FAR, phase="cut")]) as proxy, client(proxy) as tcp:
        tcp.sendall(b"abc")
        assert heard(tcp, 3) == (b"abc", "open")
        proxy.phase("cut")
        assert echo.ended() == "fin"
        tcp.settimeout(0.1)
        with pytest.raises(TimeoutError):
            tcp.recv(1)


def test_an_age_cuts_an_idle_connection(echo):
    with TcpProxy(echo.address, [Fault(Deed.RST, age=0.05)]) as proxy, client(proxy) as tcp:
        assert heard(tcp) == (b"", "rst")
        assert proxy.struck[0].age >= 0.05


def test_a_stall_holds_what_comes_and_lets_it_go_in_order(echo):
    fault = Fault(Deed.STALL, byte=3, seconds=0.2)
    with TcpProxy(echo.address, [fault], framing=Framing.BYTES) as proxy, client(proxy) as tcp:
        begin = time.monotonic()
        tcp.sendall(b"ab")
        assert heard(tcp, 2) == (b"ab", "open")
        tcp.sendall(b"cd")
        tcp.sendall(b"ef")
        tcp.shutdown(socket.SHUT_WR)
        assert heard(tcp) == (b"cdef", "fin")
        assert time.monotonic() - begin >= 0.2


def test_a_black_hole_swallows_bytes_and_the_end(echo):
    with TcpProxy(echo.address, [Fault(Deed.STALL, phase="hole")]) as proxy, client(proxy) as tcp:
        tcp.sendall(b"abc")
        assert heard(tcp, 3) == (b"abc", "open")
        proxy.phase("hole")
        tcp.sendall(b"def")
        tcp.shutdown(socket.SHUT_WR)
        tcp.settimeout(0.1)
        with pytest.raises(TimeoutError):
            tcp.recv(1)
        assert echo.ends == []


def test_a_cut_on_demand_and_many_connections_leave_nothing(echo):
    before = threading.active_count()
    with TcpProxy(echo.address, []) as proxy:
        peers = [client(proxy) for _ in range(20)]
        for tcp in peers:
            tcp.sendall(b"x")
            assert heard(tcp, 1) == (b"x", "open")
        proxy.cut(Deed.RST)
        assert {heard(tcp) for tcp in peers} == {(b"", "rst")}
        for tcp in peers:
            tcp.close()
        assert proxy.connections == 20
    assert [thread.name for thread in threading.enumerate() if "fault" in thread.name] == []
    assert threading.active_count() <= before + 20  # the echo's own, which end by themselves


def test_a_far_side_that_refuses_is_a_reset():
    free = socket.create_server(("127.0.0.1", 0))
    address = free.getsockname()
    free.close()
    with TcpProxy(address, []) as proxy, contextlib.suppress(ConnectionResetError), client(proxy) as tcp:
        assert heard(tcp) == (b"", "rst")


# -- before the broker ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("deed", "end"), [(Deed.RST, "rst"), (Deed.FIN, "fin")])
def test_the_third_mqtt_packet_is_found_inside_tls(deed, end):
    """CONNECT is the first application record: the second publish ends it, and the broker never saw that one."""
    with broker_lab.lab("dev") as lab, TcpProxy(("127.0.0.1", lab.port), [Fault(deed, packet=3)]) as proxy:
        with broker_lab.RawClient(proxy.address[1], "dev") as peer:
            peer.send(broker_lab.Connect("dev"))
            peer.read()
            peer.send(Publish("ok/1", b"", 1, packet_id=1))
            assert peer.read() == Puback(1)
            peer.send(Publish("ok/2", b"", 1, packet_id=2))
            assert peer.read() == end
        assert [topic for _, topic, *_ in lab.services.heard] == ["ok/1"]
        assert proxy.struck[0].packets == 3


# -- between the virtual board and its broker -------------------------------------------------------------------------


@pytest.fixture
def behind(tmp_path):
    """Return a function: with such faults between them, a registered board and its broker, which acknowledges all."""
    lab, authority = Lab(tmp_path), Authority()
    server = Server(lab, authority, client_ca=authority)
    plain: Any = server.answer

    def answer(packet: Any) -> Any:
        if isinstance(packet, Publish):
            assert packet.packet_id is not None
            return Puback(packet.packet_id)
        return plain(packet)

    server.answer = answer
    host = Host(lab.board().port)
    provision(host, authority, "nrf-1")
    host.ask("AT+CEREG=1")
    host.ask("AT+CFUN=1", until=b"+CEREG: 1\r\n")
    with contextlib.ExitStack() as stack:

        def behind(*faults):
            proxy = stack.enter_context(TcpProxy(("127.0.0.1", server.port), faults))
            lab.network.route(HOST, 8883, proxy.address)
            return proxy, host, server

        yield behind
    server.stop()
    lab.stop()


PUBLISH = 'AT#XMQTTPUB="t","x",1,0'


@pytest.mark.parametrize(
    ("deed", "heard"),
    [(Deed.RST, b"\r\n#XMQTTEVT: 1,-104\r\n"), (Deed.FIN, b"\r\n#XMQTTEVT: 1,-128\r\n")],
)
def test_the_board_tells_a_cut_at_a_packet_as_it_tells_a_refusal(behind, deed, heard):
    """What makes one trial worthless: the cut comes at the publish, and nothing on the board says that it was none."""
    proxy, host, server = behind(Fault(deed, packet=3, times=1))
    connect(host)
    host.serial.write(PUBLISH.encode() + b"\r")
    assert host.hear(b"3,0\r\n").startswith(b"\r\nOK\r\n")
    host.serial.write(PUBLISH.encode() + b"\r")
    assert host.hear(heard) == b"\r\nOK\r\n" + heard
    assert len(server.packets) == 2
    connect(host)
    assert (proxy.connections, len(proxy.struck)) == (2, 1)


def test_a_garbled_record_is_no_message_for_the_broker(behind):
    _, host, server = behind(Fault(Deed.GARBLE, packet=2))
    connect(host)
    host.serial.write(PUBLISH.encode() + b"\r")
    # A TLS alert and its end: how the board tells it depends on what its socket sees first.
    assert host._read(re.compile(rb"#XMQTTEVT: 1,-\d+\r\n\Z").search, "the end")
    assert len(server.packets) == 1


def test_an_answer_that_never_comes(behind):
    """A black hole from the broker to the board: the publish arrives, its PUBACK does not, and no end is seen."""
    proxy, host, server = behind(Fault(Deed.STALL, Direction.IN, phase="action"))
    connect(host)
    proxy.phase("action")
    assert host.ask(PUBLISH) == b"\r\nOK\r\n"
    server.wait(2)
    assert host.ask("AT#XMQTTCON?").startswith(b"\r\n#XMQTTCON: 1,")
