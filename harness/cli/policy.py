"""``nrf91-harness policy``: check documents, explain decisions, list the derived trials, probe a cloud with them."""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from stat import S_ISDIR
from typing import Any, Final

from harness.cli.arguments import Arguments
from harness.cli.braces import fill
from harness.cli.exit_codes import OK, REFUSED
from harness.cli.progress import Progress
from harness.cli.result import Result, table
from harness.cli.session import find_board, one_board
from harness.cli.template_yaml import template_json
from harness.errors import Misuse
from harness.lab import CloudConfig, expected_documents, load_boards_file
from harness.policy import (
    Case,
    Names,
    PolicyDocument,
    PolicyError,
    Request,
    Ruling,
    Selection,
    Verb,
    derive,
    load_document,
    plan,
)
from harness.policy.documents.arn import EXAMPLE_ACCOUNT
from harness.policy.evaluation.expectations import Doubt, Expectations
from harness.policy.evaluation.membership import DEVICE, OTHER_DEVICE, OTHER_TENANT, TENANT
from harness.policy.evaluation.mqtt_rules import client_id_fault, filter_fault, possible_topic, topic_fault
from harness.policy.lint import lint
from harness.policy_trials.trials import MEMBERSHIPS, fit_for_trials

_PLACEHOLDERS: Final = "placeholders; real ones: --device-id and --tenant, or --live"
_FAULTS: Final = {Verb.CONNECT: client_id_fault, Verb.PUBLISH: topic_fault, Verb.SUBSCRIBE: filter_fault}


@dataclass(frozen=True, slots=True)
class _Subject:
    """The device and documents that a command is about. ``invented``: some of the names are placeholders."""

    names: Names
    cloud: str
    config: CloudConfig
    documents: tuple[PolicyDocument, ...]

    @property
    def invented(self) -> bool:
        return DEVICE in self.names.device_id or TENANT in self.names.tenant_id

    @property
    def origin(self) -> str:
        return f"{self.config.expected} of cloud {self.cloud}"

    @property
    def as_data(self) -> dict[str, Any]:
        """The cloud and its documents, ready for JSON."""
        return {"cloud": self.cloud, "profile": self.config.profile, "policies": list(self.config.policies or ())}


def check(given: Arguments, progress: Progress) -> Result:
    """Read documents and look for what is suspicious in them. A document that AWS would refuse counts as refused."""
    findings: list[dict[str, str]] = []
    for path in given.files:
        _check_file(path)
        findings += _findings(path)
    errors, warnings = (sum(found["level"] == level for found in findings) for level in ("error", "warning"))
    lines = [f"{found['file']}: {found['level']}: {found['text']}" for found in findings]
    lines.append(f"documents: {len(given.files)}, errors: {errors}, warnings: {warnings}")
    data = {"documents": len(given.files), "errors": errors, "findings": findings}
    return Result(data, lines, REFUSED if errors else OK)


def explain(given: Arguments, progress: Progress) -> Result:
    """Say whether the documents allow a device to do something, and why. JSON and text say the same."""
    verb = Verb(given.verb)
    if given.retain and verb is not Verb.PUBLISH:
        raise Misuse(f"--retain is for a message, and a {verb} has none; leave it out, or write publish")
    subject, state = _subject(given, progress), given.membership
    name = fill(given.topic, subject.names)
    expectations, request = Expectations(subject.documents, subject.names, state), Request(verb, name, given.retain)
    deciding, doubt = expectations.rulings(request)[-1], expectations.doubt(request)
    impossible = _FAULTS[verb](name)
    subscribed = verb is Verb.SUBSCRIBE and (doubt.best if doubt else deciding).allowed and possible_topic(name)
    messages = expectations.reason("iot:Receive", name) if subscribed else None
    head = doubt.summary if doubt else "allowed" if deciding.allowed else "not allowed"
    if impossible:
        head = f"not possible: AWS IoT takes no {verb} with this name, whatever the policies say: {impossible}"
    data = {
        "board": given.board,
        "verb": verb,
        "name": name,
        "retain": given.retain,
        "answer": head,
        **_answer(deciding, doubt),
        "impossible": impossible,
        "messages": messages,
        "membership": state,
        "device_id": subject.names.device_id,
        "tenant": subject.names.tenant_id,
        "placeholders": subject.invented,
        **subject.as_data,
    }
    if impossible:
        data["allowed"] = False  # the policies' decision is in "decision" and "because"
    rows = [("at best", doubt.best.explain()), ("at worst", doubt.worst.explain())] if doubt else []
    rows = rows or [("policies" if impossible else "because", deciding.explain())]
    if messages:
        rows.append(("messages", messages))
    rows.append(("device", f"{state}, {subject.names.device_id} of team {subject.names.tenant_id}"))
    if subject.invented:
        rows.append(("names", _PLACEHOLDERS))
    rows.append(("documents", subject.origin))
    return Result(data, [head, *table(rows)])


