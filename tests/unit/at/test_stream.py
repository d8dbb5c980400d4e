"""The bytes of a port, over a pair of sockets."""

import errno
import os
import queue
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from harness.at import stream as module
from harness.at.stream import FdStream
from harness.errors import BoardLost, NoAnswer

LOST = (
    "board-1: the port went away ({}): unplugged, its process died, or another program reads the same port; "
    "look at the cable, then at ModemManager"
)
STUCK = (
    "board-1: the board takes no bytes ({} of {} left after {:g} s): flow control is on and the board holds it, or "
    "nobody reads at the other end; check rtscts in the boards file"
)


class Device:
    """What pyserial opens, around one end of a pair of sockets."""

    def __init__(self, end):
        self.end = end
        self.calls = []
        self.failure = None

    def fileno(self):
        return self.end.fileno()

    def flush(self):
        self.calls.append("flush")

    def close(self):
        self.calls.append("close")
        self.end.close()
        if self.failure:
            raise self.failure


@pytest.fixture
def pair():
    near, far = socket.socketpair()
    device = Device(near)
    stream = FdStream(device, "board-1")
    yield stream, far, device
    far.close()
    if "close" not in device.calls:
        stream.close()


def read(stream):
    """Read as the port's reader does; b"" once it is stopped."""
    while (mark := stream.wait()) is not None:
        if data := stream.take(mark):
            return data
    return b""


# -- with a descriptor


def test_bytes_come_as_they_were_sent_until_it_is_stopped(pair):
    stream, far, _ = pair
    far.sendall(b"OK\r\n")
    assert read(stream) == b"OK\r\n"
    far.sendall(b"never read")
    stream.stop()
    assert read(stream) == b""
    assert read(stream) == b""


def test_stopping_wakes_who_reads(pair):
    stream, _, _ = pair
    thread = threading.Timer(0.02, stream.stop)
    thread.start()
    assert read(stream) == b""
    thread.join()


def test_one_read_takes_at_most_the_read_size(pair, monkeypatch):
    stream, far, _ = pair
    monkeypatch.setattr(module, "READ_SIZE", 3)
    far.sendall(b"abcdef")
    assert [read(stream), read(stream)] == [b"abc", b"def"]


def test_the_end_of_the_other_side_is_the_loss_of_the_board(pair):
    stream, far, _ = pair
    far.sendall(b"last words")
    far.close()
    assert read(stream) == b"last words"
    with pytest.raises(BoardLost) as caught:
        read(stream)
    assert str(caught.value) == LOST.format("end of data")


def reading(monkeypatch, *results):
    """Have ``os.read`` give these, or raise them."""
    left = iter(results)

    def read(fd, size):
        found = next(left)
        if isinstance(found, BaseException):
            raise found
        return found

    monkeypatch.setattr("harness.at.stream.os.read", read)


def test_a_descriptor_that_was_ready_for_another_reader_is_polled_again(pair, monkeypatch):
    stream, far, _ = pair
    far.sendall(b"x")
    reading(monkeypatch, BlockingIOError(), b"abc")
    assert read(stream) == b"abc"


def test_a_hang_up_without_bytes_is_the_loss_of_the_board(pair, monkeypatch):
    stream, far, _ = pair
    far.close()
    reading(monkeypatch, BlockingIOError())
    with pytest.raises(BoardLost) as caught:
        read(stream)
    assert str(caught.value) == LOST.format("hung up")
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("error", "why"), [(OSError(errno.EIO, "Input/output error"), "Input/output error"), (OSError("odd"), "odd")]
)
def test_an_error_of_the_descriptor_is_the_loss_of_the_board(pair, monkeypatch, error, why):
    stream, far, _ = pair
    far.sendall(b"x")
    reading(monkeypatch, error)
    with pytest.raises(BoardLost) as caught:
        read(stream)
    assert str(caught.value) == LOST.format(why)
    assert caught.value.__cause__ is error


def test_everything_is_written_however_little_goes_at_once(pair, monkeypatch):
    stream, far, _ = pair
    write = os.write
    monkeypatch.setattr("harness.at.stream.os.write", lambda fd, data: write(fd, data[:2]))
    stream.write(b"AT+CGSN\r")
    assert far.recv(100) == b"AT+CGSN\r"


