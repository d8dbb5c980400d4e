"""What listens behind the broker's topics: shadows, jobs, stored messages.

Facts: AWS IoT Core Developer Guide, "Device Shadow MQTT topics" (answers are ordinary publications) and "Jobs" (answers
go to the requesting client only, subscribed or not); nRF Cloud MQTT topics ``<id>/shadow/get/accepted`` and
``<id>/shadow/update/delta`` (the same shadow without the AWS envelope, small enough for a modem).
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any, Protocol

from harness.virtual.cloud import shadow as core
from harness.virtual.cloud.formats import now_utc
from harness.virtual.cloud.interfaces import Journal
from harness.virtual.cloud.messages import MessageStore
from harness.virtual.cloud.shadow import Shadow, ShadowRejected, ShadowRequest

_SHADOW_TOPIC = re.compile(r"\$aws/things/([^/]+)/shadow/(get|update|delete)")
_JOBS_GET_TOPIC = re.compile(r"\$aws/things/([^/]+)/jobs/get")


class Publisher(Protocol):
    """The part of the broker that services speak through."""

    def publish(self, topic: str, payload: bytes, qos: int = 1) -> int:
        """Fan out to everyone who subscribed and may receive; return how many that were."""
        ...

    def send_to(self, client_id: str, topic: str, payload: bytes, qos: int = 1) -> bool:
        """Send to one connected client, subscribed or not."""
        ...


class CloudServices:
    """The Services of :mod:`harness.virtual.cloud.interfaces`.

    ``thing_exists``: tells which things may have a shadow. ``later``: runs a call after the broker is done with the
    packet at hand (``loop.call_soon``), so a request is acknowledged before it is answered. ``changed``: called with
    the name of each thing whose shadow was changed.
    """

    def __init__(
        self,
        messages: MessageStore,
        *,
        thing_exists: Callable[[str], bool],
        journal: Journal,
        later: Callable[[Callable[[], None]], object],
        now: Callable[[], datetime] = now_utc,
        changed: Callable[[str], object] = lambda name: None,
    ) -> None:
        self._messages = messages
        self._thing_exists = thing_exists
        self._journal = journal
        self._later = later
        self._now = now
        self._changed = changed
        self._publisher: Publisher | None = None
        self._shadows: dict[str, Shadow] = {}

    def attach(self, publisher: Publisher) -> None:
        """Name the broker that answers go through; until then they go nowhere."""
        self._publisher = publisher

    def on_publish(self, client_id: str, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        """Take one accepted PUBLISH: store it, or answer it in a moment."""
        if self._messages.add(client_id, topic, payload, self._now()):
            return
        request = _SHADOW_TOPIC.fullmatch(topic)
        if request:
            self._later(lambda: self._answer_shadow(request[1], request[2], payload))
        request_jobs = _JOBS_GET_TOPIC.fullmatch(topic)
        if request_jobs:
            self._later(lambda: self._answer_jobs(client_id, request_jobs[1], payload))

    def publish_for_device(self, topic: str, payload: bytes, device_id: str) -> int:
        """Publish on a device's behalf, as the REST API does; stored like the device's own message."""
        self._messages.add(device_id, topic, payload, self._now())
        return self._publish(topic, payload)

    def shadow(self, name: str) -> Shadow:
        """Return the shadow of the thing ``name``; its ``state`` is None when there is none."""
        return self._shadows.get(name, Shadow())

    def update_shadow(self, name: str, request: ShadowRequest) -> None:
        """Apply an update and publish what follows from it. Raises :class:`ShadowRejected`."""
        updated = core.update(self.shadow(name), request, self._seconds())
        self._keep_shadow(name, updated.shadow)
        self._journal.write("shadow_update", thing=name, version=updated.shadow.version, sections=list(request.state))
        prefix = f"$aws/things/{name}/shadow/update"
        self._publish_json(f"{prefix}/accepted", updated.accepted)
        self._publish_json(f"{prefix}/documents", updated.documents)
        if updated.delta:
            self._publish_json(f"{prefix}/delta", updated.delta)
            if "desired" in request.state:
                self._publish_json(f"{name}/shadow/update/delta", {"state": updated.delta["state"]})

    def forget_shadow(self, name: str) -> None:
        """Drop the shadow of a thing that is no more."""
        if self._shadows.pop(name, None):
            self._changed(name)

    def snapshot(self, name: str) -> dict[str, Any] | None:
        """Return the shadow of the thing ``name``; see :class:`harness.virtual.cloud.state_keeper.Part`."""
        return asdict(self._shadows[name]) if name in self._shadows else None

    def restore(self, name: str, content: dict[str, Any]) -> None:
        """Take back a :meth:`snapshot`; nothing is published."""
        self._shadows[name] = Shadow(**content)

    def _keep_shadow(self, name: str, shadow: Shadow) -> None:
        self._shadows[name] = shadow
        self._changed(name)

    def _answer_shadow(self, name: str, action: str, payload: bytes) -> None:
        prefix = f"$aws/things/{name}/shadow/{action}"
        try:
            if not self._thing_exists(name):
                raise ShadowRejected(404, f"No shadow exists with name: '{name}'")
            if action == "update":
                self.update_shadow(name, core.parse_update(payload))
            elif action == "get":
                self._publish_json(
                    f"{prefix}/accepted", core.get(self.shadow(name), core.parse_plain(payload), self._seconds())
                )
                self._publish_json(f"{name}/shadow/get/accepted", self.shadow(name).state or {})
            else:
                remains, document = core.delete(self.shadow(name), core.parse_plain(payload), self._seconds())
                self._keep_shadow(name, remains)
                self._publish_json(f"{prefix}/accepted", document)
        except ShadowRejected as refusal:
            self._journal.write("shadow_rejected", thing=name, action=action, code=refusal.code, reason=refusal.message)
            self._publish_json(f"{prefix}/rejected", refusal.document(self._seconds()))

    def _answer_jobs(self, client_id: str, name: str, payload: bytes) -> None:
        answer: dict[str, Any] = {"timestamp": self._seconds(), "inProgressJobs": [], "queuedJobs": []}
        try:
            token = core.parse_plain(payload).client_token
        except ShadowRejected:
            token = None  # an unreadable request has no token to echo; there is still nothing to do for the device
        if token is not None:
            answer["clientToken"] = token
        if self._publisher:
            self._publisher.send_to(client_id, f"$aws/things/{name}/jobs/get/accepted", _encode(answer))

    def _publish_json(self, topic: str, document: dict[str, Any]) -> None:
        self._publish(topic, _encode(document))

    def _publish(self, topic: str, payload: bytes) -> int:
        return self._publisher.publish(topic, payload) if self._publisher else 0

    def _seconds(self) -> int:
        return int(self._now().timestamp())


def _encode(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
