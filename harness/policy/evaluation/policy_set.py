"""Evaluation of policies, from "IAM User Guide, Policy evaluation logic" and "AWS IoT Core Developer Guide, Policies".

All policies in force count together. A Deny that applies beats every Allow, and what nothing allows is denied.
"""

from collections.abc import Callable, Iterable

from harness.policy.documents.document import PolicyDocument
from harness.policy.documents.statement import Effect, Statement
from harness.policy.evaluation.principal import Context, Principal
from harness.policy.evaluation.ruling import Decision, Match, Ruling

_CONNECT = "iot:connect"


class PolicySet:
    """The documents in force for a connection: those of its certificate and of its thing's groups, in any order."""

    def __init__(self, documents: Iterable[PolicyDocument]) -> None:
        self.documents = tuple(documents)

    def compile(self, principal: Principal) -> "CompiledPolicies":
        """Return the policies with the principal's values filled in."""
        statements = tuple(statement for document in self.documents for statement in document.statements)
        return CompiledPolicies(statements, principal)


class CompiledPolicies:
    """Policies for one principal. Conditions and variables depend on it alone, so they are worked out once."""

    def __init__(self, statements: tuple[Statement, ...], principal: Principal) -> None:
        self._statements = statements
        self._principal = principal
        self._rules: dict[str, _Rules] = {}
        self._contexts: dict[bool, Context] = {}

    def allows(self, action: str, resource: str) -> bool:
        """Tell whether one request is allowed; quicker than :meth:`decide`, which says why."""
        rules = self._rules.get(action) or self._compile(action)
        return rules.deny.find(resource) is None and rules.allow.find(resource) is not None

    def decide(self, action: str, resource: str) -> Ruling:
        """Decide one request, e.g. ``("iot:Publish", topic_arn("a/b"))``."""
        rules = self._rules.get(action) or self._compile(action)
        match = rules.deny.find(resource)
        if match:
            return Ruling(Decision.EXPLICIT_DENY, action, resource, match, rules.context, self._statements)
        match = rules.allow.find(resource)
        decision = Decision.ALLOWED if match else Decision.IMPLICIT_DENY
        return Ruling(decision, action, resource, match, rules.context, self._statements)

    def _compile(self, action: str) -> "_Rules":
        connecting = action.lower() == _CONNECT
        if connecting not in self._contexts:
            self._contexts[connecting] = Context(self._principal, connecting=connecting)
        rules = self._rules[action] = _Rules(self._statements, action, self._contexts[connecting])
        return rules


class _Rules:
    """The statements about one action whose conditions hold."""

    __slots__ = ("allow", "context", "deny")

    def __init__(self, statements: tuple[Statement, ...], action: str, context: Context) -> None:
        self.context = context
        self.deny, self.allow = _Resources(), _Resources()
        for statement in statements:
            if statement.takes(action) and not statement.failed_condition(context):
                (self.allow if statement.effect is Effect.ALLOW else self.deny).add(statement, context)


class _Resources:
    """Resources of statements: those without wildcards are looked up by their text, the others are tried in turn."""

    __slots__ = ("_exact", "_others")

    def __init__(self) -> None:
        self._exact: dict[str, Match] = {}
        self._others: list[tuple[Callable[[str], bool], Match]] = []

    def add(self, statement: Statement, context: Context) -> None:
        patterns = statement.patterns(context)
        if statement.not_resource:
            excluded = [pattern.matches for _, pattern in patterns]
            match = Match(statement, None, None)
            self._others.append((lambda resource: not any(matches(resource) for matches in excluded), match))
            return
        for written, pattern in patterns:
            match = Match(statement, written, pattern)
            if pattern.exact is not None:
                self._exact.setdefault(pattern.exact, match)
            elif pattern.unresolved is None:
                self._others.append((pattern.matches, match))

    def find(self, resource: str) -> Match | None:
        match = self._exact.get(resource)
        if match:
            return match
        for matches, candidate in self._others:
            if matches(resource):
                return candidate
        return None