def test_a_board_that_takes_its_time_is_waited_for(pair, monkeypatch):
    stream, far, _ = pair
    write = os.write
    full = iter([BlockingIOError()])

    def sometimes(fd, data):
        for error in full:
            raise error
        return write(fd, data)

    monkeypatch.setattr("harness.at.stream.os.write", sometimes)
    stream.write(b"AT\r")
    assert far.recv(100) == b"AT\r"


def test_a_board_that_takes_no_bytes_is_not_waited_for_for_ever(pair, monkeypatch):
    stream, _, _ = pair
    monkeypatch.setattr(module, "WRITE_TIMEOUT", 0.05)
    whole = b"x" * 5_000_000
    with pytest.raises(NoAnswer) as caught:
        stream.write(whole)
    left = int(str(caught.value).partition("(")[2].partition(" ")[0])
    assert 0 < left < len(whole)
    assert str(caught.value) == STUCK.format(left, len(whole), 0.05)


def test_who_writes_sleeps_while_the_board_takes_nothing_although_it_speaks(pair, monkeypatch):
    stream, far, _ = pair
    monkeypatch.setattr(module, "WRITE_TIMEOUT", 0.05)
    write, calls = os.write, []
    monkeypatch.setattr("harness.at.stream.os.write", lambda fd, data: calls.append(len(data)) or write(fd, data))
    far.sendall(b"+CEREG: 1\r\n")
    with pytest.raises(NoAnswer):
        stream.write(b"x" * 5_000_000)
    assert len(calls) < 10  # what fits, and one that does not


def test_the_time_for_writing_is_for_all_of_it(pair, monkeypatch):
    """A board that takes a byte now and then does not hold the harness for ever."""
    stream, _, _ = pair
    clock = iter(float(t) for t in range(100))
    monkeypatch.setattr("harness.at.stream.time.monotonic", lambda: next(clock))
    taken = iter([1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0])
    monkeypatch.setattr("harness.at.stream.os.write", lambda fd, data: next(taken))
    polls = []
    stream._writable = type("Poll", (), {"poll": lambda self, ms: polls.append(ms) or [1]})()
    with pytest.raises(NoAnswer):
        stream.write(b"x" * 20)
    assert polls == [9000.0, 8000.0, 7000.0, 6000.0, 5000.0, 4000.0, 3000.0, 2000.0, 1000.0]


def test_a_write_that_fails_is_the_loss_of_the_board(pair, monkeypatch):
    stream, _, _ = pair

    def broken(fd, data):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("harness.at.stream.os.write", broken)
    with pytest.raises(BoardLost) as caught:
        stream.write(b"AT\r")
    assert str(caught.value) == LOST.format("Input/output error")
    monkeypatch.undo()


def test_closing_gives_everything_back():
    before = set(os.listdir("/proc/self/fd"))
    near, far = socket.socketpair()
    device = Device(near)
    stream = FdStream(device, "board-1")
    stream.flush()
    stream.close()
    far.close()
    assert device.calls == ["flush", "close"]
    assert set(os.listdir("/proc/self/fd")) <= before


@pytest.mark.parametrize("number", [errno.EIO, errno.ENXIO, errno.ENODEV, errno.EBADF, None])
def test_an_unplugged_port_closes_all_the_same(pair, number):
    stream, _, device = pair
    device.failure = OSError("restoring") if number is None else OSError(number, "restoring")
    stream.close()


def test_another_failure_of_closing_is_said(pair):
    stream, _, device = pair
    device.failure = OSError(errno.ENOSPC, "no space")
    with pytest.raises(OSError, match="no space"):
        stream.close()
    os.close(stream._stop)
    os.close(stream._stopped)


def test_the_reader_sleeps_while_the_port_is_held(pair):
    stream, far, _ = pair
    assert stream.hold()
    heard = []
    reader = threading.Thread(target=lambda: heard.append(read(stream)))
    reader.start()
    far.sendall(b"OK\r\n")
    assert stream.take(stream.wait_holding(5.0)) == b"OK\r\n"
    assert stream.wait_holding(0.05) is None
    assert heard == []
    far.sendall(b"late")
    stream.let_go()
    reader.join(5.0)
    assert heard == [b"late"]


