"""What a verdict rests on, whatever was tried: a packet on a connection, a CONNECT, or a REST call."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from harness.trial.phases import TroubleSource


class Sort(StrEnum):
    """What an action is, and so which facts there are."""

    PACKET = "packet"  # PUBLISH or SUBSCRIBE on a connection that an allowed action frames
    CONNECT = "connect"  # another login, or other circumstances, between two connections with the right ones
    OWN_CONNECT = "own connect"  # the right login
    CALL = "call"  # REST, between two granted calls


class Stage(StrEnum):
    """How far a connection attempt came."""

    NO_SESSION = "no TLS session"
    NO_CONNACK = "closed instead of a CONNACK"
    REFUSED = "CONNACK with a refusal"
    SILENT = "no answer to CONNECT"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to connect. ``seconds``: from the request to its end."""

    stage: Stage
    detail: str
    seconds: float

    @property
    def refused(self) -> bool:
        """TLS came up, and CONNECT was refused."""
        return self.stage in (Stage.NO_CONNACK, Stage.REFUSED)

    def __str__(self) -> str:
        return f"{self.stage} ({self.detail})" if self.detail else str(self.stage)


@dataclass(frozen=True, slots=True)
class Control:
    """One run of the allowed action that frames a trial. ``seconds``: from sending to being seen."""

    acked: bool
    seen: bool
    seconds: float
    detail: str = ""

    @property
    def ok(self) -> bool:
        """True when it was acknowledged and its message arrived where it should."""
        return self.acked and self.seen


@dataclass(frozen=True, slots=True)
class ActionEffect:
    """Whether an action's effect was seen (None: nobody could look), and how, in words.

    ``message_sent``: if it was not seen: was there a message that could have had the effect?
    """

    seen: bool | None = None
    detail: str = ""
    message_sent: bool | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """How a REST call was answered. ``said``: status, nRF Cloud's code and its message."""

    status: int
    authorised: bool
    said: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """What kept an attempt from being proved, and where it came from."""

    party: TroubleSource
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a verdict rests on. ``None`` means that nobody looked, or nobody could."""

    action: str
    control: str = ""
    baseline: Control | None = None
    sent: bool = True
    fence: Control | None = None
    hang_up: int | None = None  # the device's errno, positive; 0: it was asked to end the connection
    hang_up_after: float = 0.0  # seconds from the action
    network_loss: str | None = None  # the +CEREG or +CGEV line that shows it
    registered: str | None = None  # how the modem answered +CEREG? afterwards, None: it was not registered
    restarted: str | None = None  # the line by which the board showed it, since the action
    restarted_earlier: str | None = None  # the same, since the attempt began
    reached: bool | None = None
    effect: bool | None = None  # subscribe: a message arrived; publish: it was seen where it belongs
    effect_detail: str = ""
    message_sent: bool | None = None  # where there was no effect: was there a message that could have had one?
    remembers: bool = False  # the modem had kept its settings, when something had said that it restarted
    garbled: str | None = None  # a line of the board, since the action, that could not be read
    reconnect_error: str | None = None
    after: Control | None = None
    policy: str = ""  # what the policy documents say of the action
    sort: Sort = Sort.PACKET
    tries: tuple[Attempt, ...] = ()  # CONNECT: how far each came
    difference: str = ""  # CONNECT: what differs from the right one
    answer: Reply | None = None  # REST
    answer_before: Reply | None = None  # REST: of the call with the right token; None: there was none
    answer_after: Reply | None = None
    trouble: Trouble | None = None  # what ended the attempt
    dead: Trouble | None = None  # what was found when nothing had been proved: a process or a port is gone
    refs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # by a fact's name: the events that show it

    @property
    def refused_twice(self) -> bool:
        """The right login was refused twice, and nothing but the cloud can be to blame."""
        quiet = self.registered is not None and not self.network_loss and not self.restarted
        return quiet and len(self.tries) == 2 and all(attempt.refused for attempt in self.tries)

    def as_data(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        return asdict(self)
