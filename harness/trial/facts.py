"""What a verdict rests on, whatever was tried: a packet on a connection, a CONNECT, or a REST call."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from harness.trial.phases import TroubleSource


class Sort(StrEnum):
    """What an action is, and so which facts there are."""

    PACKET = "packet"  # PUBLISH or SUBSCRIBE among allowed ones
    GROUP = "group"  # several of them on one connection, all expected to be allowed
    CONNECT = "connect"  # another login, or other circumstances, by turns with the right ones
    OWN_CONNECT = "own connect"  # the right login
    FIRMWARE = "own connection"  # the firmware's: watched, and provoked by turns with leaving it alone
    NRF_CLOUD = "nrf cloud"  # the same by #XNRFCLOUD: its message, by turns with one on its own topic
    CALL = "call"  # REST, with a token in question by turns with the right one; or a call that is right


_UNAVAILABLE: Final = 3


class Stage(StrEnum):
    """How far a connection attempt came."""

    NO_SESSION = "no TLS session"
    NO_CONNACK = "closed instead of a CONNACK"  # by the other side, as its errno shows
    LOST = "lost before a CONNACK"  # it ended in another way: ETIMEDOUT, say, which is the network's
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

    @property
    def busy(self) -> bool:
        """CONNACK 3: the server is not available, which is no refusal of the login [MQTT-3.2.2.3]."""
        return self.stage is Stage.REFUSED and self.detail.endswith(f" {_UNAVAILABLE}")

    @property
    def refused_in_words(self) -> bool:
        """CONNACK says no: a cut cannot forge that."""
        return self.stage is Stage.REFUSED and not self.busy

    def __str__(self) -> str:
        return f"{self.stage} ({self.detail})" if self.detail else str(self.stage)


@dataclass(frozen=True, slots=True)
class Control:
    """One run of the allowed action that frames a trial. ``seconds``: from sending to being seen.

    ``chased``: an UNSUBSCRIBE was sent behind it, because its answer did not come soon.
    """

    acked: bool
    seen: bool
    seconds: float
    detail: str = ""
    chased: bool = False

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
    """How a REST call was answered. ``said``: status, nRF Cloud's code and its message.

    ``in_words``: it has a number of nRF Cloud's: something in between has none.
    """

    status: int
    authorised: bool
    said: str
    in_words: bool = False


@dataclass(frozen=True, slots=True)
class OwnResult:
    """What became of a firmware's own connection that was not provoked. ``end``: the LogClass, empty: nothing says."""

    connected: bool
    end: str
    said: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """What kept an attempt from being proved, and where it came from."""

    party: TroubleSource
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an attempt beside its experiment. ``None`` means that nobody looked, or nobody could."""

    action: str
    control: str = ""
    network_loss: str | None = None  # own connect: the line, or the command of the harness, that shows it
    registered: str | None = None  # own connect: how the modem answered +CEREG? afterwards, None: it was not registered
    restarted: str | None = None  # own connect: the line by which the board showed it, since the first try
    restarted_earlier: str | None = None  # the same, since the attempt began
    remembers: bool = False  # the modem had kept its settings, when something had said that it restarted
    policy: str = ""  # what the policy documents say of the action
    sort: Sort = Sort.PACKET
    tries: tuple[Attempt, ...] = ()  # own connect: how far each came
    difference: str = ""  # CONNECT: what differs from the right one
    answers: tuple[Reply, ...] = ()  # REST, of a call that is right
    own: tuple[OwnResult, ...] = ()  # own connection that was not provoked: each reconnect
    trouble: Trouble | None = None  # what ended the attempt
    dead: Trouble | None = None  # what was found when nothing had been proved: a process or a port is gone
    refs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # by a fact's name: the events that show it

    def refs_of(self, *names: str) -> tuple[int, ...]:
        """Return the events that show these facts."""
        return tuple(sorted({seq for name in names for seq in self.refs.get(name, ())}))

    @property
    def refused_twice(self) -> bool:
        """The right login was refused twice, in words, and nothing but the cloud can be to blame."""
        quiet = self.registered is not None and not self.network_loss and not self.restarted
        return quiet and len(self.tries) == 2 and all(attempt.refused_in_words for attempt in self.tries)

    @property
    def closed_twice(self) -> bool:
        """The right login was hung up on twice, and nothing tells whether the cloud did it."""
        return len(self.tries) == 2 and all(attempt.refused for attempt in self.tries) and not self.refused_twice

    def as_data(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        return asdict(self)
