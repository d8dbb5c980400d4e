"""The timers that end a connection: no CONNECT, silence, age, and a close that waits.

Source: MQTT 3.1.1 §3.1.2.10 (one and a half keep-alives without a packet).
"""

import asyncio
from collections.abc import Callable

from harness.settings import Limits


class Deadlines:
    """One connection's, from its TLS handshake on. ``limits``: the broker's.

    ``close``: ends the connection, with a reason in the words of AWS IoT lifecycle events and more for the journal.
    """

    def __init__(self, limits: Limits, close: Callable[[str, str], None]) -> None:
        self._limits = limits
        self._close = close
        self._loop = asyncio.get_running_loop()
        self._silence = 0.0
        self._others: list[asyncio.TimerHandle] = []
        self.last_packet = 0.0
        """When the last packet came, by the event loop's clock. The bytes of an incomplete packet do not count."""
        self._timer = self._loop.call_later(
            limits.first_packet, close, "CLIENT_ERROR", "no CONNECT in time after the TLS handshake"
        )

    def packet(self) -> None:
        """Take note that a packet came."""
        self.last_packet = self._loop.time()

    def accepted(self, keepalive: int) -> None:
        """Take note of an accepted CONNECT with ``keepalive`` seconds: silence and age count from now on."""
        shortest, longest = self._limits.keepalive_shortest, self._limits.keepalive_longest
        self._silence = 1.5 * min(max(keepalive or longest, shortest), longest)
        self._check_silence()
        if age := self._limits.age:
            self.after(age, lambda: self._close("SERVER_INITIATED_DISCONNECT", f"{age:g} s old"))

    def after(self, seconds: float, end: Callable[[], None]) -> None:
        """Call ``end`` in ``seconds``, unless the connection has ended by then."""
        self._others.append(self._loop.call_later(seconds, end))

    def cancel(self) -> None:
        """Stop all timers: the connection has ended."""
        for timer in (self._timer, *self._others):
            timer.cancel()

    def _check_silence(self) -> None:
        """Packets do not arm the timer again; when it is due, it looks when the last one came."""
        due = self.last_packet + self._silence
        if self._loop.time() >= due:
            self._close("MQTT_KEEP_ALIVE_TIMEOUT", f"no packet received for {self._silence:g} s")
            return
        self._timer.cancel()
        self._timer = self._loop.call_at(due, self._check_silence)
