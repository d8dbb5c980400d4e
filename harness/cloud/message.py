"""A message that the observer received, and its form on the timeline."""

from dataclasses import dataclass
from typing import Any, Self

from harness.timeline import Event, Kind, packed, unpacked
from harness.timeline.payload import shown


@dataclass(frozen=True, slots=True)
class ObservedMessage:
    """One PUBLISH that the observer received. ``t``: seconds of ``time.monotonic()``; ``seq``: of its event."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    t: float
    seq: int

    @classmethod
    def of(cls, event: Event) -> Self | None:
        """Return the message in an event, or None if the event is something else."""
        data = event.data
        if event.kind is not Kind.CLOUD or "topic" not in data:
            return None
        return cls(data["topic"], unpacked(data), data["qos"], data["retain"], event.t, event.seq)

    @staticmethod
    def draft(topic: str, payload: bytes, qos: int, retain: bool) -> tuple[str, dict[str, Any]]:
        """Return the (text, data) of the event for a message. The payload's fields: :func:`harness.timeline.packed`.

        ``topic``, ``payload``, ``qos``, ``retain``: of the PUBLISH.
        """
        content = packed(payload)
        return f"{topic}: {shown(content)}", {"topic": topic, "qos": qos, "retain": retain, **content}
