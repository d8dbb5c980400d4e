"""Ports of other computers: ``socket://`` (bytes alone) and ``rfc2217://`` (speed and flow control besides).

Both have a descriptor, the socket's, so they are read like local ones: by whoever waits for an answer. pyserial's own
client of RFC 2217 has none. It reads in a thread of its own and hands over each byte through a queue, so an answer has
to wake three threads, one after the other, before it arrives.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from urllib.parse import parse_qs, urlsplit

import serial

from harness.at.com_port import ComPort, ComPortControl, ComPortRequest, Purge, baudrate
from harness.at.stream import FdStream, lost
from harness.at.tcp_port import TcpPort
from harness.at.telnet import escaped

_NETWORK: Final = 3.0  # seconds for an answer of the server, as pyserial; ?timeout= of the URL
_READ_SIZE: Final = 4096
_MOST_WORDS: Final = 1000  # bytes that are kept of what a server says before a port can be used
_EIGHT_BITS, _NO_PARITY, _ONE_STOP_BIT = b"\x08", b"\x01", b"\x01"
_OPTIONS: Final = frozenset({"logging", "ign_set_control", "poll_modem", "timeout"})  # pyserial's


def open_socket(url: str, name: str) -> "SocketStream":
    """Open ``socket://HOST:PORT``. Raises OSError, ValueError. ``name``: the board's, for messages."""
    return SocketStream(TcpPort(url), name)


def open_rfc2217(url: str, name: str, *, rate: int, rtscts: bool) -> "Rfc2217Stream":
    """Open ``url``: ``rfc2217://HOST:PORT``, with pyserial's options (``?ign_set_control&timeout=SECONDS``).

    Two of them, ``logging`` and ``poll_modem``, change nothing here. Raises OSError, serial.SerialException (the server
    does not do what it is asked), ValueError (wrong URL or speed).

    ``name``: the board's, for messages. ``rate``: in bit/s. ``rtscts``: hardware flow control.
    """
    options = parse_qs(urlsplit(url).query, keep_blank_values=True)
    if unknown := options.keys() - _OPTIONS:
        raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
    timeout = float(options["timeout"][0]) if "timeout" in options else _NETWORK
    speed = baudrate(rate)
    tcp = TcpPort(url)
    opening = _Opening(tcp, timeout)
    try:
        try:
            opening.agree()
            opening.set_up(speed, rtscts=rtscts, ignore="ign_set_control" in options)
        except ConnectionError as error:
            raise serial.SerialException(f"the server hung up{opening.last_words()}") from error
    except BaseException:
        tcp.close()
        raise
    return Rfc2217Stream(tcp, opening.com, name, timeout)


class _Opening:
    """What is said before a port can be used. What the board says meanwhile is dropped: it was said to nobody.

    Raises ConnectionError when the server hangs up.
    """

    def __init__(self, tcp: TcpPort, timeout: float) -> None:
        self.com: Final = ComPort()
        self._tcp = tcp
        self._connection = tcp.socket
        self._timeout = timeout
        self._said = b""

    def last_words(self) -> str:
        """Return ``: `` and the last line that a server said which hangs up, "" if it said none."""
        with suppress(OSError):
            self._connection.settimeout(0.0)
            while data := self._tcp.recv(_READ_SIZE):
                self._receive(data)
        lines = self._said.decode("ascii", "ignore").split("\r\n")
        return next((f": {line}" for line in reversed(lines) if line.strip()), "")

    def agree(self) -> None:
        self._connection.sendall(self.com.start())
        if not self._await(lambda: self.com.agreed):
            raise serial.SerialException("Remote does not seem to support RFC2217")

    def set_up(self, speed: bytes, *, rtscts: bool, ignore: bool) -> None:
        settings = {
            ComPortRequest.SET_BAUDRATE: speed,
            ComPortRequest.SET_DATASIZE: _EIGHT_BITS,
            ComPortRequest.SET_PARITY: _NO_PARITY,
            ComPortRequest.SET_STOPSIZE: _ONE_STOP_BIT,
        }
        self._connection.sendall(b"".join(self.com.request(kind, value) for kind, value in settings.items()))
        for kind in settings:
            self._confirm(kind)
        flow = ComPortControl.HARDWARE_FLOW_CONTROL if rtscts else ComPortControl.NO_FLOW_CONTROL
        # With flow control the far end drives RTS itself.
        for control in (
            (flow, ComPortControl.DTR_ON) if rtscts else (flow, ComPortControl.DTR_ON, ComPortControl.RTS_ON)
        ):
            self._connection.sendall(self.com.request(ComPortRequest.SET_CONTROL, bytes((control,))))
            if not ignore:
                self._confirm(ComPortRequest.SET_CONTROL)
        for buffer in (Purge.TO_SEND, Purge.RECEIVED):
            self._connection.sendall(self.com.request(ComPortRequest.PURGE_DATA, bytes((buffer,))))
            self._confirm(ComPortRequest.PURGE_DATA)

    def _confirm(self, kind: ComPortRequest) -> None:
        check(self._await(lambda: self.com.answer(kind)), kind)

    def _await(self, known: Callable[[], bool | None]) -> bool | None:
        deadline = time.monotonic() + self._timeout
        while (answer := known()) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._connection.settimeout(left)
            try:
                data = self._tcp.recv(_READ_SIZE)
            except TimeoutError:
                return None
            if not data:
                raise ConnectionError
            if reply := self._receive(data):
                self._connection.sendall(reply)
        return answer

    def _receive(self, data: bytes) -> bytes:
        plain, reply = self.com.receive(data)
        self._said = (self._said + plain)[-_MOST_WORDS:]
        return reply


