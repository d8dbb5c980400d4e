"""A resource of a policy as a pattern of topics, with ``{device}`` and ``{tenant}`` in place of policy variables."""

from dataclasses import dataclass

from harness.policy.documents.arn import resource_start
from harness.policy.documents.pattern import Token, Variable, Wild, tokenise
from harness.policy.evaluation.membership import DEVICE, TENANT
from harness.policy.evaluation.principal import Context

_TYPES = ("topic", "topicfilter", "client", "thing")
_ROLES = {
    "iot:ClientId": DEVICE,
    "iot:Connection.Thing.ThingName": DEVICE,
    "iot:Connection.Thing.Attributes[tenantId]": TENANT,
    "iot:Connection.Thing.Attributes[teamId]": TENANT,
}
_FILLER = "test"


@dataclass(frozen=True, slots=True)
class Shape:
    """What follows ``topic/`` (or another type) in a resource: literals and wildcards.

    ``type`` None: the resource does not say (``*``, ``topic*``).
    """

    type: str | None
    tokens: tuple[str | Wild, ...]

    @property
    def open(self) -> bool:
        """Whether it ends in ``*``."""
        return bool(self.tokens) and self.tokens[-1] is Wild.ANY

    @property
    def head(self) -> str:
        """The template up to a ``*`` at the end, or all of it; other wildcards are filled."""
        return "".join(map(_filled, self.tokens[:-1] if self.open else self.tokens))


def shape_of(resource: str, *, variables: bool, context: Context) -> Shape | None:
    """Return the shape of a resource, or None if one of its variables never has a value for this context.

    ``resource``: as the document has it. ``variables``: whether its Version has any. ``context``: of the device.
    """
    if resource.count(":") < 5:
        return Shape(None, (Wild.ANY,))
    tokens: list[str | Wild] = []
    for token in tokenise(resource[resource_start(resource) :], variables=variables):
        known = _role(token, context)
        if known is None:
            return None
        tokens.append(known)
    first = tokens[0] if tokens else ""
    for name in _TYPES:
        if isinstance(first, str) and first.startswith(f"{name}/"):
            rest = first.removeprefix(f"{name}/")
            return Shape(name, _merged([rest, *tokens[1:]]))
    return Shape(None, (Wild.ANY,))


def _role(token: Token, context: Context) -> str | Wild | None:
    if isinstance(token, Variable):
        return _ROLES.get(token.name) or context.variable(token.name)
    return token


def _merged(tokens: list[str | Wild]) -> tuple[str | Wild, ...]:
    merged: list[str | Wild] = []
    for token in tokens:
        if token == "":
            continue
        if isinstance(token, str) and merged and isinstance(merged[-1], str):
            merged[-1] += token
        else:
            merged.append(token)
    return tuple(merged)


def _filled(token: str | Wild) -> str:
    match token:
        case Wild.ANY:
            return _FILLER
        case Wild.ONE:
            return _FILLER[0]
    return token
