"""A message that the observer saw, and its form on the timeline."""

import base64
from dataclasses import dataclass
from typing import Any, Self

from harness.redact import SECRETS
from harness.timeline import Event, Kind

_SHOWN = 120  # characters of a payload in an event's text


@dataclass(frozen=True, slots=True)
class ObservedMessage:
    """One PUBLISH as delivered to the observer. ``t``: seconds of ``time.monotonic()``; ``seq``: of its event."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    t: float
    seq: int

    @classmethod
    def of(cls, event: Event) -> Self | None:
        """Return the message that an event holds, or None if the event is something else."""
        data = event.data
        if event.kind is not Kind.CLOUD or "topic" not in data:
            return None
        packed = data.get("payload_b64")
        payload = data["payload"].encode() if packed is None else base64.b64decode(packed)
        return cls(data["topic"], payload, data["qos"], data["retain"], event.t, event.seq)

    @staticmethod
    def draft(topic: str, payload: bytes, qos: int, retain: bool) -> tuple[str, dict[str, Any]]:
        """Return the (text, data) of the event for a message. Payloads that are no UTF-8 are kept in base64."""
        data: dict[str, Any] = {"topic": topic, "qos": qos, "retain": retain}
        try:
            text = SECRETS.scrub(payload.decode())
        except UnicodeDecodeError:
            data["payload_b64"] = base64.b64encode(payload).decode()
            return f"{topic}: {len(payload)} bytes", data
        data["payload"] = text
        return f"{topic}: {text if len(text) <= _SHOWN else text[:_SHOWN] + '…'}", data
