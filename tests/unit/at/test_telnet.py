"""Telnet's framing, held against pyserial's own client, which is fed the same bytes."""

import socket
from itertools import pairwise
from typing import Any

import pytest
import serial
import serial.rfc2217
from hypothesis import assume, example, given
from hypothesis import strategies as st

from harness.at.telnet import DO, SE, WILL, TelnetReader, TelnetVerb, escaped, subnegotiation

ALL = bytes(range(256))


class PyserialsClient(serial.rfc2217.Serial):
    """Its reader without a connection: what it took for the board's bytes, and what for Telnet's own."""

    def __init__(self, pieces):
        super().__init__()
        self.pieces = [*pieces, b""]
        self.heard = []
        self._socket = self
        self._read_buffer = self
        self.plain = bytearray()
        self.is_open = True
        private: Any = self
        private._telnet_read_loop()
        self.is_open = False

    def recv(self, _size):
        return self.pieces.pop(0)

    def put(self, byte):
        self.plain += byte or b""

    def _telnet_negotiate_option(self, command, option):
        self.heard.append(TelnetVerb(ord(command), ord(option)))

    def _telnet_process_subnegotiation(self, suboption):
        self.heard.append(suboption)


def cut(data, at):
    """Cut ``data`` at these places."""
    return [data[a:b] for a, b in pairwise([0, *sorted(place % (len(data) + 1) for place in at), len(data)]) if a < b]


def read(pieces):
    reader = TelnetReader()
    return b"".join(map(reader.feed, pieces)), reader.heard


SPOKEN = st.one_of(
    st.binary(max_size=20).map(escaped),
    st.tuples(st.integers(0xFB, 0xFE), st.integers(0, 255)).map(lambda verb: bytes((0xFF, *verb))),
    st.binary(max_size=20).map(subnegotiation),
    st.sampled_from([b"\xff\xf1", b"\xff\xf6"]),
)
CUTS = st.lists(st.integers(0, 1000), max_size=8)


@given(st.lists(SPOKEN, max_size=8).map(b"".join), CUTS)
def test_what_a_server_may_say_is_read_as_pyserial_reads_it(data, at):
    pieces = cut(data, at)
    theirs = PyserialsClient(pieces)
    assert read(pieces) == (bytes(theirs.plain), theirs.heard)


@given(st.lists(st.sampled_from([b"\xff", b"\xfa", b"\xf0", b"\xfd", b"\x2c", b"A"]), max_size=12).map(b"".join), CUTS)
@example(b"\xff\xfa\x2c\xff\xfa\x01\xff\xf0", [])
def test_nonsense_is_read_as_pyserial_reads_it(data, at):
    pieces = cut(data, at)
    try:
        theirs = PyserialsClient(pieces)
    except TypeError:  # the end of a subnegotiation that never began ends pyserial's reader
        assume(False)
    assert read(pieces) == (bytes(theirs.plain), theirs.heard)


@given(st.lists(st.one_of(st.binary(max_size=30), st.just(b"\xff")), max_size=5).map(b"".join), CUTS)
@example(ALL, [255])
@example(b"\xff", [])
@example(b"\xff\xff", [1, 2, 3])
def test_any_bytes_come_through_as_they_are(data, at):
    assert read(cut(escaped(data), at)) == (data, [])


def test_bytes_are_sent_as_pyserials_server_reads_them():
    near, far = socket.socketpair()

    class Lines:
        baudrate, bytesize, parity, stopbits = 115200, 8, "N", 1
        rtscts = xonxoff = dtr = rts = cts = dsr = ri = cd = False

    class Connection:
        write = far.sendall

    with near, far:
        lines: Any = Lines()
        connection: Any = Connection()
        manager = serial.rfc2217.PortManager(lines, connection)
        assert b"".join(manager.filter(escaped(ALL))) == ALL
        assert read([b"".join(manager.escape(ALL))]) == (ALL, [])


def test_a_piece_without_anything_of_telnets_is_plain():
    reader = TelnetReader()
    assert reader.plain(b"OK\r\n")
    assert not reader.plain(b"\xff")
    assert reader.feed(b"A\xff") == b"A"
    assert not reader.plain(b"\xff")
    assert not reader.plain(b"B")
    assert reader.feed(b"\xffB\xff\xfa\x2c") == b"\xffB"
    assert not reader.plain(b"C")
    assert reader.feed(b"C\xff\xf0") == b""
    assert reader.heard == [b"\x2cC"]
    assert reader.plain(b"C")


def test_the_end_of_what_never_began_is_nothing():
    assert read([bytes((0xFF, SE)), b"A"]) == (b"A", [])


def test_a_subnegotiation_without_an_end_takes_no_memory():
    reader = TelnetReader()
    reader.feed(b"\xff\xfa")
    for _ in range(3):
        assert reader.feed(b"x" * 3000 + b"\xff\xff") == b""
    reader.feed(b"\xff\xf0")
    assert reader.heard == [b"x" * 3000 + b"\xff" + b"x" * 1095]


@pytest.mark.parametrize("verb", [DO, WILL])
def test_verbs_are_told_with_their_option(verb):
    assert read([bytes((0xFF, verb)), b"\x2c"]) == (b"", [TelnetVerb(verb, 0x2C)])