class SocketStream(FdStream):
    """A port behind a plain connection."""

    def __init__(self, tcp: TcpPort, name: str) -> None:
        super().__init__(tcp, name)
        self._tcp = tcp

    def take(self, mark: int) -> bytes:
        """See :class:`ByteStream`."""
        data = super().take(mark)
        self._tcp.acknowledge()
        return data


class Rfc2217Stream(SocketStream):
    """A port behind RFC 2217. ``tcp``: the connection to its server. ``com``: has agreed with the server.

    ``name``: the board's, for messages. ``timeout``: seconds for an answer of the server.

    What Telnet has to reply never keeps the reader waiting: a server may stop to read until we have read what it says.
    A reply that cannot leave at once goes out behind what is being written, or with what is taken or written next.
    """

    def __init__(self, tcp: TcpPort, com: ComPort, name: str, timeout: float) -> None:
        super().__init__(tcp, name)
        self._com = com
        self._timeout = timeout
        self._writing = threading.Lock()  # what Telnet has to say must not come between a byte 255 and its double
        self._replies: deque[bytes] = deque()  # not sent yet, oldest first; who takes one out holds _writing
        self._heard = threading.Condition()

    def take(self, mark: int) -> bytes:
        """See :class:`ByteStream`. b"" also if only the server itself had something to say."""
        data = super().take(mark)
        if self._replies:
            self._reply()
        if not data or self._com.telnet.plain(data):
            return data
        with self._heard:
            plain, reply = self._com.receive(data)
            self._heard.notify_all()
        if reply:
            self._replies.append(reply)
            self._reply()
        return plain

    def write(self, data: bytes) -> None:
        """See :class:`ByteStream`."""
        self._send(escaped(data))

    def change_baud(self, rate: int) -> None:
        """See :class:`ByteStream`. The server's answer is read by whoever reads the port."""
        try:
            self._change_baud(rate)
        except (serial.SerialException, ValueError) as error:
            raise lost(self._name, f"cannot change to {rate} baud: {error}") from error

    def _change_baud(self, rate: int) -> None:
        kind = ComPortRequest.SET_BAUDRATE
        with self._heard:
            request = self._com.request(kind, baudrate(rate))
        self._send(request)
        with self._heard:
            self._heard.wait_for(lambda: self._com.answer(kind) is not None, self._timeout)
            check(self._com.answer(kind), kind)

    def _send(self, data: bytes) -> None:
        with self._writing:
            replies = b"".join(self._replies.popleft() for _ in range(len(self._replies)))
            super().write(replies + data)
        self._reply()  # what was to be replied meanwhile

    def _reply(self) -> None:
        """Send what is to be replied, as far as that takes no waiting. Reading shows that a connection is gone."""
        while self._replies and self._writing.acquire(blocking=False):
            try:
                reply = self._replies.popleft() if self._replies else b""
                with suppress(OSError):  # full, or gone
                    reply = reply[os.write(self._fd, reply) :]
                if reply:
                    self._replies.appendleft(reply)
                    return
            finally:
                self._writing.release()


def check(answer: bool | None, kind: ComPortRequest) -> None:
    """Raise serial.SerialException if a server did not do what it was asked. ``answer``: see ComPort.answer."""
    what = kind.name.lower().replace("_", " ")
    if answer is None:
        raise serial.SerialException(f"timeout while waiting for option '{what}'")
    if not answer:
        raise serial.SerialException(f"remote rejected value for option '{what}'")
