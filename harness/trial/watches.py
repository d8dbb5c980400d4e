"""What the board said by itself during a trial: the radio network went away, or something restarted. Pure functions.

Source: nRF91x1 AT Commands reference, +CEREG and +CGEV; 3GPP TS 27.007 for the meaning of the status numbers. The
modem notifies after ``AT+CEREG=5``, as ``Modem.register`` sets it.
"""

from collections.abc import Iterable
from typing import Final

from harness.at import AtFormatError
from harness.firmware import WORDS
from harness.modem import Registration
from harness.timeline import Event, Kind
from harness.words import Ask

_SWITCHES: Final = (Ask.STOP, Ask.OFFLINE, Ask.MODE)  # take the modem, or its network, away
_URC, _TX = Kind.URC, Kind.TX  # an enumeration is slow to ask (Python 3.11)
_PDN_GONE = ("NW DETACH", "ME DETACH", "NW PDN DEACT", "ME PDN DEACT")


def network_loss(events: Iterable[Event]) -> Event | None:
    """Return the first notification that shows the loss of the network or of the PDN connection, or None."""
    return next((event for event in events if event.kind is _URC and _is_loss(event.text)), None)


def garbled(events: Iterable[Event]) -> Event | None:
    """Return the first line of the board that could not be read, or None: what it said may be what is missing."""
    return next((event for event in events if event.data.get("garbled") or event.data.get("role") == "garbled"), None)


def own_switch(events: Iterable[Event]) -> Event | None:
    """Return the first command of the harness that takes the modem or its network away, or None.

    The modem may give no notice of what it was told to do, so the command itself is the evidence.
    """
    return next((event for event in events if event.kind is _TX and WORDS.asked(event.text).what in _SWITCHES), None)


def _is_loss(text: str) -> bool:
    name, _, args = text.partition(": ")
    if name == "+CGEV":
        return args.startswith(_PDN_GONE)
    if name != "+CEREG":
        return False
    try:
        return not Registration.from_urc(args).registered
    except AtFormatError:  # a line that lost bytes shows nothing
        return False
