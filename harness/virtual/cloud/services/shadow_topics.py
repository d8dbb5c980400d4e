"""The topics and answers of requests to a shadow. Pure functions: topics and bytes in and out.

Facts: AWS IoT Core Developer Guide, "Device Shadow MQTT topics"; nRF Cloud documentation, "nRF Cloud MQTT topics", and
nRF Connect SDK, nRF Cloud library (topics without ``$aws`` are nRF Cloud's own, with documents that a modem can take:
``<id>/shadow/update`` works like AWS's, ``get/rejected`` and ``update/delta/full`` are copies of AWS's documents,
``update/delta/trim`` is without metadata). Which of them firmware uses depends on its age, so all are answered.
UNCONFIRMED: that ``get/accepted`` and ``get/accepted/trim`` hold the whole state, and that ``update/delta`` follows
changes of the desired state only.
"""

import re
from dataclasses import dataclass
from typing import Any

from harness.virtual.cloud.services import shadow as core
from harness.virtual.cloud.services import shadow_transform
from harness.virtual.cloud.services.shadow import Shadow, ShadowRejected, ShadowRequest, Updated
from harness.virtual.cloud.services.shadow_transform import TransformRefused

Tree = dict[str, Any]
Publications = list[tuple[str, Tree]]

_AWS = re.compile(r"\$aws/things/([^/]+)/shadow/(get|update|delete)")
_OWN = re.compile(r"([^/$][^/]*)/shadow/(update|get/trim|get/tf)")


@dataclass(frozen=True)
class ShadowCall:
    """A request to the shadow of ``thing``. ``action``: get, update, delete, or nRF Cloud's own get/trim and get/tf."""

    thing: str
    action: str

    @property
    def aws(self) -> str:
        """The beginning of AWS's topics for the answers."""
        return f"{_aws(self.thing)}/{self.action}"


def parse_topic(topic: str) -> ShadowCall | None:
    """Return the request of a publication on ``topic``, or None if it is not one."""
    match = _AWS.fullmatch(topic) or _OWN.fullmatch(topic)
    return ShadowCall(match[1], match[2]) if match else None


def answer_get(call: ShadowCall, shadow: Shadow, payload: bytes, now: int) -> Publications:
    """Return the answers to one of the three kinds of get. Raises :class:`ShadowRejected`.

    ``call``: thing and action. ``shadow``: the present one. ``payload``: of the request. ``now``: seconds since 1970.
    """
    own = f"{call.thing}/shadow/get/accepted"
    if call.action == "get/tf":
        document = core.get(shadow, ShadowRequest(), now)
        try:
            return [(f"{own}/tf", shadow_transform.answer(payload, document))]
        except TransformRefused as refusal:
            return [(f"{own}/tf", refusal.document())]
    document = core.get(shadow, core.parse_plain(payload), now)
    if call.action == "get/trim":
        return [(f"{own}/trim", shadow.state or {})]
    return [(f"{call.aws}/accepted", document), (own, shadow.state or {})]


def answer_update(thing: str, request: ShadowRequest, updated: Updated) -> Publications:
    """Return the messages after an accepted update.

    ``thing``: the shadow's. ``request``: the update. ``updated``: its result.
    """
    aws, own = f"{_aws(thing)}/update", f"{thing}/shadow/update/delta"
    publications = [(f"{aws}/accepted", updated.accepted), (f"{aws}/documents", updated.documents)]
    delta = updated.delta
    if delta is None:
        return publications
    trimmed = {name: value for name, value in delta.items() if name != "metadata"}
    publications += [(f"{aws}/delta", delta), (f"{own}/full", delta), (f"{own}/trim", trimmed)]
    if "desired" in request.state:
        publications.append((own, {"state": delta["state"]}))
    return publications


def answer_refused(call: ShadowCall, refusal: ShadowRejected, now: int) -> Publications:
    """Return the messages of a refusal: on AWS's topic, and for every kind of get on nRF Cloud's own topic too.

    ``call``: thing and action. ``refusal``: the reason. ``now``: seconds since 1970.
    """
    document = refusal.document(now)
    publications = [] if call.action in ("get/trim", "get/tf") else [(f"{call.aws}/rejected", document)]
    if call.action.startswith("get"):
        publications.append((f"{call.thing}/shadow/get/rejected", document))
    return publications


def _aws(thing: str) -> str:
    return f"$aws/things/{thing}/shadow"
