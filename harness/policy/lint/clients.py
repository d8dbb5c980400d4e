"""Lint of who may connect: "AWS IoT Device Defender, Audit checks: AWS IoT policies overly permissive"."""

from collections.abc import Iterator

from harness.policy.documents.arn import resource_part, resource_start
from harness.policy.documents.json_paths import Note, placed_resources
from harness.policy.documents.pattern import Token, Variable, Wild, tokenise
from harness.policy.documents.statement import Effect, Statement
from harness.policy.lint.actions import taken_by
from harness.policy.lint.conditions import stranger_fulfils
from harness.policy.proof.containment import covers

_CONNECT = "iot:Connect"
# The two ways to write any client id: its variable, and one character or more.
_ANY_CLIENT: tuple[tuple[Token, ...], ...] = (
    ("client/", Variable("iot:ClientId")),
    ("client/", Wild.ONE, Wild.ANY),
)


def about_clients(statement: Statement) -> Iterator[Note]:
    """Yield resources that let a client connect under any client id."""
    if statement.effect is Effect.DENY or not _meets_connect(statement):
        return
    if any(stranger_fulfils(condition, statement) is False for condition in statement.conditions):
        return
    for path, resource in placed_resources(statement):
        if _fits_every_client(resource, statement):
            part = resource_part(resource)
            yield path, f"{part} fits every client id; ask for iot:Connection.Thing.IsAttached"


def denies_strangers(statement: Statement) -> bool:
    """Tell whether a statement refuses every client whose client id is not that of its thing."""
    return (
        statement.effect is Effect.DENY
        and _meets_connect(statement)
        and all(stranger_fulfils(condition, statement) is True for condition in statement.conditions)
        and any(_fits_every_client(resource, statement) for resource in statement.resources)
    )


def _meets_connect(statement: Statement) -> bool:
    return not statement.not_resource and _CONNECT in taken_by(statement)


def _fits_every_client(resource: str, statement: Statement) -> bool:
    if resource != "*" and not resource_start(resource):
        return False
    tokens = tokenise(resource_part(resource), variables=statement.variables)
    return any(covers(tokens, client) for client in _ANY_CLIENT)
