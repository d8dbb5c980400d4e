"""Why a port cannot be opened, in the lab's words; and how it is opened."""

import errno
import os
import socket
import threading
from contextlib import suppress
from dataclasses import replace

import pytest
import serial

from harness.at.holders import Holder
from harness.at.serial_link import NoSerialPort, PortDenied, open_link, server_says
from harness.at.stream import FdStream
from harness.errors import BoardLost, LabError, Misuse, PortBusy, PortMissing

LOCAL, REMOTE, PLAIN = "/dev/ttyACM0", "rfc2217://rack:4001", "socket://rack:4001"
ITSELF = 0  # stands for this process, which may have been forked since this was read


class Port:
    """What pyserial makes of a URL that has no descriptor. ``error``: why it cannot be opened."""

    def __init__(self, error=None):
        self.error = error
        self.exclusive = None
        self.opened = False

    def open(self):
        if self.error:
            raise self.error
        self.opened = True

    def close(self):
        self.opened = False


class Device(Port):
    """The same where pyserial says by an error that there is no descriptor, or has one."""

    def __init__(self, error=None, descriptor=None):
        super().__init__(error)
        self.descriptor = descriptor

    def fileno(self):
        if self.descriptor is None:
            raise OSError("no descriptor")
        return self.descriptor


@pytest.fixture
def made(monkeypatch):
    """Have pyserial make a device, or a server fail as it does; return how they were asked to."""
    asked = []

    def make(device):
        def fail(*given, **options):
            asked.append((given, options))
            device.open()

        monkeypatch.setattr(serial, "serial_for_url", lambda *url, **options: asked.append((url, options)) or device)
        for name in ("open_rfc2217", "open_socket"):
            monkeypatch.setattr(f"harness.at.serial_link.{name}", fail)
        return asked

    monkeypatch.setattr("harness.at.serial_link.server_says", lambda url: None)
    return make


def refused(made, url, error):
    made(Device(error))
    with pytest.raises((LabError, Misuse)) as caught:
        open_link(url, "board-1", baudrate=115200, rtscts=False)
    assert caught.value.__cause__ is error
    return caught.value


def test_a_local_port_is_opened_for_one_owner_alone(made):
    reader, writer = os.pipe()
    device = Device(descriptor=reader)
    asked = made(device)
    stream = open_link(LOCAL, "board-1", baudrate=9600, rtscts=True)
    assert isinstance(stream, FdStream)
    assert (device.opened, device.exclusive) == (True, True)
    assert asked == [((LOCAL,), {"do_not_open": True, "baudrate": 9600, "rtscts": True})]
    os.close(writer)
    with pytest.raises(BoardLost, match=r"^board-1: the port went away"):
        stream.take(0)
    os.close(reader)


@pytest.mark.parametrize("url", [REMOTE, "RFC2217://rack:4001", f"{REMOTE}?logging=://"])
def test_a_port_behind_rfc_2217_gets_speed_and_flow_control(made, url):
    asked = made(Device())
    open_link(url, "board-1", baudrate=9600, rtscts=True)
    assert asked == [((url, "board-1"), {"rate": 9600, "rtscts": True})]


def test_a_port_of_bytes_alone_gets_neither(made):
    asked = made(Device())
    open_link(PLAIN, "board-1", baudrate=9600, rtscts=True)
    assert asked == [((PLAIN, "board-1"), {})]


@pytest.mark.parametrize("kind", [Port, Device])
def test_a_device_without_a_descriptor_is_no_port_for_a_board(made, kind):
    device = kind()
    made(device)
    with pytest.raises(Misuse) as caught:
        open_link("loop://", "board-1", baudrate=115200, rtscts=False)
    assert str(caught.value) == (
        "board-1: cannot open loop://: no thread can wait for it, because it has no descriptor; correct the port in "
        "the boards file"
    )
    assert not device.opened


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR, errno.EIO])
@pytest.mark.parametrize("kind", [serial.SerialException, OSError])
def test_a_port_that_is_not_there(made, number, kind):
    error = refused(made, LOCAL, kind(number, "gone"))
    assert type(error) is PortMissing
    assert str(error) == (
        f"board-1: no port {LOCAL} ([Errno {number}] gone); is the board plugged in, and does the boards file name the "
        "right one?"
    )


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EAGAIN])
@pytest.mark.parametrize(
    ("holding", "said"),
    [
        ([], "another program, perhaps ModemManager (it probes every new port); end it, or wait for it"),
        ([Holder(1, "a")], "a (pid 1); end it, or wait for it"),
        ([Holder(1, "a"), Holder(2, "b")], "a (pid 1), b (pid 2); end it, or wait for it"),
        ([Holder(ITSELF, "me"), Holder(2, "b")], "b (pid 2); end it, or wait for it"),
        (
            [Holder(ITSELF, "me")],
            "this run itself, for another board: two entries of the boards file are one port; remove one of them",
        ),
    ],
)
def test_a_port_that_somebody_holds(made, monkeypatch, number, holding, said):
    found = [replace(holder, pid=os.getpid()) if holder.pid == ITSELF else holder for holder in holding]
    monkeypatch.setattr("harness.at.serial_link.holders", lambda urls: {url: found for url in urls if url == LOCAL})
    error = refused(made, LOCAL, serial.SerialException(number, "busy"))
    assert type(error) is PortBusy
    assert str(error) == f"board-1: {LOCAL} is in use by {said}"


