"""Where unsolicited results wait while they may not be written. Source: observed behaviour of Serial Modem 1.0."""

from collections import deque
from collections.abc import Callable
from typing import Final

RING: Final = 4096
"""Bytes of the modem's results that can wait; one that does not fit is lost."""
MESSAGES: Final = 1 << 20
"""Bytes of MQTT events and messages that can wait. On a board they wait in the network; here it guards the memory."""


class Unsolicited:
    """Keeps the order. ``write``: called with each result when its time has come."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self.dropped = 0
        """Results that were lost."""
        self._write = write
        self._waiting: deque[bytes] = deque()
        self._ring = 0
        self._messages = 0

    def from_modem(self, data: bytes) -> None:
        """Queue a result of the modem core."""
        if self._ring + len(data) > RING:
            self.dropped += 1
            return
        self._ring += len(data)
        self._waiting.append(data)

    def from_mqtt(self, data: bytes) -> None:
        """Queue an MQTT event or message."""
        if self._messages + len(data) > MESSAGES:
            self.dropped += 1
            return
        self._messages += len(data)
        self._waiting.append(data)

    def release(self) -> None:
        """Write everything that waits."""
        while self._waiting:
            self._write(self._waiting.popleft())
        self._ring = self._messages = 0
