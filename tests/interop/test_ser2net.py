"""The harness's client of RFC 2217 against a real ser2net, with a pty behind it."""

import os
import pty
import shutil
import subprocess
import termios
import threading
import time
import tty

import pytest

from harness.at import AtPort, PortSettings
from harness.at.serial_link import open_link
from harness.errors import BoardLost, PortBusy, PortMissing
from harness.timeline import Timeline
from tests.labgrid_lab import free_port, listens

SER2NET = shutil.which("ser2net", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
ALL = bytes(range(256))
DEADLINE = 30.0
OWN = {"chardelay": "false", "kickolduser": "false"}  # as docs/many-hosts.md advises
LABGRIDS = {"max-connections": "10"}

pytestmark = pytest.mark.skipif(SER2NET is None, reason="ser2net is not installed: apt-get install ser2net")


class Board:
    """The board's end of a pty that ser2net serves. ``options``: of its connection. ``device``: in its place."""

    def __init__(self, accepter, options, device=None):
        self.end, self.tty = pty.openpty()
        tty.setraw(self.tty)  # kept open: a pty without any reader loses what is written to it
        self.port = free_port()
        words = [
            f"connection: &board#  accepter: {accepter},127.0.0.1,{self.port}",
            f"  connector: serialdev(nouucplock=true),{device or os.ttyname(self.tty)},115200n81,local",
            "  options:",
            *(f"    {name}: {value}" for name, value in options.items()),
        ]
        yaml = [word for line in words for word in ("-Y", line)]
        assert SER2NET is not None
        self.process = subprocess.Popen([SER2NET, "-n", "-d", *yaml], stdin=subprocess.DEVNULL)
        await_that(lambda: listens(self.port))

    @property
    def url(self):
        return f"rfc2217://127.0.0.1:{self.port}?ign_set_control"

    def settings(self):
        """Return the speed and whether there is hardware flow control, as ser2net set them."""
        found = termios.tcgetattr(self.tty)
        return found[5], bool(found[2] & termios.CRTSCTS)

    def read(self, size):
        data = b""
        while len(data) < size:
            data += os.read(self.end, size - len(data))
        return data

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        self.kill()
        os.close(self.end)
        os.close(self.tty)


def await_that(known):
    deadline = time.monotonic() + DEADLINE
    while not known():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


@pytest.fixture
def serve():
    boards = []

    def serve(accepter="telnet(rfc2217),tcp", options=OWN, device=None):
        boards.append(Board(accepter, options, device))
        return boards[-1]

    yield serve
    for board in boards:
        board.close()


def opened(url, *, rate=115200, rtscts=False):
    return open_link(url, "board-1", baudrate=rate, rtscts=rtscts)


def read(stream, size):
    """Read ``size`` bytes as the port's reader does."""
    data = b""
    while len(data) < size:
        mark = stream.wait()
        assert mark is not None
        data += stream.take(mark)
    return data


@pytest.mark.parametrize("options", [OWN, LABGRIDS])
def test_every_byte_passes_both_ways(serve, options):
    board = serve(options=options)
    stream = opened(board.url)
    stream.write(ALL)
    assert board.read(256) == ALL
    os.write(board.end, ALL)
    assert read(stream, 256) == ALL
    stream.close()


def test_many_bytes_pass_both_ways_in_order(serve):
    """Pairs of bytes 255, and pieces that end in the middle of one."""
    board = serve()
    data = b"".join(b"\xff" * number + bytes((number,)) for number in range(200)) * 3
    stream = opened(board.url)
    for near, far in ((stream.write, board.read), (lambda part: os.write(board.end, part), lambda n: read(stream, n))):
        for at in range(0, len(data), 997):
            part = data[at : at + 997]
            near(part)
            assert far(len(part)) == part
    stream.close()


def test_plain_bytes_pass_without_rfc_2217(serve):
    board = serve("tcp")
    stream = opened(f"socket://127.0.0.1:{board.port}")
    stream.write(ALL)
    assert board.read(256) == ALL
    os.write(board.end, ALL)
    assert read(stream, 256) == ALL
    stream.close()


@pytest.mark.parametrize("rtscts", [False, True])
@pytest.mark.parametrize(("rate", "speed"), [(9600, termios.B9600), (1_000_000, termios.B1000000)])
def test_speed_and_flow_control_reach_the_tty(serve, rate, speed, rtscts):
    board = serve()
    stream = opened(board.url, rate=rate, rtscts=rtscts)
    assert board.settings() == (speed, rtscts)
    stream.close()


def test_the_speed_is_changed_while_the_port_is_read(serve):
    board = serve()
    with AtPort.open(board.url, name="board-1", timeline=Timeline()) as port:
        port.adapt(PortSettings(baudrate=460800))
        assert board.settings()[0] == termios.B460800


def test_a_second_client_is_told_that_the_port_is_in_use(serve):
    board = serve()
    stream = opened(board.url)
    with pytest.raises(PortBusy, match=r"is taken, the server there says 'Port already in use'"):
        opened(board.url)
    stream.write(b"AT\r")
    assert board.read(3) == b"AT\r"
    stream.close()


def test_a_device_that_is_not_there_is_told_in_ser2nets_words(serve):
    board = serve(device="/dev/nosuch")
    with pytest.raises(PortMissing, match=r"the server hung up: Device open failure: .*; is the server there"):
        opened(board.url)


def test_a_port_that_was_closed_can_be_opened_at_once(serve):
    board = serve()
    for _ in range(10):
        opened(board.url).close()


def test_a_ser2net_that_dies_loses_the_board(serve):
    board = serve()
    stream = opened(board.url)
    board.kill()
    with pytest.raises(BoardLost):
        read(stream, 1)
    stream.close()
    with pytest.raises(PortMissing, match="is the server there"):
        opened(board.url)


def test_a_board_that_is_unplugged_behind_it_is_lost(serve):
    board = serve()
    stream = opened(board.url)
    os.close(board.end)
    board.end = os.open(os.devnull, os.O_RDONLY)
    with pytest.raises(BoardLost):
        read(stream, 1)
    stream.close()