@pytest.mark.parametrize("what", ["/dev/null", "file", "folder"])
def test_what_is_no_serial_port_is_said_to_be_none(tmp_path, monkeypatch, what):
    """To see that does not wait for the other end of a pipe, and takes no terminal over."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    path = what if what.startswith("/") else str(tmp_path / what)
    opened, ways = os.open, []

    def noted(path, way, *mode):
        ways.append(way)
        return opened(path, way, *mode)

    monkeypatch.setattr(os, "open", noted)
    with pytest.raises(NoSerialPort) as caught:
        open_link(path, "board-1", baudrate=115200, rtscts=False)
    monkeypatch.undo()
    assert ways[-1] == os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK
    assert str(caught.value) == f"board-1: {path} is not a serial port; correct port: in the boards file"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_port_that_this_user_may_not_open(made, number):
    error = refused(made, LOCAL, serial.SerialException(number, "denied"))
    assert type(error) is PortDenied
    assert str(error) == f"board-1: no permission for {LOCAL}; add this user to the group dialout and log in again"


def test_a_port_that_cannot_be_opened_for_another_reason(made):
    error = refused(made, LOCAL, serial.SerialException(errno.ENOSPC, "odd"))
    assert type(error) is LabError
    assert str(error) == f"board-1: cannot open {LOCAL}: [Errno {errno.ENOSPC}] odd"


def test_a_url_that_pyserial_does_not_know(made):
    error = refused(made, "nosuch://x", ValueError("invalid URL"))
    assert type(error) is Misuse
    assert str(error) == "board-1: cannot open nosuch://x: invalid URL; correct the port in the boards file"


@pytest.mark.parametrize("kind", [serial.SerialException, ValueError])
def test_a_server_that_does_not_speak_rfc_2217_as_it_should(made, kind):
    error = refused(made, REMOTE, kind("timeout while waiting for option 'purge'"))
    assert type(error) is LabError
    assert str(error) == (
        f"board-1: {REMOTE} does not speak RFC 2217 as it should (timeout while waiting for option 'purge'); use "
        "socket:// or a newer ser2net there"
    )


def test_a_server_that_is_not_there(made):
    error = refused(made, REMOTE, serial.SerialException("Connection refused"))
    assert type(error) is PortMissing
    assert str(error) == (
        f"board-1: cannot open {REMOTE}: Connection refused; is the server there, and does it serve that port?"
    )


def test_a_server_that_says_who_it_is_not_for_is_quoted(made, monkeypatch):
    asked = []
    monkeypatch.setattr("harness.at.serial_link.server_says", lambda url: asked.append(url) or "Port in use")
    error = refused(made, REMOTE, serial.SerialException("noise"))
    assert type(error) is PortBusy
    assert str(error) == f"board-1: {REMOTE} is taken, the server there says 'Port in use'"
    assert asked == [REMOTE]


# -- what a server of ports says


@pytest.fixture
def server():
    """Have a server say this to its one client; the client's URL is returned."""
    threads = []
    listener = socket.create_server(("127.0.0.1", 0))

    def say(*parts, hang_up=True):
        def serve():
            client, _ = listener.accept()
            with client, suppress(ConnectionError):  # a client that has heard enough hangs up
                for part in parts:
                    client.sendall(part)
                    if len(parts) > 1:
                        threading.Event().wait(0.02)  # so that it comes in parts
                if not hang_up:
                    client.recv(1)

        threads.append(threading.Thread(target=serve, daemon=True))
        threads[-1].start()
        return f"socket://127.0.0.1:{listener.getsockname()[1]}"

    yield say
    for thread in threads:
        thread.join(5)
    listener.close()


def test_the_line_that_says_it_is_found(server):
    assert server_says(server(b"ser2net\r\nPort already IN USE\r\nbye\r\n")) == "Port already IN USE"


def test_a_line_in_parts_with_bytes_that_are_no_text(server):
    assert server_says(server(b"\xff\xfd,\xff\xfb\x01Port \xe9already ", b"in use\r\n")) == "Port already in use"


def test_a_server_that_says_something_else(server):
    assert server_says(server(b"welcome\r\n")) is None


def test_a_server_that_talks_on_has_given_the_port_away(server, monkeypatch):
    monkeypatch.setattr("harness.at.serial_link._PATIENCE", 0.05)
    assert server_says(server(b"in use, but it stays\r\n", hang_up=False)) is None


def test_a_server_that_talks_without_end_is_not_listened_to_for_ever(server, monkeypatch):
    monkeypatch.setattr("harness.at.serial_link._PATIENCE", 2.0)
    monkeypatch.setattr("harness.at.serial_link._MOST", 10)
    assert server_says(server(b"is in use ", b"never read", hang_up=False)) == "is in use "


@pytest.mark.parametrize("url", [LOCAL, "socket://", "socket://127.0.0.1:port", "socket://127.0.0.1"])
def test_where_no_server_is_nothing_is_said(url):
    assert server_says(url) is None
