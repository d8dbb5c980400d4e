"""What the steps of a plan share: the connection, the log, what is tried, and waiting for what the board says."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from harness.firmware import MqttDriver, MqttEvent, MqttEventKind
from harness.trial.actions import Acted, PacketAction
from harness.trial.connection import MqttConnection
from harness.trial.controls import AllowedAction
from harness.trial.experiment import Do, Night, Step
from harness.trial.facts import ActionEffect
from harness.trial.phases import Phase, PhaseLog

AskWitness = Callable[[], Mapping[str, Any]]
"""Asks somebody else why the board was hung up on, and returns what it says, ready for JSON. Raises LabError."""

_PHASES: Final = {
    Do.BASELINE: Phase.BASELINE,
    Do.SHAM: Phase.SHAM,
    Do.ACTION: Phase.ACTION,
    Do.FENCE: Phase.FENCE,
    Do.EFFECT: Phase.EFFECT,
    Do.IDLE: Phase.HOLD,
    Do.FLIGHT: Phase.FLIGHT,
    Do.PAUSE: Phase.PAUSE,
}


@dataclass(frozen=True, slots=True)
class Tried:
    """What an experiment is about. ``actions``: one, or those of a group; ``sham``: an allowed one of its shape, None:
    the allowed action of the connection has to do.

    ``listening``: topic filters that the test needs on every connection. ``delivery``: an allowed message to the board,
    for rounds about a subscription; None: there is none.
    """

    actions: Sequence[PacketAction]
    sham: PacketAction | None
    listening: Sequence[str] = ()
    delivery: AllowedAction | None = None


@dataclass(slots=True)
class PlanState:
    """What one plan leaves for the next. ``unheard``: how often an action's answer could not be awaited.

    ``unseen``: nonces of messages that had reached nobody when the board was hung up on.
    """

    acted: dict[int, Acted] = field(default_factory=dict)
    unheard: int = 0
    effects: dict[int, ActionEffect] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)


@dataclass(slots=True)
class StepContext:
    """What is used by every step. ``mark``: an end of the connection from here on belongs to the plan."""

    link: MqttConnection
    log: PhaseLog
    tried: Tried
    night: Night
    state: PlanState = field(default_factory=PlanState)
    mark: int = 0

    @property
    def device(self) -> MqttDriver:
        """The board's MQTT client."""
        return self.link.device

    @contextmanager
    def phase(self, number: int, step: Step, **begin: Any) -> Iterator[dict[str, Any]]:
        """Write a step's begin and end around what is done in it; it yields the data for the end.

        ``number``: of ``step`` in its plan, counted from 0. ``begin``: the begin's data.
        """
        with self.log.phase(_PHASES[step.do], step=number, **begin) as found:
            yield found
        if step.do in (Do.BASELINE, Do.SHAM, Do.ACTION, Do.FENCE):
            self.link.packets += 1 + bool(found.get("chased"))

    def wait(self, kinds: Sequence[MqttEventKind | None], *, since: int, timeout: float) -> MqttEvent | None:
        """Return the first event of ``kinds`` from ``since`` on, or the end of the connection.

        None: neither came in ``timeout`` seconds. None among ``kinds`` matches nothing.
        """
        device = self.device
        mark = device.mark()
        ended = next((event for event in device.events(self.mark) if event.kind is MqttEventKind.CLOSED), None)
        if ended is not None:
            return ended
        self.mark = mark  # events that were looked at need not be looked at again
        wanted = (*kinds, MqttEventKind.CLOSED)
        return device.wait(lambda event: event.kind in wanted, since=since, timeout=timeout)

    def acknowledgements(self, wanted: int, mark: int, timeout: float) -> bool:
        """Wait for ``wanted`` PUBACKs since ``mark``, or for the end of the connection.

        False: neither came in ``timeout`` seconds.
        """
        device = self.device

        def enough(event: MqttEvent) -> bool:
            return event.kind is MqttEventKind.CLOSED or acknowledged(device, mark) >= wanted

        return not wanted or device.wait(enough, since=mark, timeout=timeout) is not None


def acknowledged(device: MqttDriver, mark: int) -> int:
    """Return how many PUBACKs came since ``mark``."""
    return sum(event.kind is MqttEventKind.PUBACK for event in device.events(mark))
