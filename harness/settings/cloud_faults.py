"""What can happen to a running local cloud: one frozen model each, sent as a command (see commands.py).

``client_id`` is that of a device, or ``observer``: the team's MQTT devices, whatever their client ids are.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from harness.settings.board_faults import Times
from harness.settings.cloud import CloseStyle, Identity
from harness.settings.model import Seconds, Settings

Chance = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


class CloseConnection(Settings):
    """End an MQTT connection. ``style``: how, as in ``close_style``."""

    command: Literal["close-connection"] = "close-connection"
    client_id: str
    style: CloseStyle = "notify"


class StopBroker(Settings):
    """End every MQTT connection and stop listening; sessions, things and REST stay."""

    command: Literal["stop-broker"] = "stop-broker"


class StartBroker(Settings):
    """Listen again, on the same port."""

    command: Literal["start-broker"] = "start-broker"


class RestartBroker(Settings):
    """End every MQTT connection, and listen again after ``seconds``, on the same port."""

    command: Literal["restart-broker"] = "restart-broker"
    seconds: Seconds = 0.0


class TrustIdentity(Settings):
    """Let a board of another process be claimed: its device UUID and identity key, ``UUID=HEX``."""

    command: Literal["trust-identity"] = "trust-identity"
    identity: Identity


class ChangeBroker(Settings):
    """Change the broker's behaviour from now on: settings of the cloud by name, e.g. ``{"close_delay": 2.5}``.

    Answer: ``settings``, what they were. Only those that can change while it runs; limits hold for new connections.
    """

    command: Literal["change-broker"] = "change-broker"
    settings: dict[str, Any]


class DuplicateClient(Settings):
    """A second client has the same id. It connects now, and again ``backoff`` seconds after each time it was ended.

    ``times``: how often it connects; None: until ``stop-duplicate``.
    """

    command: Literal["duplicate-client"] = "duplicate-client"
    client_id: str
    backoff: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    times: Times | None = None


class StopDuplicate(Settings):
    """The second client goes away."""

    command: Literal["stop-duplicate"] = "stop-duplicate"
    client_id: str


class RefuseHandshakes(Settings):
    """Refuse the next ``count`` TLS handshakes at the broker: by an ``alert`` (its number), or by a plain close."""

    command: Literal["refuse-handshakes"] = "refuse-handshakes"
    count: Times = 1
    how: Literal["alert", "close"] = "alert"
    alert: Annotated[int, Field(ge=0, le=255)] = 80  # internal_error


class DeafenClient(Settings):
    """Lose messages to a client in silence: each with ``chance``, for ``seconds`` (None: until ``hear-client``)."""

    command: Literal["deafen-client"] = "deafen-client"
    client_id: str
    chance: Chance = 1.0
    seconds: Seconds | None = None
    seed: int = 0


class HearClient(Settings):
    """Messages reach the client again."""

    command: Literal["hear-client"] = "hear-client"
    client_id: str


class DisturbRest(Settings):
    """Disturb the next ``count`` REST requests whose path contains ``path``, with ``method`` (empty: any).

    ``how``: ``status`` answers ``status`` (429 with Retry-After: ``seconds``) in place of the answer; ``timeout`` keeps
    silent for ``seconds``; ``cut`` ends the connection in the middle of the answer, ``close`` before it. ``count``
    None: from now on. A new disturbance replaces the old one.
    """

    command: Literal["disturb-rest"] = "disturb-rest"
    how: Literal["status", "timeout", "cut", "close"] = "status"
    status: Annotated[int, Field(ge=400, le=599)] = 429
    path: str = ""
    method: Literal["", "GET", "POST", "PUT", "PATCH", "DELETE"] = ""
    count: Times | None = 1
    seconds: Seconds = 1.0


class ClearRest(Settings):
    """REST requests are answered as usual again."""

    command: Literal["clear-rest"] = "clear-rest"


CloudCommand = (
    CloseConnection
    | StopBroker
    | StartBroker
    | RestartBroker
    | TrustIdentity
    | ChangeBroker
    | DuplicateClient
    | StopDuplicate
    | RefuseHandshakes
    | DeafenClient
    | HearClient
    | DisturbRest
    | ClearRest
)
