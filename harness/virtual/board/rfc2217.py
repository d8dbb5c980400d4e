"""A board's UART over the network, by RFC 2217, with the modem lines that a pty does not have.

The protocol is pyserial's (``serial.rfc2217.PortManager``); here is the port that it manages. What the lines do is what
the interface chip of a DK does: nothing passes until the terminal asserts DTR, and with hardware flow control the board
holds its bytes back while RTS is off (Nordic, "nRF9151 SMA DK", Virtual serial port). A terminal at another speed than
the board's hears noise, and so does the board.

Source: RFC 2217; pyserial documentation, "RFC 2217".
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

import serial.rfc2217

HOST: Final = "127.0.0.1"
_HELD: Final = 1 << 16  # bytes that are held back for a terminal; what is over is lost, as in a UART's buffer


class _Lines:
    """The UART as the protocol sees it: its settings and its lines. ``changed``: called when one changes."""

    bytesize, parity, stopbits = 8, "N", 1
    xonxoff = break_condition = ri = False
    cd = dsr = cts = True  # the board is powered

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._baudrate = 115200
        self._dtr = self._rts = self._rtscts = False

    @property
    def baudrate(self) -> int:
        """The terminal's speed."""
        return self._baudrate

    @baudrate.setter
    def baudrate(self, rate: int) -> None:
        if not 0 < rate <= 4_000_000:
            raise ValueError(rate)  # the manager keeps the former one, and says so
        self._baudrate = rate

    @property
    def dtr(self) -> bool:
        """The terminal is there."""
        return self._dtr

    @dtr.setter
    def dtr(self, on: bool) -> None:
        self._dtr = on
        self._changed()

    @property
    def rts(self) -> bool:
        """The terminal takes bytes."""
        return self._rts

    @rts.setter
    def rts(self, on: bool) -> None:
        self._rts = on
        self._changed()

    @property
    def rtscts(self) -> bool:
        """Hardware flow control."""
        return self._rtscts

    @rtscts.setter
    def rtscts(self, on: bool) -> None:
        if on and not self._rtscts:
            self._rts = True  # a driver raises it then, and the terminal does not ask for it
        self._rtscts = on
        self._changed()

    def reset_input_buffer(self) -> None:
        """Nothing waits there: the board takes bytes at once."""

    def reset_output_buffer(self) -> None:
        """Nothing waits there that the terminal has not been sent."""

    @property
    def open(self) -> bool:
        """Bytes pass."""
        return self._dtr and (self._rts or not self._rtscts)


class Rfc2217Server:
    """Serves one board's UART to one client at a time. ``received``: called with the client's bytes.

    ``port``: on which it listens, of loopback; 0: a free one. ``baud``: the board's speed; 0: whatever the terminal's
    is.
    """

    def __init__(self, port: int, received: Callable[[bytes], None], *, baud: int = 0) -> None:
        self.port = port
        self.baud = baud
        self._received = received
        self._server: asyncio.Server | None = None
        self._client: _Client | None = None

    async def start(self) -> None:
        """Listen; nothing if it does already. Raises OSError."""
        if self._server is not None:
            return
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self), HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def hang_up(self) -> None:
        """End the client's connection: the cable is pulled."""
        if self._client is not None:
            self._client.close()

    async def stop(self) -> None:
        """Hang up, and listen no more."""
        self.hang_up()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def send(self, data: bytes) -> None:
        """Send the board's bytes to whoever is there; nobody: they are lost."""
        if self._client is not None:
            self._client.from_board(data)

    def take(self, client: "_Client") -> bool:
        """Give the port to a client; False: another has it."""
        if self._client is not None:
            return False
        self._client = client
        return True

    def give_back(self, client: "_Client") -> None:
        """Let the next client have the port."""
        if self._client is client:
            self._client = None

    def to_board(self, data: bytes) -> None:
        """Hand the client's bytes to the board."""
        self._received(data)


class _Client(asyncio.Protocol):
    def __init__(self, server: Rfc2217Server) -> None:
        self._server = server
        self._held = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._server.take(self):
            self._transport.write(b"Port already in use\r\n")
            self._transport.close()
            return
        self._lines = _Lines(self._flush)
        lines, connection = cast(Any, self._lines), cast(Any, self)  # it needs less of them than its stubs say
        self._manager = serial.rfc2217.PortManager(lines, connection)

    def write(self, data: bytes) -> None:
        """What the protocol itself has to say (PortManager's connection)."""
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        plain = b"".join(self._manager.filter(data))
        if plain and self._lines.dtr:
            self._server.to_board(self._as_heard(plain))

    def connection_lost(self, _error: Exception | None) -> None:
        self._server.give_back(self)

    def from_board(self, data: bytes) -> None:
        """Send what the board says, or hold it back."""
        if not self._lines.dtr:
            return  # the interface chip keeps the line to itself: nothing is kept for later
        self._held += self._as_heard(data)[: max(0, _HELD - len(self._held))]
        self._flush()

    def close(self) -> None:
        """Hang up."""
        self._transport.abort()
        self._server.give_back(self)

    def _flush(self) -> None:
        if self._held and self._lines.open:
            self._transport.write(b"".join(self._manager.escape(bytes(self._held))))
            self._held.clear()

    def _as_heard(self, data: bytes) -> bytes:
        """Return what is heard of bytes at another speed: as many, and none of them right."""
        if self._server.baud in (0, self._lines.baudrate):
            return data
        return bytes(0x80 | byte * 7 & 0xFF for byte in data)
