"""The Serial LTE Modem's TCP client as a carrier of any bytes, against the stand-in of an older firmware."""

import re
import socket
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import LabError
from harness.firmware import NoSession
from harness.firmware.bridge import Pump, SocketEnd, SocketsTaken, TcpClientSocket
from harness.firmware.bridge import tcp_client as module
from harness.firmware.bridge.at_socket import Poll
from harness.timeline import Event, Kind
from harness.virtual.board.outputs import LinkFailed
from tests.unit.firmware.bridge.slm_stream import SlmStream

DEADLINE = 10.0
HOSTILE = [
    b"+++",
    b"+",
    b"\r\nOK\r\n",
    b"\r\nERROR\r\n",
    b"\r\n#XTCPDATA: 9\r\n",
    b'"',
    b"\0\x08\x7f",
    b"\r",
    b"\n",
    b"\x1b",
]
HOSTILE += [b'\r\n#XTCPCLI: -104,"disconnected"\r\n', b"#XDATAMODE: 0", b"\r\n+CEREG: 1\r\n", b"a" * 3000, b"AT\r\n"]
ANY = st.lists(st.sampled_from(HOSTILE) | st.binary(min_size=1, max_size=50), max_size=8)
LOOKS_LIKE_THE_END = re.compile(rb"\r\n#XDATAMODE: -?\d{1,6}(\r\n|\Z)")
IN_DATA_MODE = ANY.filter(lambda pieces: not any(map(LOOKS_LIKE_THE_END.search, pieces)))
"""Nobody can tell the firmware's own line from the same bytes of the peer; hypothesis knows that line from the code."""


class Carried:
    """A connected client, and a pump between it and ``ours``."""

    def __init__(self, stream):
        self.stream = stream
        self.port = stream.port()
        self.ended = threading.Event()
        self.ours, boards = socket.socketpair()
        self.ours.settimeout(DEADLINE)
        mark = self.port.timeline.mark()
        self.client = TcpClientSocket(self.port)
        self.client.connect("h", 8883, 42, timeout=DEADLINE)
        self.pump = Pump(boards, self.client, since=mark, ended=lambda _pump: self.ended.set())
        self.pump.start()

    def heard(self, count):
        """Return ``count`` bytes, or what came until the end."""
        data = b""
        while len(data) < count and (part := self.ours.recv(65536)):
            data += part
        return data

    def steps(self):
        return [event.text for event in self.port.timeline.since(0) if event.kind is Kind.STEP]

    def close(self):
        self.ours.close()
        self.pump.join(DEADLINE)
        self.port.close()


@pytest.fixture
def carried():
    made = []

    def start(**options):
        made.append(Carried(SlmStream(**options)))
        return made[-1]

    yield start
    for one in made:
        one.close()


@settings(max_examples=60, deadline=None)
@given(up=ANY, down=ANY, meanwhile=IN_DATA_MODE, size=st.integers(1, 64) | st.just(4096))
def test_no_byte_is_lost_at_any_size_of_pieces_whatever_it_is(up, down, meanwhile, size):
    stream = SlmStream(size=size, in_data_mode=meanwhile)
    made = Carried(stream)
    try:
        for piece in down:
            stream.arrive(piece)
        for piece in up:
            made.ours.sendall(piece)
        stream.wait_sent(len(b"".join(up)))
        made.pump.ask(DEADLINE)  # the last data mode is over then
        came = meanwhile[: len(meanwhile) - len(stream.in_data_mode)]
        stream.arrive(b"the last")
        wanted = b"".join([*down, b"the last"])
        got = made.heard(len(wanted) + len(b"".join(came)))
        assert bytes(stream.sent) == b"".join(up)
        assert got.endswith(b"the last")
        if not came:
            assert got == wanted
        # What came in data mode stands somewhere among the rest, in order: pieces of both are put together again.
        assert sorted(got) == sorted(wanted + b"".join(came))
        assert made.pump.failure is None
    finally:
        made.close()


@settings(max_examples=30, deadline=None)
@given(up=ANY, meanwhile=IN_DATA_MODE, size=st.integers(1, 64))
def test_what_comes_in_data_mode_keeps_its_order(up, meanwhile, size):
    stream = SlmStream(size=size, in_data_mode=meanwhile)
    made = Carried(stream)
    try:
        for piece in up:
            made.ours.sendall(piece)
        stream.wait_sent(len(b"".join(up)))
        made.pump.ask(DEADLINE)
        came = b"".join(meanwhile[: len(meanwhile) - len(stream.in_data_mode)])
        stream.arrive(b"the last")
        assert made.heard(len(came) + 8) == came + b"the last"
    finally:
        made.close()


def test_a_connection_and_its_commands(carried):
    made = carried(echo=True)
    made.ours.sendall(b"a+++b")
    assert made.heard(5) == b"a+++b"
    lines = [command.decode() for command in made.stream.commands]
    assert lines[:2] == ["AT#XTCPCLI=0\r\n", 'AT#XTCPCLI=1,"h",8883,42\r\n']
    assert lines[2:] == ["AT#XTCPSEND\r\n", "a+++", 'AT#XTCPSEND="+++"\r\n', "AT#XTCPSEND\r\n", "b+++"]
    events = made.port.timeline.since(0)
    assert not any("a+++b" in event.text or "blobs" in event.data for event in events)
    assert "#XTCPDATA: 1" in [event.text for event in events]


