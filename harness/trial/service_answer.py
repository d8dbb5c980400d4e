"""How a service of the cloud answers a request that a device publishes."""

from typing import NamedTuple

from harness.firmware import MqttEvent, MqttEventKind


class ServiceAnswer(NamedTuple):
    """How a request is put, ``%NONCE%`` for what comes back, and where its answer shows.

    ``listen``: topic filter to subscribe to before; None: it comes without. ``below``: the beginning of its topic.
    ``quotes``: it carries the nonce.
    """

    payload: bytes
    listen: str | None
    below: str
    quotes: bool = True

    def shown_by(self, event: MqttEvent, nonce: str) -> bool:
        """Tell whether an event is the answer to the request with ``nonce``."""
        if event.kind is not MqttEventKind.MESSAGE or not event.topic.startswith(self.below):
            return False
        return not self.quotes or nonce.encode() in event.payload
