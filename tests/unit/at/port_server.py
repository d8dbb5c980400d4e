"""A server of ports on loopback: pyserial's, or one that does not do what it should."""

import socket
import threading
from contextlib import suppress
from typing import Any

import serial.rfc2217

from harness.at.telnet import escaped


class Lines:
    """A UART as pyserial's server sees it."""

    bytesize, parity, stopbits = 8, "N", 1
    xonxoff = cts = dsr = ri = cd = break_condition = False

    def __init__(self):
        self.calls = []
        self.speed = 115200

    @property
    def baudrate(self):
        return self.speed

    @baudrate.setter
    def baudrate(self, rate):
        if rate > 1_000_000:
            raise ValueError(rate)
        self.speed = rate

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name in ("dtr", "rts", "rtscts", "baudrate"):
            self.calls.append((name, value))

    dtr = rts = rtscts = False

    def reset_input_buffer(self):
        self.calls.append("purge received")

    def reset_output_buffer(self):
        self.calls.append("purge to send")


class Server:
    """Serves one client at a time: what it sends goes through ``take`` into ``heard``, and is sent back if ``echo``.

    ``first``: said to each client at once. ``take``: makes the board's bytes of what came; None: hang up.
    """

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.where = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.url = f"rfc2217://{self.where}"
        self.lines = Lines()
        self.first = b""
        self.heard = b""
        self.raw = b""
        self.echo = False
        self.take = None
        self.client = None
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def serve(self):
        with suppress(OSError):
            while True:
                self.client, _ = self.listener.accept()
                with self.client:
                    self.client.sendall(self.first)
                    self.talk()

    def talk(self):
        take = self.take or self.by_pyserial()
        with suppress(ConnectionError):
            while data := self.client.recv(4096):
                with self.changed:
                    self.raw += data
                    plain = take(data)
                    self.heard += plain or b""
                    self.changed.notify_all()
                if plain is None:
                    return
                if self.echo and plain:
                    self.say(plain)

    def by_pyserial(self):
        class Connection:
            write = self.client.sendall

        lines: Any = self.lines
        connection: Any = Connection()
        manager = serial.rfc2217.PortManager(lines, connection)
        return lambda data: b"".join(manager.filter(data))

    def say(self, data):
        self.client.sendall(escaped(data))

    def await_heard(self, known):
        with self.changed:
            assert self.changed.wait_for(known, 10)

    def end(self):
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        if self.client:
            with suppress(OSError):
                self.client.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        self.listener.close()
