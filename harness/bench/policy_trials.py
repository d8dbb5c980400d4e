"""Derived policy cases, run as trials on a board.

How a case is proved: an allowed publish below the team's prefix is seen by the observer, an allowed subscription there
receives what the observer sends; of the own shadow the service's answers come back. Everything else rests on the fence.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from harness.bench.board import BoardBench
from harness.policy import PolicyDocument, PolicySet
from harness.policy.case import Case, Verb, rule
from harness.policy.derivation import derive
from harness.policy.selection import plan
from harness.policy.subject import DEVICE, OTHER_DEVICE, OTHER_TENANT, TENANT, Kind, Names, in_force, principal_of
from harness.trial import Outcome, Trials, Verdict
from harness.trial.runner import Trigger, Witness

STANDINGS = (Kind.PROVISIONED, Kind.ASSOCIATED, Kind.GATEWAY)
"""The standings that a board can be brought to. What is attached to no thing, nRF Cloud does not register."""


_ANY_NAMES = Names(DEVICE, OTHER_DEVICE, TENANT, OTHER_TENANT)


def cases_for(documents: Sequence[PolicyDocument], *, full: bool) -> list[Case]:
    """Return the cases that a board can be brought to the standing of, for no device in particular: see `concrete`.

    ``full``: every derived case; otherwise the smallest set that notices every single change to the documents, behind
    the device's own CONNECT. Every allowed trial needs that, so the set could do without; but where it is refused the
    others prove nothing, and only the CONNECT itself says so.
    """
    fewest = plan(documents, _ANY_NAMES, STANDINGS).cases
    if full:
        every = [case for kind in STANDINGS for case in derive(documents, kind, _ANY_NAMES)]
        known = {case.id for case in every}
        return [*every, *(case for case in fewest if case.id not in known)]
    kind = fewest[0].kind if fewest else STANDINGS[0]
    own = [case for case in derive(documents, kind, _ANY_NAMES) if case.template == DEVICE and _plain_connect(case)]
    return [*own, *(case for case in fewest if case not in own)]


def _plain_connect(case: Case) -> bool:
    return case.request.verb is Verb.CONNECT and case.request.will is None and not case.request.persistent


def concrete(case: Case, documents: Sequence[PolicyDocument], names: Names) -> Case:
    """Return ``case`` with a device's own names in it, judged anew."""
    request, resolved = case.request, names.resolve(case.template)
    if request.will is not None:
        request = replace(request, name=names.device_id, will=resolved)
    else:
        request = replace(request, name=resolved)
    connecting = request.verb is Verb.CONNECT
    principal = principal_of(
        case.kind,
        names,
        client_id=request.name if connecting else None,
        will=request.will,
        persistent=request.persistent,
    )
    force = in_force(documents, case.kind, attached=not connecting or request.name == names.device_id)
    compiled = PolicySet(document for document in documents if document.name in force).compile(principal)
    checks = request.checks(names)
    ruling = rule(compiled, checks)
    return replace(case, request=request, principal=principal, documents=force, checks=checks, ruling=ruling)


def expected(case: Case) -> Outcome:
    """Return the outcome that the policies ask for."""
    if case.allowed:
        return Outcome.TOLERATED
    if not case.closes:
        return Outcome.IGNORED  # a refused delivery is silent: the connection stays, and no message comes
    return Outcome.REFUSED_AT_CONNECT if case.request.verb is Verb.CONNECT else Outcome.POLICY_DISCONNECT


def can_run(case: Case, board: BoardBench) -> str | None:
    """Return why ``case`` cannot be run on ``board``, or None."""
    if case.kind not in STANDINGS:
        return f"a device that is {case.kind} cannot be made by what nRF Cloud offers"
    if case.request.will is not None:
        return f"{board.opened.firmware.product} has no MQTT will"
    if case.request.verb is Verb.RECEIVE and _trigger(case, board) is None:
        return f"nothing can be sent on {case.request.name} from outside"
    return None


def run_case(board: BoardBench, trials: Trials, case: Case) -> Verdict:
    """Run ``case`` on the provisioned board, whose standing is the case's already."""
    match case.request.verb:
        case Verb.CONNECT:
            return _connect(board, trials, case)
        case Verb.PUBLISH:
            payload, witness = _publishing(case, board)
            return trials.publish(case.request.name, payload, retain=case.request.retain, witness=witness)
        case Verb.SUBSCRIBE | Verb.RECEIVE:
            return trials.subscribe(case.request.name, trigger=_trigger(case, board))


def _connect(board: BoardBench, trials: Trials, case: Case) -> Verdict:
    request, login = case.request, board.login()
    if request.name == login.client_id and not request.persistent:
        return trials.verify_connection()
    other = replace(login, client_id=request.name, clean_session=not request.persistent)
    return trials.connect(other, difference=case.probes)


def _publishing(case: Case, board: BoardBench) -> tuple[bytes | None, Witness | None]:
    topic, prefix = case.request.name, board.cloud.account.mqtt_prefix
    if topic.startswith(prefix):
        return None, _seen_by_observer(board)
    if topic.startswith("$aws/"):
        # What the shadow and jobs services take; whoever is refused never gets that far.
        return b'{"state":{"reported":{"harness":"%NONCE%"}},"clientToken":"%NONCE%"}', None
    return None, None


def _seen_by_observer(board: BoardBench) -> Witness:
    observer = board.cloud.observer
    mark = observer.timeline.mark()

    def witness(token: str, timeout: float) -> bool:
        wanted = token.encode()
        return observer.wait_message(lambda message: wanted in message.payload, since=mark, timeout=timeout) is not None

    return witness


def _trigger(case: Case, board: BoardBench) -> Trigger | None:
    topic_filter, prefix = case.request.name, board.cloud.account.mqtt_prefix
    if topic_filter.startswith(prefix):
        topic = "/".join("harness" if level in ("#", "+") else level for level in topic_filter.split("/"))
        return lambda token: board.cloud.observer.publish(topic, f'{{"harness":"{token}"}}'.encode())
    return _shadow_triggers(board).get(topic_filter)


def _shadow_triggers(board: BoardBench) -> dict[str, Trigger]:
    """What makes the shadow service send: a changed desired state, and the device's own question."""
    device_id, api, device = board.device_id, board.cloud.api, board.opened.firmware
    shadow = f"$aws/things/{device_id}/shadow"

    def desire(token: str) -> None:
        api.patch_state(device_id, desired={"harness": {"token": token}})

    def ask(token: str) -> None:
        device.publish(f"{shadow}/get", f'{{"clientToken":"{token}"}}'.encode())

    def report(token: str) -> None:
        device.publish(
            f"{shadow}/update", f'{{"state":{{"reported":{{"harness":"{token}"}}}},"clientToken":"{token}"}}'.encode()
        )

    triggers: dict[str, Callable[[str], None]] = {
        f"{shadow}/get/accepted": ask,
        f"{shadow}/update/accepted": report,
    }
    if board.standing is not Kind.PROVISIONED:  # REST shows and changes the team's devices only
        triggers[f"{shadow}/update/delta"] = triggers[f"{device_id}/shadow/update/delta"] = desire
    return triggers