def test_the_holder_waits_as_long_as_it_says(pair, monkeypatch):
    stream, _, _ = pair
    polls = []
    monkeypatch.setattr(stream, "_held", SimpleNamespace(poll=lambda milliseconds: polls.append(milliseconds) or []))
    assert stream.wait_holding(2.5) is None
    assert polls == [2500.0]


def test_bytes_that_the_other_thread_took_are_no_loss(pair, monkeypatch):
    stream, far, _ = pair
    far.sendall(b"OK\r\n")
    mark = stream.wait()
    assert stream.take(stream.wait_holding(5.0)) == b"OK\r\n"
    reading(monkeypatch, b"", b"")  # what a tty gives that has nothing
    assert stream.take(mark) == b""
    with pytest.raises(BoardLost, match="end of data"):
        stream.take(stream._taken)


def test_who_holds_the_port_is_woken_when_it_is_stopped_and_closed(pair):
    stream, _, _ = pair
    assert stream.hold()
    stream.stop()
    assert stream.wait_holding(5.0) is None
    stream.close()
    assert stream.wait_holding(5.0) is None
    assert not stream.hold()
    stream.let_go()


class ClosesSlowly:
    """An epoll object that is being closed until ``go_on``, and refuses changes from when that began."""

    closed = False

    def __init__(self):
        self.begun, self.go_on = threading.Event(), threading.Event()

    def close(self):
        self.begun.set()
        self.go_on.wait(5.0)
        self.closed = True

    def modify(self, fd, events):
        if self.closed:
            raise ValueError("I/O operation on closed epoll object")
        if self.begun.is_set():
            raise OSError(errno.EBADF, "Bad file descriptor")


@pytest.mark.parametrize("change", [FdStream.hold, FdStream.let_go])
def test_a_port_may_be_closed_just_when_it_is_held_or_let_go(pair, change):
    stream, _, _ = pair
    stream._readable.close()
    stream._readable = slow = ClosesSlowly()
    with ThreadPoolExecutor(2) as threads:
        closed = threads.submit(stream.close)
        assert slow.begun.wait(5.0)
        threading.Timer(0.02, slow.go_on.set).start()
        assert not threads.submit(change, stream).result(5.0)
        closed.result(5.0)


def test_the_reader_wakes_up_for_bytes_only_and_counts_what_was_taken(pair):
    stream, far, _ = pair
    woken = queue.SimpleQueue()
    thread = threading.Thread(target=lambda: woken.put(stream.wait()))
    thread.start()
    with pytest.raises(queue.Empty):
        woken.get(timeout=0.05)
    for number in range(3):
        far.sendall(b"x")
        mark = stream.wait()
        assert mark == number
        assert stream.take(mark) == b"x"
    far.sendall(b"not taken")
    assert woken.get(timeout=5.0) == 0
    thread.join()


def test_a_write_that_fails_without_a_number_says_what_it_knows(pair, monkeypatch):
    stream, _, _ = pair

    def broken(fd, data):
        raise OSError("odd")

    monkeypatch.setattr("harness.at.stream.os.write", broken)
    with pytest.raises(BoardLost) as caught:
        stream.write(b"AT\r")
    assert str(caught.value) == LOST.format("odd")
    monkeypatch.undo()


class Slow:
    """A device that knows no other rate than 115200."""

    def __init__(self):
        self.rates = []

    @property
    def baudrate(self):
        return 115200

    @baudrate.setter
    def baudrate(self, rate):
        if rate != 115200:
            raise ValueError(f"Not a valid baudrate: {rate}")
        self.rates.append(rate)


def test_the_rate_is_changed_or_the_board_is_lost():
    stream = FdStream.__new__(FdStream)
    stream._device, stream._name = Slow(), "board-1"
    stream.change_baud(115200)
    assert stream._device.rates == [115200]
    with pytest.raises(BoardLost) as caught:
        stream.change_baud(9601)
    assert str(caught.value) == LOST.format("cannot change to 9601 baud: Not a valid baudrate: 9601")
    assert isinstance(caught.value.__cause__, ValueError)
