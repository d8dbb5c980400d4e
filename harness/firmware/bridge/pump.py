"""Carries bytes between a local socket and a socket of the board, both ways, in one thread.

Nothing is polled: the board tells by ``#XAPOLL`` that something has arrived, or that the connection has ended. What the
local program sends waits in its socket as long as the board takes nothing, so it is held back as by any slow network;
what arrives waits in the modem as long as the local program takes nothing. A TCP client (``#XTCPCLI``) writes what
arrives by itself: that waits in this process, up to a limit.

The order of a step, and why: deliver what was received, because nothing may overtake it; receive, because the modem has
little room and the broker's answers decide; send, one piece, so that neither direction starves the other.
"""

import fcntl
import os
import select
import socket
import termios
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from harness.at import AtError
from harness.errors import BoardLost, HarnessError, LabError
from harness.firmware.bridge.at_socket import OVER, AtSocket, Poll, SocketEnd
from harness.timeline import Event, Kind

_SOON: Final = 0.001  # seconds
_REST: Final = 5.0  # seconds without a byte, once the local program sends no more
_TELLING: Final = (Kind.URC, Kind.RESULT)
_FAILED: Final = (Kind.FAULT, Kind.STEP)  # by one of them a port tells that it has failed, or is closed
_JOIN: Final = 30.0  # one command's deadline, and closing


