"""One fault, as a user writes it down: what is done, and when it strikes."""

import math
from dataclasses import dataclass
from enum import StrEnum

from harness.errors import Misuse


class Direction(StrEnum):
    """Which way bytes go. The near side connected to the proxy: the board's client, or the harness at a port."""

    OUT = "out"  # from the near side to the far side
    IN = "in"  # from the far side to the near side


class Deed(StrEnum):
    """What is done to the unit that is struck (a packet, a TLS record, a line or a byte), or to the connection."""

    DROP = "drop"
    DOUBLE = "double"
    GARBLE = "garble"  # one bit of it is flipped
    DELAY = "delay"  # by ``seconds``; what follows waits behind it
    STALL = "stall"  # nothing passes in this direction for ``seconds`` (0: for ever)
    FIN = "fin"  # the connection is closed in order, on both sides; a port is unplugged
    RST = "rst"  # it is reset, on both sides
    FIN_NEAR = "fin-near"  # only the near side sees a close; the far side believes in the connection
    FIN_FAR = "fin-far"  # only the far side sees it


CLOSES = frozenset({Deed.FIN, Deed.RST, Deed.FIN_NEAR, Deed.FIN_FAR})
_NEEDS_SECONDS = frozenset({Deed.DELAY})
_TAKES_SECONDS = frozenset({Deed.DELAY, Deed.STALL})


@dataclass(frozen=True, slots=True)
class Fault:
    """A deed and its moment: exactly one of ``byte``, ``packet``, ``age``, ``mean_age``, ``phase``, ``chance``.

    ``byte``: the n-th byte in its direction, from 1. ``packet``: the n-th packet, from 1; TLS handshakes do not count.
    ``age``: seconds after the connection began. ``mean_age``: the same, but drawn anew for each connection from an
    exponential distribution, so that cuts have no memory. ``phase``: when a test announces it. ``chance``: of each
    packet (0..1). ``connection``: only the n-th connection, from 1; None: each. ``times``: how often it strikes in all;
    None: without limit.
    """

    deed: Deed
    direction: Direction = Direction.OUT
    byte: int | None = None
    packet: int | None = None
    age: float | None = None
    mean_age: float | None = None
    phase: str | None = None
    chance: float | None = None
    seconds: float = 0.0
    connection: int | None = None
    times: int | None = None

    def __post_init__(self) -> None:
        moments = {name: getattr(self, name) for name in ("byte", "packet", "age", "mean_age", "phase", "chance")}
        given = [name for name, value in moments.items() if value is not None]
        if len(given) != 1:
            said = ", ".join(given) or "none"
            raise Misuse(f"a fault strikes at one moment: give one of {', '.join(moments)} ({said} given)")
        for name in ("byte", "packet", "connection", "times"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise Misuse(f"{name} of a fault counts from 1, got {value}")
        for name in ("age", "mean_age", "chance", "seconds"):
            if not math.isfinite(getattr(self, name) or 0.0):
                raise Misuse(f"{name} of a fault must be finite, got {getattr(self, name)}")
        if self.chance is not None and not 0 < self.chance <= 1:
            raise Misuse(f"chance of a fault must be above 0 and at most 1, got {self.chance:g}")
        if self.mean_age is not None and self.mean_age <= 0:
            raise Misuse(f"mean_age of a fault must be above 0, got {self.mean_age:g}")
        if min(self.seconds, self.age or 0.0) < 0:
            raise Misuse("age and seconds of a fault must not be negative")
        if self.deed in _NEEDS_SECONDS and not self.seconds:
            raise Misuse(f"{self.deed} needs its seconds")
        if self.seconds and self.deed not in _TAKES_SECONDS:
            raise Misuse(f"{self.deed} takes no seconds: leave them out; {' and '.join(sorted(_TAKES_SECONDS))} do")

    @property
    def one_way(self) -> bool:
        """It strikes what goes one way: bytes, or packets that are counted. A close at an age has no direction."""
        return self.deed not in CLOSES or not (self.age is not None or self.mean_age or self.phase)

    def __str__(self) -> str:
        moments = ("byte", "packet", "age", "mean_age", "phase", "chance")
        name, value = next((name, getattr(self, name)) for name in moments if getattr(self, name) is not None)
        return f"{self.deed} at {name} {value} ({self.direction})"
