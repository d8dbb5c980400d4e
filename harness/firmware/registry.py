"""Every firmware that the harness knows: a new one is a room of its own, and one line here."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

from harness.errors import Misuse
from harness.firmware.at_client import AT_CLIENT
from harness.firmware.cloud_library.firmware import CLOUD_LIBRARY
from harness.firmware.kind import FirmwareKind
from harness.firmware.raw_sockets import RAW_SOCKETS
from harness.firmware.serial_modem import SERIAL_MODEM
from harness.firmware.shell import SHELL
from harness.firmware.slm import SLM, SLM_SOCKETS, SLM_TCP_CLIENT
from harness.modem import MODEM_WORDS
from harness.timeline import Event, Kind
from harness.words import Dictionary

FIRMWARES: Final[dict[str, FirmwareKind]] = {
    kind.name: kind
    for kind in (
        SLM,
        SERIAL_MODEM,
        RAW_SOCKETS,
        SLM_SOCKETS,
        SLM_TCP_CLIENT,
        AT_CLIENT,
        SHELL,
        CLOUD_LIBRARY,
    )
}
"""By the names that boards files use. Of those that know the same board, the first is the one to say that it runs."""


WORDS: Final = Dictionary(MODEM_WORDS, *(kind.words for kind in FIRMWARES.values() if kind.words))
"""What the commands and lines of every firmware mean."""


def kind_of(name: str) -> FirmwareKind:
    """Return the firmware that boards files call ``name``. Misuse: unknown name."""
    if name not in FIRMWARES:
        raise Misuse(f"firmware {name!r} is not known; known: {', '.join(sorted(FIRMWARES))}")
    return FIRMWARES[name]


def restart(events: Iterable[Event]) -> Event | None:
    """Return the first event that shows that a board with MQTT commands, or its modem, has just started anew.

    None: there is none. Lines that answer a command show nothing.
    """
    shows = _restarts().match
    rx, urc = Kind.RX, Kind.URC  # an enumeration is slow to ask (Python 3.11)
    for event in events:
        if (event.kind is rx or event.kind is urc) and "role" not in event.data and shows(event.text):
            return event
    return None


@cache
def _restarts() -> re.Pattern[str]:
    """Return one pattern for all firmwares: every line of a trial is matched with it, so it has to be quick."""
    return re.compile("|".join(f"(?:{kind.restart.pattern})" for kind in FIRMWARES.values() if kind.restart))
