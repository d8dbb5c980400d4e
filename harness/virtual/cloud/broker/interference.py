"""Disturbs a running broker: a second client with the same id, messages that get lost, counted violations.

Facts: AWS IoT Core Developer Guide, "Lifecycle events" (DUPLICATE_CLIENTID: the older connection ends).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from harness.settings import CloudSettings
from harness.virtual.cloud.broker.interfaces import Journal

Later = Callable[[float, Callable[[], None]], object]


@dataclass
class _Rival:
    """A second client. ``left``: how often it connects again; None: without end."""

    backoff: float
    left: int | None


@dataclass
class _Deafness:
    chance: float
    until: float | None
    draws: random.Random


class Interference:
    """What a broker does to a client beside its policies: rivals for its client id, lost messages, limits of rate.

    ``journal``: where it is noted. ``later``: calls after seconds, like ``loop.call_later``. ``clock``: tells the time
    in seconds. ``evict``: ends the connection of a client id for a reason.
    """

    def __init__(
        self, journal: Journal, later: Later, clock: Callable[[], float], evict: Callable[[str, str], bool]
    ) -> None:
        self._journal = journal
        self._later = later
        self._clock = clock
        self._evict = evict
        self._rivals: dict[str, _Rival] = {}
        self._deaf: dict[str, _Deafness] = {}
        self._violations = 0
        self._last_connect: dict[str, float] = {}

    def refuses_next(self, profile: CloudSettings) -> bool:
        """Count a violation, and tell whether it is refused."""
        self._violations += 1
        return profile.refuse_only in (None, self._violations)

    def count_anew(self) -> None:
        """Begin to count anew: the next violation, and the next CONNECT of each client, is the first one."""
        self._violations = 0
        self._last_connect.clear()

    def throttles_connect(self, client_id: str, gap: float) -> bool:
        """Count a CONNECT, and tell whether it came less than ``gap`` seconds after the one before."""
        if not gap:
            return False
        now = self._clock()
        last = self._last_connect.get(client_id)
        self._last_connect[client_id] = now
        return last is not None and now - last < gap

    # a client elsewhere

    def add_rival(self, client_id: str, backoff: float, times: int | None) -> None:
        """Let a second client connect with this id now, and again each time the first one has taken over.

        ``client_id``: the id. ``backoff``: seconds until it comes back. ``times``: how often it connects; None: without
        end.
        """
        self._rivals[client_id] = _Rival(backoff, times)
        self._rival_connects(client_id)

    def remove_rival(self, client_id: str) -> bool:
        """Remove the second client; False: there was none."""
        return self._rivals.pop(client_id, None) is not None

    def connected(self, client_id: str) -> None:
        """Take note that a client has connected. Its rival has been disconnected and will come back."""
        rival = self._rivals.get(client_id)
        if rival is not None:
            self._later(rival.backoff, lambda: self._comes_back(client_id, rival))

    def _comes_back(self, client_id: str, rival: _Rival) -> None:
        if self._rivals.get(client_id) is rival:
            self._rival_connects(client_id)

    def _rival_connects(self, client_id: str) -> None:
        rival = self._rivals[client_id]
        if rival.left == 0:
            return
        if rival.left is not None:
            rival.left -= 1
        self._journal.write("connect", client_id=client_id, elsewhere=True)
        self._evict(client_id, "DUPLICATE_CLIENTID")

    # messages that get lost

    def deafen(self, client_id: str, chance: float, seconds: float | None, seed: int) -> None:
        """Begin to lose messages to a client.

        ``client_id``: the client. ``chance``: the probability for each message. ``seconds``: for how long; None: until
        :meth:`hear`. ``seed``: of the random choices.
        """
        until = None if seconds is None else self._clock() + seconds
        self._deaf[client_id] = _Deafness(chance, until, random.Random(seed))  # noqa: S311  (no secret)

    def hear(self, client_id: str) -> bool:
        """Stop losing messages; False: none was being lost."""
        return self._deaf.pop(client_id, None) is not None

    def loses(self, client_id: str, topic: str) -> bool:
        """Tell whether this message to a client gets lost."""
        deaf = self._deaf.get(client_id)
        if deaf is None:
            return False
        if deaf.until is not None and self._clock() >= deaf.until:
            self.hear(client_id)
            return False
        lost = deaf.draws.random() < deaf.chance
        if lost:
            self._journal.write("message_lost", client_id=client_id, topic=topic)
        return lost
