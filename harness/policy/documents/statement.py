"""One statement of a policy document, and what it means for the values of one request."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from harness.policy.documents.arn import resource_start
from harness.policy.documents.conditions import Condition, FailedCondition, failed_condition
from harness.policy.documents.pattern import Pattern, Token, substitute, tokenise
from harness.policy.documents.quotation import AS_READ, Quotation
from harness.policy.evaluation.principal import Context
from harness.policy.proof.containment import remainders


class Effect(StrEnum):
    """What a statement does with the requests it applies to."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as written. ``document`` and ``number`` (from 1) say where it is.

    ``not_action``, ``not_resource``: ``actions`` and ``resources`` list what the statement does *not* apply to.
    ``variables``: the document's Version has policy variables. ``quotation``: the document's own text where it was
    rewritten.
    """

    document: str
    number: int
    effect: Effect
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_action: bool = False
    not_resource: bool = False
    conditions: tuple[Condition, ...] = ()
    sid: str | None = None
    variables: bool = True
    quotation: Quotation = field(default=AS_READ, compare=False, repr=False)

    def takes(self, action: str) -> bool:
        """Tell whether the statement is about this action. Actions are case-insensitive."""
        return _names(self.actions, action) != self.not_action

    def patterns(self, context: Context) -> list[tuple[str, Pattern]]:
        """Return each resource as written, with its pattern for this context."""
        return [
            (text, _pattern(substitute(tokenise(text, variables=self.variables), context.variable)))
            for text in self.resources
        ]

    def parts(self, context: Context, arn: str) -> list[Pattern]:
        """Return, for each resource that fits ``arn`` up to the fifth colon, the pattern of what follows that colon.

        Region and account are so compared apart from the rest, as IAM reads an ARN. Evaluation compares whole texts, so
        a wildcard may reach from the region into the topic there; AWS IoT does not document which of the two it does.
        A resource with fewer colons (``*``, ``*/secret``) can only be compared as a whole text.
        """
        begin = arn[: resource_start(arn)]
        found = []
        for written in self.resources:
            start = resource_start(written)
            if not start:
                whole = substitute(tokenise(written, variables=self.variables), context.variable)
                found += [_pattern(rest) for rest in remainders(whole, begin)]
            elif _pattern(tokenise(written[:start], variables=False)).matches(begin):
                rest = substitute(tokenise(written[start:], variables=self.variables), context.variable)
                found.append(_pattern(rest))
        return found

    def failed_condition(self, context: Context) -> FailedCondition | None:
        """Return the first condition that is not fulfilled, or None if all are."""
        results = (failed_condition(condition, context, variables=self.variables) for condition in self.conditions)
        failed = next((failed for failed in results if failed), None)
        return failed and failed._replace(quotation=self.quotation)


@lru_cache(maxsize=4096)
def _names(actions: tuple[str, ...], action: str) -> bool:
    # Mutants of a policy ask the same of nearly all of their statements.
    return any(_action_pattern(named).matches(action.lower()) for named in actions)


@lru_cache(maxsize=256)
def _action_pattern(action: str) -> Pattern:
    return Pattern(tokenise(action.lower(), variables=False))


@lru_cache(maxsize=4096)
def _pattern(tokens: tuple[Token, ...]) -> Pattern:
    # The versions of a policy that are compared share nearly all of their patterns.
    return Pattern(tokens)
