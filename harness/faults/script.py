"""What faults do to one connection: bytes, packets and time in, acts out. Pure: no clock, socket or thread.

Times are seconds of any clock that the caller keeps. Randomness comes from a seed, so a run can be repeated.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.faults.fault import CLOSES, Deed, Direction, Fault
from harness.faults.framing import Framer, Framing, Unit

QUIET = 0.05
"""Seconds after which a line without its end is let through: a prompt has none."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Let ``data`` through at the time ``at`` (infinite: never), and not before the data of an earlier Pass."""

    direction: Direction
    data: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection as ``how`` says; nothing passes afterwards."""

    how: Deed


Act = Pass | Close


@dataclass(frozen=True, slots=True)
class Struck:
    """The ground truth: which fault struck, on which connection, at what age of it, after how many packets."""

    fault: Fault
    connection: int
    age: float
    packets: int
    phase: str


@dataclass
class FaultPlan:
    """The faults of all connections, with the count of how often each struck. ``struck``: what they did, in order."""

    faults: Sequence[Fault]
    seed: int = 0
    struck: list[Struck] = field(default_factory=list)

    def may_strike(self, fault: Fault, connection: int) -> bool:
        """Tell whether the fault may strike this connection: it is meant, and the fault has strikes left."""
        if fault.connection not in (None, connection):
            return False
        return fault.times is None or sum(one.fault is fault for one in self.struck) < fault.times


@dataclass(slots=True)
class _OneDirection:
    """One direction: how far it is."""

    framer: Framer
    packets: int = 0
    bytes: int = 0
    clear_at: float = 0.0
    last_at: float = 0.0


class FaultScript:
    """One connection under ``plan``. ``number``: which one it is, from 1. ``began``: when it began.

    ``framing``: what counts as a packet.
    """

    def __init__(self, plan: FaultPlan, number: int, began: float, framing: Framing = Framing.AUTO) -> None:
        self._plan = plan
        self._number = number
        self._began = began
        self._chance = random.Random(f"{plan.seed} {number}")  # noqa: S311  (a fault's moment is not a secret)
        struck = {fault.direction for fault in plan.faults if fault.one_way}
        self._ways = {one: _OneDirection(Framer(_held_for(framing, struck=one in struck))) for one in Direction}
        self._phase = ""
        self._closed = False
        self._spent: set[int] = set()
        timed = [(index, fault) for index, fault in enumerate(plan.faults) if fault.age is not None or fault.mean_age]
        self._ages = {index: self._age_of(fault) for index, fault in timed}

    def data(self, direction: Direction, data: bytes, now: float) -> list[Act]:
        """Return what to do with bytes that arrived.

        ``direction``: which way they go. ``data``: the bytes. ``now``: seconds.
        """
        acts = self.tick(now)
        way = self._ways[direction]
        way.last_at = now
        for unit in way.framer.feed(data):
            acts += self._unit(direction, unit, now)
        return acts

    def tick(self, now: float) -> list[Act]:
        """Return what is due without new bytes: faults of an age, and lines without an end."""
        acts: list[Act] = []
        for index, age in self._ages.items():
            fault = self._plan.faults[index]
            if now - self._began >= age and self._at_once(fault) and self._ready(index):
                acts += self._strike_connection(index, now)
        for direction, way in self._ways.items():
            if way.framer.framing is Framing.LINES and way.framer.holds and now - way.last_at >= QUIET:
                for unit in way.framer.flush():
                    acts += self._unit(direction, unit, now)
        return acts

    def phase(self, name: str, now: float) -> list[Act]:
        """Take in that a test has come to the phase ``name``."""
        self._phase = name
        acts: list[Act] = []
        for index, fault in enumerate(self._plan.faults):
            if fault.phase == name and self._at_once(fault) and self._ready(index):
                acts += self._strike_connection(index, now)
        return acts

    def wake_at(self) -> float:
        """Return the earliest time at which ``tick`` has something to do; infinite: never."""
        faults = self._plan.faults
        ages = [self._began + age for i, age in self._ages.items() if self._at_once(faults[i]) and self._ready(i)]
        lines = [
            way.last_at + QUIET
            for way in self._ways.values()
            if way.framer.framing is Framing.LINES and way.framer.holds
        ]
        return min([*ages, *lines], default=math.inf)

    def end(self, direction: Direction, now: float) -> float:
        """Return when the end of one direction may be passed on: after all bytes that were delayed."""
        return max(now, self._ways[direction].clear_at)

    def _unit(self, direction: Direction, unit: Unit, now: float) -> list[Act]:
        if self._closed:
            return []
        way = self._ways[direction]
        way.packets += unit.counts
        first, way.bytes = way.bytes, way.bytes + len(unit.data)
        pieces = [unit.data]
        at = max(now, way.clear_at)
        for index, fault in enumerate(self._plan.faults):
            if fault.direction is not direction or not self._ready(index):
                continue
            if not self._meets(index, fault, unit, way.packets, first, now):
                continue
            self._note(index, now)
            offset = fault.byte - first - 1 if fault.byte is not None else 0
            if fault.deed in CLOSES:
                self._closed = True
                whole: list[Act] = [Pass(direction, unit.data[:offset], at)] if offset else []
                return [*whole, Close(fault.deed)]
            if fault.deed is Deed.STALL:
                at = way.clear_at = max(at, now + (fault.seconds or math.inf))
            elif fault.deed is Deed.DELAY:
                at = way.clear_at = max(at, now + fault.seconds)
            else:
                pieces = [self._changed(fault, piece, offset) for piece in pieces]
        return [Pass(direction, piece, at) for piece in pieces if piece]

    def _changed(self, fault: Fault, data: bytes, offset: int) -> bytes:
        """Return the unit dropped, doubled or garbled; if the fault names a byte, only that byte is changed."""
        single = fault.byte is not None
        if single and offset >= len(data):  # another fault took it away
            return data
        start, end = (offset, offset + 1) if single else (0, len(data))
        struck = data[start:end]
        if fault.deed is Deed.DROP:
            struck = b""
        elif fault.deed is Deed.DOUBLE:
            struck *= 2
        elif struck:
            place = self._chance.randrange(len(struck))
            flipped = struck[place] ^ (1 << self._chance.randrange(8))
            struck = struck[:place] + bytes([flipped]) + struck[place + 1 :]
        return data[:start] + struck + data[end:]

    def _meets(self, index: int, fault: Fault, unit: Unit, packet: int, first: int, now: float) -> bool:
        if fault.byte is not None:
            return first < fault.byte <= first + len(unit.data)
        if fault.phase is not None:
            return fault.phase == self._phase
        if index in self._ages:
            return now - self._began >= self._ages[index] and not self._at_once(fault)
        if not unit.counts:
            return False
        if fault.packet is not None:
            return fault.packet == packet
        return self._chance.random() < (fault.chance or 0.0)

    def _strike_connection(self, index: int, now: float) -> list[Act]:
        fault = self._plan.faults[index]
        self._note(index, now)
        if fault.deed is Deed.STALL:
            way = self._ways[fault.direction]
            way.clear_at = max(way.clear_at, now + (fault.seconds or math.inf))
            return []
        self._closed = True
        return [Close(fault.deed)]

    def _note(self, index: int, now: float) -> None:
        fault = self._plan.faults[index]
        if fault.chance is None:
            self._spent.add(index)
        packets = self._ways[fault.direction].packets
        self._plan.struck.append(Struck(fault, self._number, now - self._began, packets, self._phase))

    def _ready(self, index: int) -> bool:
        fault = self._plan.faults[index]
        return not self._closed and index not in self._spent and self._plan.may_strike(fault, self._number)

    @staticmethod
    def _at_once(fault: Fault) -> bool:
        """True for a fault that needs no unit to strike at."""
        return fault.deed in CLOSES or fault.deed is Deed.STALL

    def _age_of(self, fault: Fault) -> float:
        if fault.mean_age is not None:
            return self._chance.expovariate(1 / fault.mean_age)
        return fault.age or 0.0


def _held_for(framing: Framing, *, struck: bool) -> Framing:
    """Return how to cut a way: without a fault no line is held back for its end, which a command to a board has not."""
    return Framing.PIECES if framing is Framing.LINES and not struck else framing
