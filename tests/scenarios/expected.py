"""What a scenario takes for granted, asked of the documents of the board's cloud before it begins.

A scenario is about one action that the documents allow or refuse, and rests on others that they allow. If the documents
of the cloud say otherwise, the scenario can show nothing: it is skipped, and their ruling is the reason.
"""

from __future__ import annotations

from typing import NoReturn

import pytest

from harness.policy import Ruling
from harness.policy.derivation.case import Request, Verb
from harness.policy.evaluation.expectations import Expectations
from harness.policy.evaluation.membership import Membership, Names
from harness.run import Board


def connect(client_id: str) -> Request:
    return Request(Verb.CONNECT, client_id)


def publish(topic: str, *, retain: bool = False) -> Request:
    return Request(Verb.PUBLISH, topic, retain=retain)


def subscribe(topic_filter: str) -> Request:
    return Request(Verb.SUBSCRIBE, topic_filter)


def hear(topic: str) -> Request:
    """Subscribe to exactly this topic and have a message on it delivered."""
    return Request(Verb.RECEIVE, topic)


def expectations_of(board: Board, device_id: str, membership: Membership = Membership.ASSOCIATED) -> Expectations:
    """What the documents say of another device of the board's team."""
    names, cloud = board.device.names, board.cloud
    return Expectations(
        cloud.documents, Names(device_id, names.device_id, names.tenant_id, names.other_tenant_id), membership
    )


def allowed(documents: Board | Expectations, *requests: Request) -> None:
    """Skip the test unless the documents allow all of this; for a board: to its device with its membership."""
    for request in requests:
        ruling = _deciding(documents, request)
        if not ruling.allowed:
            _skip(ruling)


def forbidden(documents: Board | Expectations, request: Request) -> None:
    """Skip the test unless the documents let the device connect and refuse it this."""
    ruling = _deciding(documents, request)
    if ruling.allowed or (ruling.action == "iot:Connect" and request.verb is not Verb.CONNECT):
        _skip(ruling)


def allows(documents: Board | Expectations, request: Request) -> bool:
    """Tell whether the documents allow this; skip the test if they do not say."""
    return _deciding(documents, request).allowed


def _deciding(documents: Board | Expectations, request: Request) -> Ruling:
    expectations = documents if isinstance(documents, Expectations) else documents.device.expectations
    doubt = expectations.doubt(request)
    if doubt is not None:
        pytest.skip(f"what the documents of this cloud say {doubt}")
    return expectations.rulings(request)[-1]


def _skip(ruling: Ruling) -> NoReturn:
    pytest.skip(f"not what the documents of this cloud say: {ruling.explain()}")
