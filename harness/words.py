"""What commands and lines mean, in general words: each firmware's room reads its own texts, and verdicts ask here.

So whoever judges a timeline, live or from a file, need not know which firmware the board ran.
"""

from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

_KEPT: Final = 1024  # of the texts that were read last; most are asked about more than once


class Ask(StrEnum):
    """What a command asks for; a packet that this computer sends through the board is one too."""

    CONNECT = "connect"
    DISCONNECT = "disconnect"
    PUBLISH = "publish"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    CONFIGURE = "configure"  # how the next connection is made
    OFFLINE = "offline"  # the modem leaves its network
    MODE = "mode"  # another functional mode of the modem
    STOP = "stop"  # the board or its modem restarts, shuts down or sleeps
    QUESTION = "question"  # is answered by one line, whatever the answer is
    OTHER = "other"  # nothing that a verdict rests on


class Told(StrEnum):
    """What a line of the board tells."""

    FAULT = "fault"  # it restarted, or its modem failed
    NOT_CONNECTED = "not_connected"  # the answer to a question


class Asked(NamedTuple):
    """A command, as far as its text says it. ``topic``: of a PUBLISH, or the filter of a SUBSCRIBE or UNSUBSCRIBE.

    ``qos``: of a PUBLISH. ``keep_alive``: seconds.
    """

    what: Ask
    topic: str | None = None
    qos: int | None = None
    keep_alive: int | None = None

    @property
    def wants_answer(self) -> bool:
        """True for a packet that MQTT acknowledges; also for a PUBLISH whose QoS is not said."""
        return self.what in _PACKETS and self.qos != 0


_PACKETS: Final = (Ask.PUBLISH, Ask.SUBSCRIBE, Ask.UNSUBSCRIBE)
_OTHER: Final = Asked(Ask.OTHER)


class Words(NamedTuple):
    """Reads the texts of one firmware, or of the modem: pure functions, None for a text that is none of its own."""

    asked: Callable[[str], Asked | None]
    told: Callable[[str], Told | None] | None = None


class Dictionary:
    """Reads the texts of all of ``words``: the first that knows a text says what it means."""

    def __init__(self, *words: Words) -> None:
        several = dict.fromkeys(words)  # some firmwares have the same
        self._askers = tuple(one.asked for one in several)
        self._tellers = tuple(one.told for one in several if one.told)
        self.asked: Callable[[str], Asked] = lru_cache(_KEPT)(self._asked)
        """What a command asks for."""

    def told(self, line: str) -> Told | None:
        """Return what a line of the board tells; None: nothing that is asked about here."""
        for told in self._tellers:
            if found := told(line):
                return found
        return None

    def _asked(self, command: str) -> Asked:
        return next((found for asked in self._askers if (found := asked(command))), _OTHER)