def trials(given: Arguments, progress: Progress) -> Result:
    """List the trials that the documents call for, with what each probes."""
    subject, states = _subject(given, progress), tuple(given.memberships or MEMBERSHIPS)
    progress("deriving the trials")
    fit = fit_for_trials(subject.documents, subject.names)
    selection = plan(subject.documents, subject.names, states, fit=fit)
    chosen = {case.id for case in selection.cases}
    cases = list(selection.cases)
    if given.full:
        more = chain.from_iterable(derive(subject.documents, state, subject.names) for state in states)
        cases += [case for case in more if case.id not in chosen]
    summary = f"{len(cases)} trials; of these: {selection}" if given.full else str(selection)
    data: dict[str, Any] = {
        "board": given.board,
        **subject.as_data,
        "summary": summary,
        "proof": selection.proof,
        "trials": [describe_case(case) | {"minimal": case.id in chosen} for case in cases],
    }
    lines = [f"{subject.origin}; devices: {', '.join(states)}"]
    if subject.invented:
        lines.append(f"names: {_PLACEHOLDERS}")
    lines.append("")
    for number, connection in enumerate(selection.connections, 1):
        lines += [f"connection {number}", *chain.from_iterable(map(_lines, connection))]
    if given.full:
        further = [case for case in cases if case.id not in chosen]
        lines += [f"and {len(further)} that notice no further mutant", *chain.from_iterable(map(_lines, further))]
    if given.mutants:
        data |= _mutants(selection)
        lines += ["", *_mutant_lines(selection)]
    return Result(data, [*lines, "", summary, selection.proof])


def describe_case(case: Case) -> dict[str, Any]:
    """Return a trial, ready for JSON."""
    return {
        "id": case.id,
        "membership": case.membership,
        "verb": case.request.verb,
        "name": case.request.name,
        "will": case.request.will,
        "retain": case.request.retain,
        "allowed": case.allowed,
        "probes": case.probes,
        "because": case.because,
    }


def _answer(deciding: Ruling, doubt: Doubt | None) -> dict[str, Any]:
    """Return the answer, ready for JSON; null if it is in doubt."""
    if doubt is None:
        return {**_ruling(deciding), "depends_on": []}
    unknown = dict.fromkeys(_ruling(deciding))
    return {
        **unknown,
        "depends_on": list(doubt.keys),
        "at_best": _ruling(doubt.best),
        "at_worst": _ruling(doubt.worst),
    }


def _ruling(ruling: Ruling) -> dict[str, Any]:
    return {
        "allowed": ruling.allowed,
        "decision": ruling.decision,
        "because": ruling.explain(),
        "document": ruling.document,
        "statement": ruling.statement,
    }


def _check_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode  # a pipe, like <(jq ...), is fine too
    except OSError as error:
        raise Misuse(f"{path}: {error.strerror}; name files with policy documents") from error
    if S_ISDIR(mode):
        raise Misuse(f"{path}: a directory; name files with policy documents")


def _findings(path: Path) -> list[dict[str, str]]:
    try:
        document = load_document(path, account=EXAMPLE_ACCOUNT, template_json=template_json)
    except PolicyError as error:
        texts = [one.removeprefix(f"{path.stem}: ") for one in error.mistakes]
        return [{"file": str(path), "level": "error", "text": text} for text in texts]
    read = [] if document.found_at is None else [("note", f"the document is read from {document.found_at}")]
    found = read + [("warning", f"{one.path}: {one.text}") for one in lint(document)]
    return [{"file": str(path), "level": level, "text": text} for level, text in found]


def _subject(given: Arguments, progress: Progress) -> _Subject:
    file = load_boards_file(given.boards)
    board = find_board(file, given.board)
    cloud = given.cloud or board.cloud
    documents = tuple(expected_documents(file, cloud).values())
    if given.live:
        if given.device_id or given.tenant:
            raise Misuse("--live reads the ids from board and cloud: leave --device-id and --tenant out")
        with one_board(given, progress) as opened:
            names = opened.device.names
    else:
        device_id = given.device_id or board.device_id or DEVICE
        names = Names(device_id, OTHER_DEVICE, given.tenant or TENANT, OTHER_TENANT)
    return _Subject(names, cloud, file.cloud(cloud), documents)


def _lines(case: Case) -> list[str]:
    verdict = "allowed    " if case.allowed else "not allowed"
    return [f"  {verdict}  {case.id}", f"               {case.probes}"]


def _mutants(selection: Selection) -> dict[str, Any]:
    tellers: dict[int, list[str]] = {}
    for identifier, noticed in selection.noticed.items():
        for mutant in noticed:
            tellers.setdefault(id(mutant), []).append(identifier)
    return {
        "mutants": [{"change": str(one), "noticed_by": tellers[id(one)]} for one in selection.mutants],
        "beyond": [{"change": str(one)} for one in selection.beyond],
        "equivalent": [
            {"change": str(one.mutant), "reason": one.reason, "proved": one.proved} for one in selection.equivalent
        ],
    }


def _mutant_lines(selection: Selection) -> list[str]:
    found = _mutants(selection)
    lines = ["mutants, and the trials that notice them"]
    for one in found["mutants"]:
        lines += [f"  {one['change']}", *(f"      {identifier}" for identifier in one["noticed_by"])]
    if found["beyond"]:
        lines += ["", "mutants that no trial can show", *(f"  {one['change']}" for one in found["beyond"])]
    lines += ["", "equivalent mutants, and why"]
    for one in found["equivalent"]:
        lines += [f"  {one['change']}", f"      {one['reason']}"]
    return lines
