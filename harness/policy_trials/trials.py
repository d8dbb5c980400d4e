"""Derived policy cases, run as trials on a board.

How a case is proved: an allowed publish below the team's prefix is seen by the observer, a request to the shadow or the
jobs service is answered, an allowed subscription receives a message that is sent to it
(:mod:`harness.policy.derivation.delivery`). Everything else rests on the fence.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from harness.firmware import Capability, MqttEvent, MqttEventKind, Will
from harness.policy import PolicyDocument, PolicySet, Selection, readings, topic_arn, unknown_keys
from harness.policy.derivation.case import Case, Refusals, Verb, rule
from harness.policy.derivation.delivery import Source, TriggeredMessage, delivery, shows_sending
from harness.policy.derivation.survey import derive
from harness.policy.evaluation.expectations import Expectations
from harness.policy.evaluation.membership import (
    DEVICE,
    OTHER_DEVICE,
    OTHER_TENANT,
    TENANT,
    Membership,
    Names,
    in_force,
    principal_of,
)
from harness.policy.proof.selection import plan
from harness.policy_trials.answers import answer
from harness.run.board import Board
from harness.timeline import Kind
from harness.trial import (
    DesiredChanges,
    DeviceAsks,
    DeviceReports,
    DeviceSends,
    ObserverSends,
    Outcome,
    PacketAction,
    PublishAction,
    ServiceRequest,
    SubscribeAction,
    Trials,
    Trigger,
    Verdict,
    Witness,
)

MEMBERSHIPS = (Membership.PROVISIONED, Membership.ASSOCIATED, Membership.GATEWAY)
"""The memberships that a board can be brought to. nRF Cloud registers no device without a thing."""

MOST_UNPROVED = 3
"""A series ends after this number of trials in a row that prove nothing, because the lab has to be mended first."""

ANY_NAMES = Names(DEVICE, OTHER_DEVICE, TENANT, OTHER_TENANT)
"""Names for any device."""


def cases_for(documents: Sequence[PolicyDocument], *, full: bool) -> list[Case]:
    """Return the cases of a board, still for any device: :func:`concrete` puts in its names.

    ``full``: every derived case, also those that no trial can show; otherwise the smallest set that notices every
    single change to the documents, behind the device's own CONNECT.
    """
    selection = selection_for(tuple(documents))
    if not full:
        return own_connect_first(documents, selection.cases, ANY_NAMES)
    every = [case for membership in MEMBERSHIPS for case in derive(documents, membership, ANY_NAMES)]
    known = {case.id for case in every}
    return [*every, *(case for case in selection.cases if case.id not in known)]


@lru_cache(maxsize=8)
def selection_for(documents: tuple[PolicyDocument, ...]) -> Selection:
    """Return the smallest set of trials of these documents, for any device, with what it notices."""
    return plan(documents, ANY_NAMES, MEMBERSHIPS, fit=fit_for_trials(documents, ANY_NAMES))


def own_connect_first(documents: Sequence[PolicyDocument], cases: Sequence[Case], names: Names) -> list[Case]:
    """Return ``cases`` behind the device's own CONNECT.

    Every allowed trial needs that CONNECT, so the set could do without it. But if it is refused, the others prove
    nothing, and only the CONNECT itself says so.

    ``documents``: those expected of the cloud. ``names``: of the device.
    """
    membership = cases[0].membership if cases else MEMBERSHIPS[0]
    own = [case for case in derive(documents, membership, names) if case.template == DEVICE and _plain_connect(case)]
    return [*own, *(case for case in cases if case not in own)]


def _plain_connect(case: Case) -> bool:
    return case.request.verb is Verb.CONNECT and case.request.will is None and not case.request.persistent


def fit_for_trials(documents: Sequence[PolicyDocument], names: Names) -> Callable[[Case], bool]:
    """Return whether a trial can be made of a case (:func:`why_not`) on every board that connects.

    The smallest set has to fit all of them, so it holds no wills, which are a capability (``Capability.WILL``).
    """
    unknown = _Unknown.asked_by(documents)
    by_membership = {membership: Expectations(documents, names, membership) for membership in Membership}

    def fits(case: Case) -> bool:
        return case.request.will is None and _why_not(case, names, by_membership[case.membership], unknown) is None

    return fits


def why_not(case: Case, documents: Sequence[PolicyDocument], names: Names) -> str | None:
    """Return why no board can show what ``case`` says, or None.

    ``documents``: those expected of the cloud. ``names``: of the device.
    """
    return _why_not(case, names, Expectations(documents, names, case.membership), _Unknown.asked_by(documents))


class _Unknown(NamedTuple):
    """Unknown ``keys`` that documents ask for, and what they refuse if read to allow ``most`` and ``least``."""

    keys: list[str]
    most: Refusals
    least: Refusals

    @classmethod
    def asked_by(cls, documents: Sequence[PolicyDocument]) -> "_Unknown | None":
        keys = unknown_keys(documents)
        return cls(keys, *map(Refusals, readings(documents))) if keys else None


def _why_not(case: Case, names: Names, expectations: Expectations, unknown: _Unknown | None) -> str | None:
    if case.membership not in MEMBERSHIPS:
        return f"nRF Cloud offers no call that makes a device {case.membership}"
    if case.request.verb is Verb.RECEIVE:
        found = delivery(case.request, case.membership, names, expectations)
        if found is None:
            return f"the documents allow no message that could be sent to {case.request.name}"
        if expected(case) is Outcome.IGNORED and not shows_sending(found, case.membership):
            return f"nothing would show that a message was sent to {case.request.name}, where it may not be delivered"
    if unknown and unknown.most.of(case) != unknown.least.of(case):
        return f"what the documents say depends on {', '.join(unknown.keys)}, of which the harness knows nothing"
    return None


def as_shown(case: Case, documents: Sequence[PolicyDocument], names: Names) -> Case:
    """Return ``case`` with everything that its trial shows. A message on a subscription shows the delivery too.

    ``documents``: those expected of the cloud. ``names``: of the device.
    """
    if case.request.verb is not Verb.SUBSCRIBE or not case.allowed:
        return case
    found = delivery(case.request, case.membership, names, Expectations(documents, names, case.membership))
    if found is None:
        return case
    receive = ("iot:Receive", topic_arn(found.topic, region=names.region, account=names.account))
    return replace(case, checks=(*case.checks, receive))


def concrete(case: Case, documents: Sequence[PolicyDocument], names: Names) -> Case:
    """Return ``case`` with a device's own names in it, judged anew.

    ``documents``: those expected of the cloud. ``names``: of the device.
    """
    request, resolved = case.request, names.resolve(case.template)
    if request.will is not None:
        request = replace(request, name=names.device_id, will=resolved)
    else:
        request = replace(request, name=resolved)
    connecting = request.verb is Verb.CONNECT
    principal = principal_of(
        case.membership,
        names,
        client_id=request.name if connecting else None,
        will=request.will,
        persistent=request.persistent,
    )
    force = in_force(documents, case.membership, attached=not connecting or request.name == names.device_id)
    compiled = PolicySet(document for document in documents if document.name in force).compile(principal)
    checks = request.checks(names)
    ruling = rule(compiled, checks)
    return replace(case, request=request, principal=principal, documents=force, checks=checks, ruling=ruling)


def expected(case: Case) -> Outcome:
    """Return the outcome that the policies ask for."""
    return outcome_of_refusal(case, None if case.allowed else case.ruling.action)


def outcome_of_refusal(case: Case, action: str | None) -> Outcome:
    """Return the outcome of the trial of ``case`` if ``action`` is refused (None: nothing is refused)."""
    if action is None:
        return Outcome.TOLERATED
    if action == "iot:Receive":
        return Outcome.IGNORED  # a refused delivery is silent: the connection stays, and no message comes
    return Outcome.REFUSED_AT_CONNECT if case.request.verb is Verb.CONNECT else Outcome.POLICY_DISCONNECT


def can_run(case: Case, board: Board) -> str | None:
    """Return why ``case`` cannot be run on ``board``, or None."""
    reason = why_not(case, board.cloud.documents, board.device.names) or board.device.cannot_be(case.membership)
    if reason is None and case.request.will is not None:
        reason = board.opened.firmware.lacks(Capability.WILL)
    if reason is None and case.request.verb is not Verb.CONNECT:
        reason = board.opened.firmware.topic_fault(case.request.name)
    return reason


def run_case(board: Board, trials: Trials, case: Case) -> Verdict:
    """Run ``case`` on ``board``, which is provisioned and has the case's membership.

    ``trials``: those of the board's connection.
    """
    action = action_of(board, case)
    if action is None:
        return _connect(board, trials, case)
    verdict = trials.packet(action)
    if case.request.retain:
        clear_retained(board, case.request.name, verdict)
    return verdict


def action_of(board: Board, case: Case) -> PacketAction | None:
    """Return the packet that ``case`` is about, with the way in which its effect is seen; None: it is a CONNECT."""
    match case.request.verb:
        case Verb.CONNECT:
            return None
        case Verb.PUBLISH:
            return _publish(board, case)
        case Verb.SUBSCRIBE | Verb.RECEIVE:
            found = delivery(case.request, case.membership, board.device.names, board.device.expectations)
            trigger = None if found is None else _trigger(found, case.membership, board)
            return SubscribeAction(case.request.name, trigger)


def _connect(board: Board, trials: Trials, case: Case) -> Verdict:
    request, login = case.request, board.device.login()
    if request.name == login.client_id and not request.persistent and request.will is None:
        return trials.verify_connection()
    will = None if request.will is None else Will(request.will, b"{}", retain=request.retain)
    other = replace(login, client_id=request.name, clean_session=not request.persistent, will=will)
    return trials.connect(other, difference=case.probes)


def _publish(board: Board, case: Case) -> PacketAction:
    topic, retain = case.request.name, case.request.retain
    found = None if retain else answer(topic, board.device.names, board.device.expectations)
    if found is not None:
        return ServiceRequest(topic, found)
    if topic.startswith(board.cloud.account.mqtt_prefix):
        return PublishAction(topic, _seen_by_observer(board), retain=retain)
    if topic.startswith("$aws/"):
        # A payload that the shadow and jobs services take; a refused publish never gets that far.
        return PublishAction(topic, None, b'{"clientToken":"%NONCE%"}', retain=retain)
    return PublishAction(topic, None, retain=retain)


def clear_retained(board: Board, topic: str, verdict: Verdict) -> None:
    """Clear the retained message that the cloud has taken, if the board's firmware can publish an empty payload.

    Otherwise others would get it with every subscription, for good. ``board``: that published it. ``topic``: of the
    message. ``verdict``: on its trial. Raises LabError.
    """
    if verdict.outcome is not Outcome.TOLERATED:
        return
    device, timeline = board.opened.mqtt, board.timeline
    if reason := device.firmware.lacks(Capability.EMPTY_PAYLOAD):
        timeline.add(Kind.STEP, board.name, f"the retained message on {topic} stays: {reason}")
        return
    board.provisioned.link.ensure()
    mark, patience = device.mark(), board.device.patience
    done = device.publish(topic, b"", retain=True) and device.wait(_acked_or_closed, since=mark, timeout=patience)
    word = "is cleared" if done and done.kind is MqttEventKind.PUBACK else "could not be cleared"
    timeline.add(Kind.STEP, board.name, f"the retained message on {topic} {word}")


def _seen_by_observer(board: Board) -> Witness:
    observer = board.observer
    mark = observer.timeline.mark()

    def witness(token: str, timeout: float) -> bool:
        wanted = token.encode()
        return observer.wait_message(lambda message: wanted in message.payload, since=mark, timeout=timeout) is not None

    return witness


def _trigger(found: TriggeredMessage, membership: Membership, board: Board) -> Trigger:
    cloud, device, device_id = board.cloud, board.opened.mqtt, board.device.id
    match found.source:
        case Source.OBSERVER:
            return ObserverSends(board.observer, found.topic)
        case Source.ASKED:
            return DeviceAsks(device, device_id)
        case Source.REPORTED:
            return DeviceReports(device, device_id, None if membership is Membership.PROVISIONED else cloud.api)
        case Source.DESIRED:
            return DesiredChanges(cloud.api, device_id)
        case Source.ITSELF:
            return DeviceSends(device, found.topic)


def _acked_or_closed(event: MqttEvent) -> bool:
    return event.kind in (MqttEventKind.PUBACK, MqttEventKind.CLOSED)