class Pump:
    """Runs from :meth:`start` until either side ends or :meth:`stop`. Closes both sockets then.

    A local program that only ends its own direction still gets what comes, until nothing has come for 5 s.

    ``local``: a connected stream socket. ``remote``: connected, with its changes told. ``since``: mark of the timeline
    from which on the board's lines count; taken before ``remote`` was connected.
    ``ended``: called in the pump's thread once nothing more will come, before the local socket is closed.
    """

    def __init__(
        self, local: socket.socket, remote: AtSocket, *, since: int, ended: Callable[["Pump"], None] = lambda _: None
    ) -> None:
        self.end: SocketEnd | None = None
        """How the board's side ended; None: it has not, or the local side ended first."""
        self.failure: HarnessError | None = None
        """Why the board could not go on."""
        self.sent = self.received = 0
        """Bytes in each direction."""
        self._local = local
        self._remote = remote
        self._since = since
        self._ended = ended
        self._port = remote.port
        self._lock = threading.Lock()
        self._told: dict[int, tuple[Poll, str]] = {}  # by the sequence numbers of their lines
        self._unasked = False  # something may have arrived of which no line tells
        self._taken = since
        self._bits = Poll(0)
        self._look = self._asked = False
        self._doubted = self._send_failed = False
        self._looked = threading.Event()
        self._pending = memoryview(b"")
        self._local_open = True
        self._until: float | None = None  # set once the local program sends no more
        self._remote_open = True
        self._stopping = False
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        self._thread = threading.Thread(target=self._run, name=f"bridge-{self._port.name}", daemon=True)

    def start(self) -> None:
        """Begin to carry bytes."""
        self._local.setblocking(False)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether bytes are still carried."""
        return self._thread.is_alive()

    def ask(self, timeout: float) -> bool:
        """Have the board asked whether the connection stands: a line of it may have got lost. False: it has ended."""
        self._looked.clear()
        with self._lock:
            self._look = True
        self._poke()
        while self.running and not self._looked.wait(min(timeout, 0.1)):
            timeout -= 0.1
            if timeout <= 0:
                raise LabError(f"{self._port.name}: the bridge did not come to ask the board about its socket")
        return self.running and self.end is None

    def settle(self, timeout: float) -> None:
        """Have everything that has come to the board handed over, and wait until the local program has read it.

        For whoever is about to hang up on this computer: what is in the modem then would be lost. ``local`` is a Unix
        socket. Raises LabError.
        """
        before = -1
        while before != self.received:  # asked again until an answer brings nothing more
            before = self.received
            if not self.ask(timeout):
                break
        deadline = time.monotonic() + timeout
        # A socket gives no sign when its other end has read everything: looking again is the question.
        while self.running and self._unread() and time.monotonic() < deadline:
            threading.Event().wait(_SOON)

    def _unread(self) -> bool:
        """Return whether bytes wait in the local socket for its other end."""
        try:
            return any(fcntl.ioctl(self._local, termios.TIOCOUTQ, bytes(4)))
        except (OSError, ValueError):  # closed meanwhile
            return False

    def stop(self) -> None:
        """Stop, and close both sockets. Raises LabError if the thread hangs."""
        self._stopping = True
        self._poke()
        self.join(_JOIN)

    def join(self, timeout: float) -> None:
        """Wait for the end. Raises LabError after ``timeout`` seconds."""
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise LabError(f"{self._port.name}: the bridge did not end within {timeout:g} s; the board may hang")

    # -- the board's lines, in whichever thread brings them -----------------------------------------------------------

    def _see(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.kind in _TELLING and event.source == self._port.name and event.seq >= self._since:
                found = self._remote.told(event)
                if found is not None:
                    with self._lock:
                        self._told[event.seq] = found
                    self._poke()
            elif event.kind in _FAILED and event.source == self._port.name and not self._port.alive:
                self._poke()  # nothing will be told any more

    def _arrived(self) -> None:
        with self._lock:
            self._unasked = True
        self._poke()

    def _poke(self) -> None:
        with suppress(OSError):  # full: it wakes anyway; closed: there is nobody to wake
            os.write(self._wake, b"x")

    # -- the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            with self._port.timeline.sink(self._see):
                self._see(self._port.timeline.since(self._since))
                self._remote.attach(self._arrived)
                while not self._stopping and (self._remote_open or self._pending):
                    self._step()
        except HarnessError as error:
            self.failure = error
        finally:
            self._finish()

    def _step(self) -> None:
        if not self._port.alive:
            raise self._port.failure or BoardLost(f"{self._port.name}: the port is closed")
        if self._remote.trouble is not None:
            raise self._remote.trouble
        self._take_told()
        if self._asked and not self._pending:
            self._asked = False
            self._looked.set()
        if self._pending:
            if not self._deliver():
                self._wait(read=False, write=True)
        elif self._look or (self._bits and self._remote_open):
            self._receive()
        elif not self._local_open:
            self._remote_open = False
        elif self._until is not None:
            self._local_open = self._wait_for_the_rest(self._until)
        elif self._wait(read=True, write=False):
            self._forward()

    def _take_told(self) -> None:
        with self._lock:
            told, self._told = self._told, {}
            unasked, self._unasked = self._unasked, False
        if unasked:
            self._bits |= Poll.IN
        for seq, (bits, text) in sorted(told.items()):
            if seq < self._taken:  # seen twice, when the pump began
                continue
            self._taken = seq + 1
            self._port.timeline.add(Kind.STEP, self._port.name, text, socket=self._remote.handle, revents=int(bits))
            self._bits |= bits & ~Poll.OUT

    def _receive(self) -> None:
        asked, self._look = self._look, False
        self._asked = self._asked or asked
        data = self._remote.receive()
        if data:
            self.received += len(data)
            if self._until is not None:
                self._until = time.monotonic() + _REST
            self._pending = memoryview(data)
            self._bits &= ~Poll.IN  # told again if there is more
        elif data is not None:
            self._over(SocketEnd.PEER)
        elif self._bits & OVER:
            self._doubt()
        elif asked and not self._remote.exists():
            self._over(SocketEnd.INVALID)
        else:
            self._bits &= ~Poll.IN

    def _doubt(self) -> None:
        """An end was told, and the stream has not come to one: it failed, or the line is a former socket's.

        Handles are used again, and firmware may hold a line back until the next socket has the handle. So what is true
        is asked for again; what is told a second time is meant for this socket.
        """
        if self._doubted or self._send_failed or self._remote.certain:
            self._over(self._remote.end_of(self._bits))
            return
        self._doubted, self._bits = True, Poll(0)
        try:
            self._remote.poll()
        except AtError:
            self._over(SocketEnd.INVALID)

    def _over(self, end: SocketEnd) -> None:
        self._take_told()  # it may have been told while the pump asked, or sent
        self.end = end
        self._remote_open = False
        self._port.timeline.add(Kind.STEP, self._port.name, f"socket {self._remote.handle}: {end}")

    def _deliver(self) -> bool:
        """Hand over what was received; False: the local program takes no more now."""
        try:
            sent = self._local.send(self._pending)
        except BlockingIOError:
            return False
        except OSError:  # the local program has gone: nobody wants it
            self._pending = memoryview(b"")
            self._local_open = False
            return True
        self._pending = self._pending[sent:]
        return not self._pending

    def _forward(self) -> None:
        try:
            data = self._local.recv(self._remote.most)
        except BlockingIOError:
            return
        except OSError:
            self._local_open = False
            return
        if not data:
            self._until = time.monotonic() + _REST
        elif self._remote.send(data):
            self.sent += len(data)
        else:
            # The board took them no more: it is about to say why, or a line got lost. What has arrived is still read.
            self._send_failed = True
            self._bits |= Poll.HUP

    def _wait(self, *, read: bool, write: bool) -> bool:
        """Wait for the local socket or for the board; return whether the local one is ready."""
        local = self._local.fileno()
        readable, writable, _ = select.select([self._woken, *[local] * read], [local] * write, [])
        if self._woken in readable:
            os.read(self._woken, 4096)
            return False  # the board goes first
        return bool(readable or writable)

    def _wait_for_the_rest(self, until: float) -> bool:
        """Wait for the board after the local program's last byte. False: nobody would read it, or the time is over.

        The end of a stream does not tell whether its program has gone, or has only asked all that it wanted to.
        """
        poller = select.poll()
        poller.register(self._woken, select.POLLIN)
        poller.register(self._local, 0)  # it tells when the program has gone
        ready = dict(poller.poll(max(0.0, until - time.monotonic()) * 1000))
        if self._woken not in ready:
            return False
        os.read(self._woken, 4096)
        return True

    def _finish(self) -> None:
        if self._port.alive:
            try:
                self._remote.close()
            except HarnessError as error:
                self.failure = self.failure or error
        self._looked.set()
        self._ended(self)
        with suppress(OSError):
            self._local.shutdown(socket.SHUT_RDWR)
        self._local.close()
        os.close(self._woken)
        wake, self._wake = self._wake, -1
        os.close(wake)
