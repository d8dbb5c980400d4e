"""What ends connections although nobody refused anything: 25 models."""

import math
import random
from dataclasses import dataclass

NEVER = math.inf


class Fault:
    """One model, for one run of time. The base never disturbs anything.

    ``on_sight``: a limit of packets acts where it sees the packet: answers to earlier ones on their way are lost.
    """

    on_sight = False

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def cut_after(self, time: float) -> float:
        """Return when the next cut comes that ends whatever connection there is (or keeps it from coming up)."""
        return NEVER

    def age(self) -> float:
        """Return the age in seconds at which a new connection ends."""
        return NEVER

    def last_packet(self) -> int | None:
        """Return the number of the packet (CONNECT not counted) at which a new connection ends."""
        return None


class Cuts(Fault):
    """Cuts without memory, ``mean`` seconds apart."""

    def __init__(self, chance: random.Random, mean: float) -> None:
        super().__init__(chance)
        self.mean = mean
        self._next = 0.0

    def cut_after(self, time: float) -> float:
        while self._next <= time:
            self._next += self.chance.expovariate(1 / self.mean)
        return self._next


class Bursts(Fault):
    """Twenty bad seconds in each 120, with cuts ``mean`` seconds apart in them."""

    PERIOD, LENGTH = 120.0, 20.0

    def __init__(self, chance: random.Random, mean: float) -> None:
        super().__init__(chance)
        self.mean = mean
        self._offset = chance.random() * self.PERIOD
        self._next = 0.0

    def cut_after(self, time: float) -> float:
        while self._next <= time:
            self._next += self.chance.expovariate(1 / self.mean)
            phase = (self._next + self._offset) % self.PERIOD
            if phase > self.LENGTH:
                self._next += self.PERIOD - phase
        return self._next


class Age(Fault):
    """A connection ends at ``mean`` seconds, give or take ``spread`` of it."""

    def __init__(self, chance: random.Random, mean: float, spread: float = 0.05) -> None:
        super().__init__(chance)
        self.mean, self.spread = mean, spread

    def age(self) -> float:
        return self.mean * (1 + self.spread * (2 * self.chance.random() - 1))


class PacketLimit(Fault):
    """A connection ends when its ``number``-th packet arrives; a range: each connection draws its own."""

    def __init__(self, chance: random.Random, first: int, last: int, *, on_sight: bool = False) -> None:
        super().__init__(chance)
        self.first, self.last, self.on_sight = first, last, on_sight

    def last_packet(self) -> int:
        return self.chance.randint(self.first, self.last)


class PacketChance(Fault):
    """A connection ends at each packet with the same chance."""

    def __init__(self, chance: random.Random, each: float) -> None:
        super().__init__(chance)
        self.each = each

    def last_packet(self) -> int:
        return 1 + int(math.log(1 - self.chance.random()) / math.log(1 - self.each))


class Duplicate(Fault):
    """Another client with the same id: evicted by each CONNECT, it comes back after its back-off and evicts in turn."""

    def __init__(self, chance: random.Random, back_off: float) -> None:
        super().__init__(chance)
        self.back_off = back_off

    def age(self) -> float:
        return self.back_off * (0.8 + 0.4 * self.chance.random())


@dataclass(frozen=True)
class Model:
    """``make(chance)``: the fault for one simulated night."""

    name: str
    kind: type
    arguments: tuple = ()

    def make(self, chance: random.Random) -> Fault:
        return self.kind(chance, *self.arguments)


MODELS = [
    Model("none", Fault),
    *(Model(f"cuts, mean {mean:g} s", Cuts, (mean,)) for mean in (3600, 600, 60, 10, 2)),
    *(Model(f"bursts, cut each {mean:g} s", Bursts, (mean,)) for mean in (0.3, 1, 3)),
    Model("packets, each cut with 5 %", PacketChance, (0.05,)),
    *(Model(f"age {mean:g} s", Age, (mean,)) for mean in (1, 5, 60)),
    *(Model(f"packet {number}", PacketLimit, (number, number)) for number in range(2, 9)),
    Model("packet 2..8 by chance", PacketLimit, (2, 8)),
    *(Model(f"duplicate, back-off {back_off:g} s", Duplicate, (back_off,)) for back_off in (0.2, 1, 3, 10)),
]
