"""The services behind the broker's topics: shadows, jobs, stored messages.

Facts: AWS IoT Core Developer Guide, "Device Shadow MQTT topics" (answers are ordinary publications).
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any

from harness.virtual.cloud.broker.interfaces import Journal, Publisher
from harness.virtual.cloud.formats import now_utc
from harness.virtual.cloud.services import shadow as core
from harness.virtual.cloud.services import shadow_topics
from harness.virtual.cloud.services.fota import FotaJobs
from harness.virtual.cloud.services.jobs import JobsService
from harness.virtual.cloud.services.messages import MessageStore
from harness.virtual.cloud.services.shadow import Shadow, ShadowRejected, ShadowRequest
from harness.virtual.cloud.services.shadow_topics import Publications, ShadowCall


class CloudServices:
    """The Services of :mod:`harness.virtual.cloud.broker.interfaces`.

    ``messages``: the store. ``journal``: gets what is done. ``now``: the clock.
    ``thing_exists``: tells whether a thing may have a shadow. ``later``: runs a call after the broker has dealt with
    the current packet (``loop.call_soon``), so that a request is acknowledged before it is answered. ``changed``:
    called with the name of each thing whose shadow changes. ``fota``: the team's firmware updates.
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
        fota: FotaJobs | None = None,
    ) -> None:
        self._jobs = JobsService(fota or FotaJobs(now), messages.prefix, journal=journal, later=later, now=now)
        self._messages = messages
        self._thing_exists = thing_exists
        self._journal = journal
        self._later = later
        self._now = now
        self._changed = changed
        self._publisher: Publisher | None = None
        self._shadows: dict[str, Shadow] = {}

    def attach(self, publisher: Publisher) -> None:
        """Set the broker that sends the answers. Before that they are lost."""
        self._publisher = publisher
        self._jobs.attach(publisher)

    def on_publish(self, client_id: str, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        """Take an accepted PUBLISH: store it, or answer it a moment later.

        ``client_id``: the sender's. ``topic``, ``payload``, ``qos``, ``retain``: of the packet.
        """
        if self._messages.add(client_id, topic, payload, self._now()):
            return
        call = shadow_topics.parse_topic(topic)
        if call:
            self._later(lambda: self._answer_shadow(call, payload))
            return
        answer = self._jobs.answer_to(client_id, topic, payload)
        if answer:
            self._later(answer)

    def on_subscribe(self, client_id: str, topic_filter: str, qos: int) -> None:
        """If a device has subscribed to its firmware updates, send it the one that waits.

        ``client_id``: the subscriber's. ``topic_filter``, ``qos``: of its subscription.
        """
        self._later(lambda: self._jobs.greet(client_id, topic_filter, qos))

    def publish_for_device(self, topic: str, payload: bytes, device_id: str) -> int:
        """Publish on a device's behalf, as the REST API does. The message is stored like the device's own ones.

        ``topic``, ``payload``: of the message. ``device_id``: the device's.
        """
        self._messages.add(device_id, topic, payload, self._now())
        return self._publish(topic, payload)

    def shadow(self, name: str) -> Shadow:
        """Return the shadow of the thing ``name``. If there is none, its ``state`` is None."""
        return self._shadows.get(name, Shadow())

    def update_shadow(self, name: str, request: ShadowRequest) -> None:
        """Apply an update and publish its results. Raises :class:`ShadowRejected`."""
        updated = core.update(self.shadow(name), request, self._seconds())
        self._keep_shadow(name, updated.shadow)
        self._journal.write("shadow_update", thing=name, version=updated.shadow.version, sections=list(request.state))
        self._publish_all(shadow_topics.answer_update(name, request, updated))

    def report(self, name: str, reported: dict[str, Any]) -> None:
        """Change the reported state without publishing, as nRF Cloud itself does. Ignores an unknown thing."""
        if not self._thing_exists(name):
            return
        with suppress(ShadowRejected):  # no room is left: the device's own state is more important
            updated = core.update(self.shadow(name), ShadowRequest({"reported": reported}), self._seconds())
            self._keep_shadow(name, updated.shadow)

    def forget_shadow(self, name: str) -> None:
        """Forget the shadow of a deleted thing."""
        if self._shadows.pop(name, None):
            self._changed(name)

    def snapshot(self, name: str) -> dict[str, Any] | None:
        """Return the shadow of the thing ``name``; see :class:`harness.virtual.cloud.registry.state_keeper.Part`."""
        return asdict(self._shadows[name]) if name in self._shadows else None

    def restore(self, name: str, content: dict[str, Any]) -> None:
        """Restore a :meth:`snapshot`, without publishing."""
        self._shadows[name] = Shadow(**content)

    def _keep_shadow(self, name: str, shadow: Shadow) -> None:
        self._shadows[name] = shadow
        self._changed(name)

    def _answer_shadow(self, call: ShadowCall, payload: bytes) -> None:
        name = call.thing
        try:
            if not self._thing_exists(name):
                raise ShadowRejected(404, "Thing not found")
            if call.action == "update":
                self.update_shadow(name, core.parse_update(payload))
            elif call.action == "delete":
                remains, document = core.delete(self.shadow(name), core.parse_plain(payload), self._seconds())
                self._keep_shadow(name, remains)
                self._publish_all([(f"{call.aws}/accepted", document)])
            else:
                self._publish_all(shadow_topics.answer_get(call, self.shadow(name), payload, self._seconds()))
        except ShadowRejected as refusal:
            self._journal.write(
                "shadow_rejected", thing=name, action=call.action, code=refusal.code, reason=refusal.message
            )
            self._publish_all(shadow_topics.answer_refused(call, refusal, self._seconds()))

    def _publish_all(self, publications: Publications) -> None:
        for topic, document in publications:
            self._publish(topic, json.dumps(document, separators=(",", ":")).encode())

    def _publish(self, topic: str, payload: bytes) -> int:
        return self._publisher.publish(topic, payload) if self._publisher else 0

    def _seconds(self) -> int:
        return int(self._now().timestamp())
