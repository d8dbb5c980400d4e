"""The client's side of RFC 2217, a serial port behind a Telnet connection: what is asked, agreed and refused. No I/O.

What is offered and asked at the start is what pyserial's client offers and asks, because servers know it.
"""

import struct
from enum import IntEnum
from typing import Final

from harness.at.telnet import DO, DONT, WILL, WONT, TelnetReader, TelnetVerb, subnegotiation

_BINARY, _ECHO, _SUPPRESS_GO_AHEAD, _COM_PORT = 0x00, 0x01, 0x03, 0x2C
_ANSWER: Final = 100  # a server's answer to a request has the number of the request and this
_NO: Final = {DO: WONT, WILL: DONT}
_OURS, _THEIRS = True, False
_START: Final = ((DO, _ECHO), (WILL, _SUPPRESS_GO_AHEAD), (DO, _SUPPRESS_GO_AHEAD), (DO, _COM_PORT), (WILL, _COM_PORT))


class ComPortRequest(IntEnum):
    """What a server can be asked for."""

    SET_BAUDRATE = 1
    SET_DATASIZE = 2
    SET_PARITY = 3
    SET_STOPSIZE = 4
    SET_CONTROL = 5
    PURGE_DATA = 12


class ComPortControl(IntEnum):
    """Values of SET_CONTROL."""

    NO_FLOW_CONTROL = 1
    HARDWARE_FLOW_CONTROL = 3
    DTR_ON = 8
    RTS_ON = 11


class Purge(IntEnum):
    """Values of PURGE_DATA: from the board, and to it."""

    RECEIVED = 1
    TO_SEND = 2


class ComPort:
    """The client. What it returns as ``bytes`` is to be sent, in that order."""

    def __init__(self) -> None:
        self.telnet: Final = TelnetReader()
        # True: both ends agreed; None: asked for; False: neither asked for, nor agreed.
        self._options: dict[tuple[bool, int], bool | None] = {
            (_OURS, _BINARY): False,
            (_THEIRS, _BINARY): False,
        }
        self._asked: dict[int, bytes] = {}
        self._answers: dict[int, bool] = {}

    def start(self) -> bytes:
        """Return what is offered and asked at the start."""
        for verb, option in _START:
            self._options[verb == WILL, option] = None
        return b"".join(map(_said, _START))

    @property
    def agreed(self) -> bool | None:
        """Whether the server speaks RFC 2217; None: it has not said so yet."""
        return self._options.get((_OURS, _COM_PORT))

    def request(self, kind: ComPortRequest, value: bytes) -> bytes:
        """Return the request for ``value``."""
        self._asked[kind] = value
        self._answers.pop(kind, None)
        return subnegotiation(bytes((_COM_PORT, kind)) + value)

    def answer(self, kind: ComPortRequest) -> bool | None:
        """Return whether the server did what the last request of this kind asked; None: it has not said so yet."""
        return self._answers.get(kind)

    def receive(self, data: bytes) -> tuple[bytes, bytes]:
        """Take what came from the server; return the board's bytes in it, and what is to be sent to the server."""
        plain = self.telnet.feed(data)
        reply = b""
        for heard in self.telnet.heard:
            if isinstance(heard, TelnetVerb):
                reply += self._agree(heard)
            else:
                self._take_answer(heard)
        self.telnet.heard.clear()
        return plain, reply

    def _agree(self, heard: TelnetVerb) -> bytes:
        ours, yes = heard.verb in (DO, DONT), heard.verb in (DO, WILL)
        agreement = WILL if ours else DO
        key = ours, heard.option
        if key not in self._options:
            return _said((_NO[heard.verb], heard.option)) if yes else b""
        former, self._options[key] = self._options[key], yes
        if yes and former is False:
            return _said((agreement, heard.option))
        if not yes and former is True:
            return _said((_NO[DO if ours else WILL], heard.option))
        return b""

    def _take_answer(self, content: bytes) -> None:
        if len(content) < 2 or content[0] != _COM_PORT:
            return
        kind = content[1] - _ANSWER
        asked = self._asked.pop(kind, None)
        if asked is not None:  # else it tells what another client asked for, or the state of the modem lines
            # Some servers answer with more bytes than they were sent.
            self._answers[kind] = content[2:].startswith(asked)


def baudrate(rate: int) -> bytes:
    """Return a speed in bit/s as the value of SET_BAUDRATE. Raises ValueError: there is none such."""
    if not 0 < rate < 2**32:
        raise ValueError(f"invalid baudrate: {rate}")
    return struct.pack("!I", rate)


def _said(verb: tuple[int, int]) -> bytes:
    return bytes((0xFF, *verb))
