"""From policy documents to trials: what must work, what must not, and what each trial probes.

The evaluator judges every candidate under all documents in force, so a text outside one statement that another one
allows becomes an allowed trial. Texts that MQTT or AWS IoT would not take at all are left out.
"""

from collections.abc import Iterable
from typing import NamedTuple

from harness.policy.derivation.case import Case, Request, Verb, rule
from harness.policy.derivation.packets import Candidate, candidates, candidates_of_absent
from harness.policy.documents.document import PolicyDocument
from harness.policy.evaluation.membership import Membership, Names, in_force, principal_of
from harness.policy.evaluation.mqtt_rules import (
    beyond_trials,
    is_request,
    may_be_retained,
    possible_client_id,
    possible_filter,
    possible_topic,
)
from harness.policy.evaluation.policy_set import CompiledPolicies, PolicySet
from harness.policy.evaluation.principal import Context, Principal


def derive(documents: Iterable[PolicyDocument], membership: Membership, names: Names) -> list[Case]:
    """Return the trials of one device, each with its expected decision. No request is there twice.

    ``documents``: a profile, or any documents; :func:`in_force` says which of them count. ``membership``: what the
    device is in its team. ``names``: of the device, its team, and others of both. A device that may not connect has
    only connects.
    """
    return survey(documents, membership, names).cases


class Survey(NamedTuple):
    """Trials, and the packets that MQTT or AWS IoT refuses whatever the policies say."""

    cases: list[Case]
    impossible: list[Case]


def survey(
    documents: Iterable[PolicyDocument], membership: Membership, names: Names, *, further: Iterable[Candidate] = ()
) -> Survey:
    """Return what :func:`derive` returns, and what it leaves out.

    ``documents``, ``membership``, ``names``: as for :func:`derive`. ``further``: packets that are tried as well.
    """
    deriver = Deriver(tuple(documents), membership, names)
    for candidate in further:
        deriver.add(candidate)
    return deriver.found


class Deriver:
    """Judges packets of one device, and keeps each request that is possible once.

    ``documents``: those expected of the cloud. ``membership``, ``names``: of the device. ``found``: what is kept so
    far.
    """

    def __init__(self, documents: tuple[PolicyDocument, ...], membership: Membership, names: Names) -> None:
        self._documents, self._membership, self._names = documents, membership, names
        self._connections: dict[Request, _Connection] = {}
        force = in_force(documents, membership, attached=membership is not Membership.NOT_ATTACHED)
        context = Context(principal_of(membership, names), connecting=False)
        own = Request(Verb.CONNECT, names.device_id)
        self._connects = rule(self._connection(own).policies, own.checks(names)).allowed
        self._seen: set[Request] = set()
        self.found = Survey([], [])
        counting = [document for document in documents if document.name in force]
        for candidate in candidates(counting, context):
            self.add(candidate)
        for document in documents:
            if document not in counting:
                for candidate in candidates_of_absent(document, context):
                    self.add(candidate)

    def add(self, candidate: Candidate) -> None:
        """Keep a packet as a case."""
        request = self._request(candidate)
        if request not in self._seen:
            self._seen.add(request)
            case = self.case(candidate)
            if case is not None:
                fit = _possible(request) and _answered(case)
                (self.found.cases if fit else self.found.impossible).append(case)

    def case(self, candidate: Candidate) -> Case | None:
        """Return a packet as a case, None if the device cannot get as far as sending it."""
        verb, request = candidate.verb, self._request(candidate)
        if not self._connects and (verb is not Verb.CONNECT or candidate.will):
            return None
        connection, checks = self._connection(request), request.checks(self._names)
        ruling = rule(connection.policies, checks)
        if verb is Verb.RECEIVE and ruling.action == "iot:Subscribe":
            return None  # nothing can be delivered; the subscription is a trial of its own
        return Case(
            id="-".join([self._membership, "will" if candidate.will else verb, *_flags(candidate), candidate.template]),
            membership=self._membership,
            request=request,
            template=candidate.template,
            principal=connection.principal,
            documents=connection.documents,
            probes=candidate.words,
            checks=checks,
            ruling=ruling,
        )

    def _request(self, candidate: Candidate) -> Request:
        verb, name = candidate.verb, self._names.resolve(candidate.template)
        if verb is Verb.CONNECT and candidate.will:
            return Request(verb, self._names.device_id, candidate.retain, will=name)
        return Request(verb, name, candidate.retain, persistent=candidate.persistent)

    def _connection(self, request: Request) -> "_Connection":
        """Return the principal of the request. Requests that can share a connection get the same object."""
        own = request.verb is not Verb.CONNECT or request.name == self._names.device_id
        connect = request if request.verb is Verb.CONNECT else Request(Verb.CONNECT, self._names.device_id)
        if connect not in self._connections:
            client_id, will = connect.name, connect.will
            principal = principal_of(
                self._membership, self._names, client_id=client_id, will=will, persistent=connect.persistent
            )
            documents = in_force(self._documents, self._membership, attached=own)
            policies = PolicySet(d for d in self._documents if d.name in documents).compile(principal)
            self._connections[connect] = _Connection(principal, documents, policies)
        return self._connections[connect]


class _Connection(NamedTuple):
    principal: Principal
    documents: tuple[str, ...]
    policies: CompiledPolicies


def _flags(candidate: Candidate) -> list[str]:
    return ["retained"] * candidate.retain + ["persistent"] * candidate.persistent


def _possible(request: Request) -> bool:
    if beyond_trials(request.name):
        return False
    match request.verb:
        case Verb.SUBSCRIBE:
            return possible_filter(request.name)
        case Verb.RECEIVE:
            return possible_topic(request.name)
        case Verb.PUBLISH:
            return possible_topic(request.name) and not (request.retain and not may_be_retained(request.name))
    will = request.will
    return possible_client_id(request.name) and (will is None or (possible_topic(will) and may_be_retained(will)))


def _answered(case: Case) -> bool:
    """Tell whether the decision can be seen. An allowed message on a reserved topic shows only if somebody takes it."""
    message = case.request.will if case.request.verb is Verb.CONNECT else case.request.name
    publishing = case.request.verb in (Verb.CONNECT, Verb.PUBLISH) and message is not None
    return not (case.allowed and publishing) or is_request(str(message))
