"""The decision on one request, and its reasons."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from harness.policy.documents.arn import resource_part
from harness.policy.documents.pattern import Pattern
from harness.policy.documents.statement import Statement
from harness.policy.evaluation.explain import Near, name_of, nearest
from harness.policy.evaluation.principal import Context


class Decision(StrEnum):
    """The three answers, under the names of AWS IoT's TestAuthorization."""

    ALLOWED = "ALLOWED"
    IMPLICIT_DENY = "IMPLICIT_DENY"
    EXPLICIT_DENY = "EXPLICIT_DENY"


class Match(NamedTuple):
    """What decided. ``written``, and ``pattern`` with its values filled in: None for a statement with NotResource."""

    statement: Statement
    written: str | None
    pattern: Pattern | None


class Ruling(NamedTuple):
    """The decision on one action and resource. Its reasons are worked out only when they are read."""

    decision: Decision
    action: str
    resource: str
    match: Match | None
    context: Context
    statements: Sequence[Statement]

    @property
    def allowed(self) -> bool:
        """Whether the request may go ahead."""
        return self.decision is Decision.ALLOWED

    @property
    def document(self) -> str | None:
        """Name of the document that decided; None for an implicit deny."""
        return self.match.statement.document if self.match else None

    @property
    def statement(self) -> int | None:
        """Number (from 1) of the statement that decided; None for an implicit deny."""
        return self.match.statement.number if self.match else None

    @property
    def sid(self) -> str | None:
        """Sid of the statement that decided, if it has one."""
        return self.match.statement.sid if self.match else None

    @property
    def pattern(self) -> str | None:
        """The resource that decided, with its variables filled in; None for an implicit deny and for NotResource."""
        return self.match.pattern.text if self.match and self.match.pattern else None

    @property
    def nearest(self) -> tuple[Near, ...]:
        """For an implicit deny: the statements that nearly allowed it, the most useful first."""
        if self.decision is not Decision.IMPLICIT_DENY:
            return ()
        return nearest(self.statements, self.context, self.action, self.resource)

    def __repr__(self) -> str:
        return f"<Ruling {self.explain()}>"

    def explain(self) -> str:
        """Return one sentence: the request, the decision, and which statement decided or came nearest."""
        sentence = f"{self.action} on {_readable(self.resource)}: {self._reason()}"
        # Topics may hold line breaks; a sentence may not.
        return one_line(sentence)

    def _reason(self) -> str:
        if self.match:
            where = resource_part(self.pattern) if self.pattern else "NotResource"
            verb = "allowed" if self.allowed else "explicit deny"
            return f"{verb} by {name_of(self.match.statement)} ({where})"
        if not self.statements:
            return "implicit deny; no policy is in force"
        near = "; ".join(map(str, self.nearest))
        return f"implicit deny; nearest: {near}" if near else "implicit deny; no statement comes near"


def _readable(resource: str) -> str:
    part = resource_part(resource)
    return part.removeprefix("topic/").removeprefix("topicfilter/") if part != resource else resource


def one_line(text: str) -> str:
    """Return text with unprintable characters escaped: documents and topics may hold line breaks."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
