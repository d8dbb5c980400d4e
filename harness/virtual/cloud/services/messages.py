"""Stores device messages, as ``GET /messages`` shows them: what is published below the team's ``m/`` topics.

Facts: nRF Cloud REST API, ListMessages - only messages below ``<prefix>m/`` are stored; the topic names the device;
``message`` is an object. UNCONFIRMED, chosen here: a topic without ``d/<device>`` belongs to the publishing client;
anything but a JSON object is shown as ``{"data": ...}``, as text if it is not JSON, as base64 if it is not UTF-8.
"""

import base64
import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from harness.virtual.cloud.formats import iso
from harness.virtual.cloud.services.json_tree import depth

_DEEPEST = 100  # levels of JSON; deeper JSON is listed as text, because it could not be written again
_DEVICE = re.compile(r"m/d/([^/]+)/")


@dataclass(frozen=True)
class StoredMessage:
    """A message. ``number``: grows with each message. ``topic``: the whole MQTT topic.

    ``content``: the published JSON, or text.
    """

    number: int
    tenant_id: str
    topic: str
    device_id: str
    received_at: datetime
    content: Any

    def item(self) -> dict[str, Any]:
        """Return the message as the API lists it."""
        return {
            "tenantId": self.tenant_id,
            "topic": self.topic,
            "deviceId": self.device_id,
            "receivedAt": iso(self.received_at),
            "message": self.content if isinstance(self.content, dict) else {"data": self.content},
        }


@dataclass(frozen=True)
class MessageQuery:
    """What to list; None: no restriction. ``start`` is inclusive, ``end`` exclusive."""

    device_id: str | None = None
    topic: str | None = None
    app_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None


class MessageStore:
    """The messages of the team ``tenant_id``. ``prefix``: of its topics, with the final slash.

    ``keep``: how many are kept, the newest ones. ``stored``: called with each message that is stored.
    """

    def __init__(
        self,
        prefix: str,
        tenant_id: str,
        *,
        keep: int = 5_000,
        stored: Callable[[StoredMessage], None] = lambda message: None,
    ) -> None:
        self.prefix = prefix
        self._tenant_id = tenant_id
        self._messages: deque[StoredMessage] = deque(maxlen=keep)
        self._count = 0
        self._stored = stored

    def add(self, client_id: str, topic: str, payload: bytes, received_at: datetime) -> StoredMessage | None:
        """Store a publication, if messages of its topic are stored.

        ``client_id``: the sender's. ``topic``, ``payload``: of the message. ``received_at``: time of receipt.
        """
        if not topic.startswith(self.prefix + "m/"):
            return None
        device = _DEVICE.match(topic, len(self.prefix))
        self._count += 1
        message = StoredMessage(
            number=self._count,
            tenant_id=self._tenant_id,
            topic=topic,
            device_id=device[1] if device else client_id,
            received_at=received_at,
            content=_content(payload),
        )
        self._messages.append(message)
        self._stored(message)
        return message

    def find(self, query: MessageQuery) -> Iterator[StoredMessage]:
        """Yield the messages that match, oldest first."""
        # Whether ``topic`` has the team's prefix is UNCONFIRMED, so both forms are accepted.
        topics = None if query.topic is None else {query.topic, self.prefix + query.topic}
        for message in self._messages:
            if (
                (query.device_id is None or message.device_id == query.device_id)
                and (topics is None or message.topic in topics)
                and (query.app_id is None or _app_id(message.content) == query.app_id)
                and (query.start is None or message.received_at >= query.start)
                and (query.end is None or message.received_at < query.end)
            ):
                yield message


def _content(payload: bytes) -> Any:
    try:
        content = json.loads(payload, parse_constant=_refuse_constant)
        if depth(content) <= _DEEPEST:
            return content
    except (ValueError, RecursionError):
        pass
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return base64.b64encode(payload).decode()


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _app_id(message: Any) -> Any:
    return message.get("appId") if isinstance(message, dict) else None
