"""How long bytes are under way in the radio network, and that they keep their order. No I/O, no clock."""

import random


class Latency:
    """One way: ``seconds`` each, times a lognormal factor with the sigma ``spread`` (0: constant), from ``seed``."""

    def __init__(self, seconds: float = 0.0, spread: float = 0.0, seed: int = 0) -> None:
        self.seconds = seconds
        self._spread = spread
        self._chance = random.Random(seed)  # noqa: S311  (a delay is not a secret)
        self._arrival = 0.0

    def arrival(self, now: float) -> float:
        """Return when what leaves at ``now`` arrives: not before what left earlier."""
        factor = self._chance.lognormvariate(0.0, self._spread) if self._spread else 1.0
        self._arrival = max(self._arrival, now + self.seconds * factor)
        return self._arrival
