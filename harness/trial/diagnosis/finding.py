"""What a diagnoser says."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Cause(StrEnum):
    """Why an MQTT connection ended, or never began."""

    POLICY = "policy"
    DUPLICATE_CLIENT = "duplicate client id"
    KEEP_ALIVE = "keep-alive"
    CLOUD_AWAY = "cloud went away"
    THROTTLED = "throttled"
    CONNECTION_LIMIT = "middlebox or connection limit"
    NETWORK_LOST = "network lost"
    MODEM_FAULT = "modem reset or fault"
    OWN_DISCONNECT = "own disconnect"
    INBOUND_TOO_LARGE = "inbound too large"
    UART_TROUBLE = "UART trouble"
    CREDENTIAL_REFUSED = "credential refused"
    MISUSE = "harness misuse"
    INCONCLUSIVE = "inconclusive"


class Weight(IntEnum):
    """How much a finding counts. Two weaker ones never make a stronger one."""

    POSSIBLE = 1  # fits what was seen, and so do other causes
    LIKELY = 2  # a mark that few other causes leave
    CERTAIN = 3  # a line or a proof that says it


@dataclass(frozen=True, slots=True)
class Finding:
    """``text``: one sentence, for the evidence. ``refs``: numbers of the events that it rests on, first one first."""

    cause: Cause
    weight: Weight
    text: str
    refs: tuple[int, ...] = ()
