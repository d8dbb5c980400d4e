"""Local addresses that lead through a board: each connection there gets a socket of the board of its own."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

from harness.errors import HarnessError, LabError, Misuse, about
from harness.firmware.bridge.at_socket import AtSocket
from harness.firmware.bridge.pump import Pump

_BACKLOG: Final = 8  # sockets that the modem has


@dataclass(frozen=True, slots=True)
class Through:
    """Where a board's socket leads. ``sec_tag``: of the credentials for TLS, None: TCP alone. ``timeout``: seconds."""

    host: str
    port: int
    sec_tag: int | None
    timeout: float = 60.0

    def __str__(self) -> str:
        tls = "without TLS" if self.sec_tag is None else f"with the credentials of sec_tag {self.sec_tag}"
        return f"{self.host}:{self.port} {tls}"


def carry(local: socket.socket, remote: AtSocket, to: Through, ended: Callable[[Pump], None] = lambda _: None) -> Pump:
    """Connect ``remote`` and carry bytes between it and ``local`` from now on. Raises NoSession, LabError.

    ``to``: where. ``ended``: see Pump.
    """
    mark = remote.port.timeline.mark()
    remote.connect(to.host, to.port, to.sec_tag, timeout=to.timeout)
    pump = Pump(local, remote, since=mark, ended=ended)
    pump.start()
    return pump


class BridgeListener:
    """Listens on loopback; a context manager. Whoever connects talks to ``to`` through the board.

    ``make``: a new socket of the board. ``port``: to listen on, 0: any. ``told``: takes a line for people, which names
    the board, on each connection's begin and end. Raises Misuse when the port is taken.
    """

    def __init__(
        self,
        make: Callable[[], AtSocket],
        to: Through,
        *,
        port: int = 0,
        told: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._make = make
        self._to = to
        self._told = told
        self._pumps: list[Pump] = []
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._listener.bind(("127.0.0.1", port))
        except OSError as error:
            self._listener.close()
            raise Misuse(f"cannot listen on 127.0.0.1:{port}: {error.strerror}; choose another port") from error
        self._listener.listen(_BACKLOG)
        self.address: tuple[str, int] = self._listener.getsockname()
        """Where to connect to."""
        self._thread = threading.Thread(target=self._accept, name="bridge-listener", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pumps(self) -> tuple[Pump, ...]:
        """Every connection so far."""
        return tuple(self._pumps)

    def close(self) -> None:
        """End every connection, and listen no longer. Raises LabError, the first, if connections would not end."""
        with suppress(OSError):  # whoever accepts, now or later, gets an error
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        failed: LabError | None = None
        for pump in self._pumps:
            if pump.running:
                try:
                    pump.stop()
                except LabError as error:
                    failed = failed or error
        if failed is not None:
            raise failed

    def _accept(self) -> None:
        while True:
            try:
                local, _ = self._listener.accept()
            except OSError:
                return
            local.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._serve(local)

    def _serve(self, local: socket.socket) -> None:
        name = ""
        try:
            remote = self._make()
            name = remote.port.name
            pump = carry(local, remote, self._to, lambda pump: self._told(f"{name}: {_ended(pump, name)}"))
        except HarnessError as error:
            local.close()
            self._told(f"{name}: {about(name, error)}" if name else str(error))
            return
        self._pumps.append(pump)
        self._told(f"{name}: a connection goes to {self._to} by socket {remote.handle}")


def _ended(pump: Pump, name: str) -> str:
    why = pump.end or "the local program has closed it" if pump.failure is None else about(name, pump.failure)
    return f"a connection has ended: {why}"
