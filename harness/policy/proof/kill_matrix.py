"""Finds which cases notice which mutants. There are thousands of cases and hundreds of mutants, with few questions.

So each pattern is matched only once with every resource that any case asks for, and the resources that it matches are
kept as a bit set. What a mutant decides then takes a few operations on bit sets. The answers are the same as those of
:func:`harness.policy.derivation.case.allowed_by`.

Why it is right: the decision on a resource depends on no other resource. So the allowed resources are those that some
Allow matches, without those that some Deny matches. Only resources that the old or the new version of the changed
statement matches can be decided differently; all others are not looked at.

Example: cases ask for topics a (bit 1), b (bit 2) and c (bit 4). An Allow of a and b is 1 | 2 = 3, a Deny of b is 2:
allowed is 3 & ~2 = 1, that is a alone. The mutant drops the Deny, so allowed is 3. The dropped Deny matches only b, so
only b's cases are looked at. The documents refuse b and the mutant allows it, so they notice the mutant.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from harness.policy.derivation.case import Case
from harness.policy.documents.pattern import Pattern, Token, substitute, tokenise
from harness.policy.documents.statement import Effect, Statement
from harness.policy.evaluation.principal import Context, Principal
from harness.policy.proof.mutants import Mutant


def noticing(cases: Sequence[Case], mutants: Iterable[Mutant]) -> list[list[int]]:
    """Return for each mutant the positions of the cases that it decides differently from the documents."""
    mutants = list(mutants)  # all statements stay alive, so their id() can be the key: hashing a statement takes long
    questions = _Questions(cases)
    return [questions.changed_by(mutant) for mutant in mutants]


class _Questions:
    """The questions of all cases, each once."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._cases = cases
        resources = _Resources(resource for case in cases for _, resource in case.checks)
        connections = _Connections(resources)
        found: dict[tuple[int, tuple[str, ...], str], _Question] = {}
        self._of_case: list[list[tuple[_Question, int]]] = []
        for number, case in enumerate(cases):
            asked = []
            for action, resource in case.checks:
                connection = connections.of(case.principal, connecting=action.lower() == "iot:connect")
                key = id(connection), case.documents, action
                question = found.setdefault(key, _Question(connection, case.documents, action))
                place = resources.places[resource]
                question.add(place, number)
                asked.append((question, place))
            self._of_case.append(asked)
        self._all = list(found.values())

    def changed_by(self, mutant: Mutant) -> list[int]:
        versions = [statement for statement in (mutant.before, mutant.after) if statement is not None]
        changed: set[int] = set()
        perhaps: set[int] = set()
        allowed: dict[int, int] = {}
        for question in self._all:
            if mutant.document not in question.documents:
                continue
            touched = question.matched(versions)
            if not touched:
                continue
            allowed[id(question)] = now = question.allowed(mutant)
            # A case is refused if one of its permissions is, and allowed if all are.
            changed.update(number for number in question.askers(touched & ~now) if self._cases[number].allowed)
            perhaps.update(number for number in question.askers(touched & now) if not self._cases[number].allowed)
        for number in perhaps:
            for question, place in self._of_case[number]:
                if id(question) not in allowed:
                    allowed[id(question)] = question.allowed(mutant)
                if not allowed[id(question)] >> place & 1:
                    break
            else:
                changed.add(number)
        return sorted(changed)


class _Question:
    """One action in one kind of connection: which resources are asked for, by which cases."""

    def __init__(self, connection: "_Connection", documents: tuple[str, ...], action: str) -> None:
        self.documents = documents
        self._connection, self._action = connection, action
        self._asked = 0
        self._askers: dict[int, list[int]] = {}
        self._matched: dict[int, int] = {}

    def add(self, place: int, case: int) -> None:
        self._asked |= 1 << place
        self._askers.setdefault(place, []).append(case)

    def askers(self, resources: int) -> Iterator[int]:
        """Yield the cases that ask for one of ``resources``."""
        return (case for place in _places(resources) for case in self._askers[place])

    def matched(self, statements: Iterable[Statement]) -> int:
        """Return those resources of the question that one of the statements is about."""
        result = 0
        for statement in statements:
            if id(statement) not in self._matched:
                self._matched[id(statement)] = self._connection.matched(statement, self._action) & self._asked
            result |= self._matched[id(statement)]
        return result

    def allowed(self, mutant: Mutant) -> int:
        """Return those resources of the question that the mutant's documents allow."""
        statements = [one for name in self.documents for one in mutant.documents[name].statements]
        allows, denies = (
            self.matched(one for one in statements if one.effect is effect) for effect in (Effect.ALLOW, Effect.DENY)
        )
        return allows & ~denies


class _Connections:
    """The connections of the cases. Values of the CONNECT count only for the CONNECT itself."""

    def __init__(self, resources: "_Resources") -> None:
        self._resources = resources
        self._found: dict[tuple[int, bool], _Connection] = {}
        self._alike: list[tuple[Principal, _Connection]] = []

    def of(self, principal: Principal, *, connecting: bool) -> "_Connection":
        key = id(principal), connecting
        if key not in self._found:
            if connecting:
                self._found[key] = _Connection(Context(principal, connecting=True), self._resources)
            else:
                self._found[key] = self._plain(replace(principal, connect_attributes=(), last_will_topic=None))
        return self._found[key]

    def _plain(self, principal: Principal) -> "_Connection":
        for known, connection in self._alike:
            if known == principal:
                return connection
        connection = _Connection(Context(principal, connecting=False), self._resources)
        self._alike.append((principal, connection))
        return connection


class _Connection:
    """Statements with the values of one connection."""

    def __init__(self, context: Context, resources: "_Resources") -> None:
        self._context, self._resources = context, resources
        self._written: dict[tuple[str, bool], int] = {}

    def matched(self, statement: Statement, action: str) -> int:
        if not statement.takes(action) or statement.failed_condition(self._context):
            return 0
        matched = 0
        for written in statement.resources:
            key = written, statement.variables
            if key not in self._written:
                tokens = substitute(tokenise(written, variables=statement.variables), self._context.variable)
                self._written[key] = self._resources.matched(tokens)
            matched |= self._written[key]
        return ~matched if statement.not_resource else matched


class _Resources:
    """The resources of all questions, each with its bit."""

    def __init__(self, resources: Iterable[str]) -> None:
        self.places = {resource: place for place, resource in enumerate(dict.fromkeys(resources))}
        self._matched: dict[tuple[Token, ...], int] = {}

    def matched(self, tokens: tuple[Token, ...]) -> int:
        if tokens not in self._matched:
            pattern = Pattern(tokens)
            # A resource without the pattern's longest literal cannot match, and looking for that is quick.
            literal = max((token for token in tokens if isinstance(token, str)), key=len, default="")
            likely = ((text, place) for text, place in self.places.items() if literal in text)
            self._matched[tokens] = sum(1 << place for text, place in likely if pattern.matches(text))
        return self._matched[tokens]


def _places(resources: int) -> Iterator[int]:
    while resources:
        lowest = resources & -resources
        yield lowest.bit_length() - 1
        resources ^= lowest