def test_the_timeline_has_the_number_of_bytes_that_came_in_data_mode(carried):
    made = carried(in_data_mode=[b"secret"])
    made.ours.sendall(b"x")
    assert made.heard(6) == b"secret"
    made.stream.wait_sent(1)
    made.pump.ask(DEADLINE)
    (ended,) = [event for event in made.port.timeline.since(0) if event.text == "#XDATAMODE: 0"]
    assert ended.data["received"] == 6
    assert "secret" not in str(made.port.timeline.since(0))


@pytest.mark.parametrize("data_mode", [False, True])
def test_a_hang_up_is_told_as_pollhup_behind_the_last_byte(carried, data_mode):
    made = carried(in_data_mode=[b"last", None] if data_mode else ())
    if data_mode:
        made.ours.sendall(b"x")
    else:
        made.stream.arrive(b"last")
        made.stream.hang_up()
    assert made.heard(100) == b"last"
    assert made.ended.wait(DEADLINE)
    assert made.pump.end is SocketEnd.HUNG_UP
    assert made.steps()[-2:] == [
        "socket 0: POLLHUP (told as cause -104)",
        "socket 0: the peer has closed or reset the connection",
    ]
    made.pump.join(DEADLINE)
    assert made.stream.commands[-1] == b"AT#XTCPCLI=0\r\n"  # else it would not connect again


def test_a_network_that_goes_is_no_hang_up(carried):
    made = carried()
    made.stream.lose_network()
    assert made.heard(1) == b""
    assert made.ended.wait(DEADLINE)
    assert made.pump.end is SocketEnd.NETWORK


def test_a_lost_line_of_the_end_is_noticed_when_the_board_is_asked(carried):
    made = carried()
    made.stream.lose_bytes = True
    made.stream.hang_up()
    made.stream.lose_bytes = False
    assert not made.pump.ask(DEADLINE)
    assert made.pump.end is SocketEnd.INVALID


def test_a_second_connection_waits_for_the_first_one_and_is_refused(carried, monkeypatch):
    monkeypatch.setattr(module, "_LINGERS", 0.05)
    made = carried(echo=True)
    with pytest.raises(
        SocketsTaken, match="slm: the firmware's TCP client carries one connection at a time, and socket 0"
    ):
        TcpClientSocket(made.port).connect("h", 1, None, timeout=DEADLINE)
    made.ours.sendall(b"x")
    assert made.heard(1) == b"x"
    monkeypatch.undo()
    threading.Timer(0.05, made.pump.stop).start()
    TcpClientSocket(made.port).connect("h", 1, None, timeout=DEADLINE)  # waits for the first one's end


def test_a_connection_that_fails_leaves_the_client_free():
    stream = SlmStream()
    stream.opens = LinkFailed("no", 1)
    with stream.port() as port:
        for _ in range(2):
            with pytest.raises(NoSession, match="slm: no TLS session with h:8883 using sec_tag 42"):
                TcpClientSocket(port).connect("h", 8883, 42, timeout=DEADLINE)


def test_a_program_that_takes_nothing_ends_the_connection_before_memory_does(carried, monkeypatch):
    monkeypatch.setattr(module, "_MOST_KEPT", 10_000)
    made = carried()
    for _ in range(500):
        made.stream.arrive(b"x" * 2048)
    assert made.ended.wait(DEADLINE)  # though it never reads
    assert set(made.heard(10**9)) <= {ord("x")}
    assert isinstance(made.pump.failure, LabError)
    assert "the local program reads too slowly" in str(made.pump.failure)


@pytest.mark.parametrize("status", [0, -104])
def test_a_peer_that_writes_the_firmwares_own_line_in_data_mode_is_told(carried, status):
    made = carried(in_data_mode=[b"a\r\n#XDATAMODE: %d\r\nb" % status])
    made.ours.sendall(b"x")
    assert made.heard(100) == b"a"
    assert made.ended.wait(DEADLINE)
    assert "cannot be told from the firmware's own line" in str(made.pump.failure)
    assert made.pump.end is None  # nobody has hung up


def test_the_timeline_tells_of_bytes_before_anything_comes_of_them():
    """Else an acknowledgement would stand before the line that brought it."""
    stream = SlmStream()
    said = []

    class Carrier:
        def take(self, data):
            said.append(data)

        def release(self):
            said.append([event.text for event in port.timeline.since(0) if event.text.startswith("#XTCPDATA")])

    with stream.port() as port:
        port.command('AT#XTCPCLI=1,"h",1')
        port.carry(Carrier())
        stream.arrive(b"ab")
        port.wait_line("#XTCPDATA: 2", DEADLINE, since=0)
        stream.incoming.join()
    assert said[0] == b"ab"
    assert said[1] == ["#XTCPDATA: 2"]


@pytest.mark.parametrize("announced", [b"#XTCPDATA: ten", b"#XTCPDATA: 99999999"])
def test_bytes_that_were_lost_on_the_port_end_the_connection(carried, announced):
    made = carried()
    made.stream.incoming.put(b"\r\n" + announced + b"\r\n")
    assert made.ended.wait(DEADLINE)
    assert isinstance(made.pump.failure, LabError)
    said = str(made.pump.failure)
    assert "bytes of the peer were lost between board and computer" in said
    assert f"announced ({announced.decode()})" in said


def test_the_end_of_another_clients_data_mode_is_not_this_ones():
    with SlmStream().port() as port:
        client = TcpClientSocket(port)

        def told(command):
            data = {"command": command, "seconds": 0.1, "ok": False}
            return client.told(Event(1, 0.0, Kind.RESULT, "slm", "#XDATAMODE: -104", data))

        assert told("AT#XSEND") is None
        assert told("AT#XTCPSEND") == (Poll.HUP, "socket -1: POLLHUP (told as cause -104)")
