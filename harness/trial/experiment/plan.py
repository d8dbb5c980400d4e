"""What an experiment asks the lab to do, and what the lab saw: the whole interface between rule and runner.

A plan is a few packets on one connection, in order. The runner does one step after the other, each only when the one
before was answered, and stops at the first that ends the connection. It decides nothing.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Do(StrEnum):
    """One step of a plan."""

    BASELINE = "baseline"  # the allowed action: acknowledged, and its message seen to arrive
    SHAM = "sham"  # an allowed action of the action's shape: acknowledged
    ACTION = "action"  # the action; where no answer comes within the plan's patience, a fence is sent behind it
    FENCE = "fence"  # the allowed action: acknowledged
    EFFECT = "effect"  # look whether the action had its effect
    IDLE = "idle"  # nothing for ``seconds``
    FLIGHT = "flight"  # ``of`` messages at once, the action at ``place``; then let them settle
    RIGHT_LOGIN = "right login"  # an attempt with the right login (or token)
    WRONG_LOGIN = "wrong login"  # an attempt with the login in question
    PAUSE = "pause"  # nothing for ``seconds``, with no connection


class VoidedBy(StrEnum):
    """What made an observation worthless."""

    NETWORK = "network lost"  # the registration, the PDN connection or the device's address
    RESTART = "modem reset"  # the board restarted, or its modem failed
    OWN = "own disconnect"  # the connection was ended from this side
    LINE = "UART trouble"  # something else writes to the port, or bytes of a line were lost


class StepConnection(StrEnum):
    """Which connection a plan's steps run on."""

    CLEAN = "clean"  # a new one, or one that has carried nothing but baselines so far
    NEW = "new"  # a new one
    SAME = "same"  # the one of the plan before
    NONE = "none"  # attempts make their own


@dataclass(frozen=True, slots=True)
class Step:
    """``action``: which action of a group. ``seconds``: of IDLE and PAUSE. ``place``, ``of``: of a FLIGHT.

    ``chased``: of SHAM and ACTION: an UNSUBSCRIBE is sent right behind, without waiting for the answer. The step is
    over when both are answered. What has no answer of its own (QoS 0) is not chased: a fence goes out behind it anyway.
    """

    do: Do
    seconds: float = 0.0
    action: int = 0
    place: int = 0
    of: int = 0
    chased: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """``name``: for the timeline. ``patience``: seconds without an answer until a fence goes out behind an action."""

    name: str
    connection: StepConnection
    steps: tuple[Step, ...]
    patience: float

    def as_data(self) -> dict[str, Any]:
        """Return it ready for JSON: ``plan``, ``connection``, ``patience``, ``steps`` (without what is 0)."""
        # asdict() copies each value deeply, which took a twelfth of an experiment's processor time.
        steps = [{name: value for name in Step.__slots__ if (value := getattr(step, name))} for step in self.steps]
        return {"plan": self.name, "connection": self.connection.value, "patience": self.patience, "steps": steps}


class Saw(StrEnum):
    """How a step ended."""

    ANSWERED = "answered"  # acknowledged (a baseline: and seen); an effect: seen; idle: quiet; a login: accepted
    REFUSED = "refused"  # an answer that says no, which a cut cannot forge: SUBACK 0x80, CONNACK 2/4/5, 401, TLS alert
    CLOSED = "closed"  # the connection ended
    SILENT = "silent"  # the action was not answered, the fence behind it was
    PASSED = "passed"  # the action was not answered, the UNSUBSCRIBE behind it was, and then the connection ended
    NOTHING = "nothing"  # neither an answer nor an end within all patience; or the board refused to send it
    UNSEEN = "unseen"  # acknowledged, but not seen; an effect: none, although there could have been one
    UNKNOWN = "unknown"  # an effect: nobody could look
    LATER = "later"  # "try later": HTTP 429, 5xx


@dataclass(frozen=True, slots=True)
class Done:
    """``seconds``: from the step's beginning to what ended it. ``line``: those of them that the serial line took."""

    saw: Saw
    seconds: float
    line: float = 0.0


@dataclass(frozen=True, slots=True)
class Observation:
    """What came of a plan.

    ``done``: one entry for each step that began; empty where the connection did not come up.
    ``seconds``: what the plan took, with connecting, and with the questions behind an end. ``connecting``: what a
    connection that was opened for it took to be made and set up, without the wait for its turn.
    ``age``, ``packets``: of the connection, at its end.
    ``as_remote``: a hang-up had an errno by which the other side's closing shows, and the modem stayed registered.
    ``reached``: whether an action that was hung up on arrived anywhere; None: nobody could look.
    ``missing``: messages of a FLIGHT that did not arrive; ``action_missing``: the action's is one of them; ``sent``:
    it is shown that the action's message was sent (a subscription's trigger).
    ``unheard``: the last step was an allowed packet without an answer, and what was sent behind it was answered.
    ``opened``: a connection was made for it, rather than kept from the plan before.
    ``void``: the line that makes the observation worthless, "" for none; ``voided_by``: what it shows.
    ``baseline``: the allowed action that worked on the connection; ``effect``: how the action's effect was looked for;
    ``error``: why the connection did not come up; all in words, for the evidence alone.
    """

    done: tuple[Done, ...]
    seconds: float = 0.0
    age: float = 0.0
    packets: int = 0
    as_remote: bool = True
    reached: bool | None = None
    missing: int = 0
    action_missing: bool = False
    sent: bool = True
    unheard: bool = False
    void: str = ""
    voided_by: VoidedBy = VoidedBy.NETWORK
    opened: bool = True
    connecting: float = 0.0
    baseline: str = ""
    effect: str = ""
    error: str = ""

    @property
    def connected(self) -> bool:
        """True when the connection came up."""
        return bool(self.done)

    @property
    def closed(self) -> bool:
        """True when the connection ended during the plan."""
        return bool(self.done) and self.done[-1].saw in (Saw.CLOSED, Saw.PASSED)

    @property
    def all_answered(self) -> bool:
        """True when every step that began was answered, and nothing makes that worthless."""
        return self.connected and not self.void and all(done.saw is Saw.ANSWERED for done in self.done)


@dataclass(frozen=True, slots=True)
class Stop:
    """The experiment is over: see its result."""
