"""Lint of conditions and variables, and which of their keys ever have a value.

Names from "AWS IoT Core Developer Guide": basic, thing and X.509 certificate policy variables, connect policy examples.
Whether a name ever has a value is tried out with the evaluation, for a client that has every attribute.
"""

import re
from collections.abc import Iterator

from harness.policy.documents.conditions import Condition, failed_condition
from harness.policy.documents.json_paths import Note, place_of
from harness.policy.documents.pattern import Variable, tokenise
from harness.policy.documents.statement import Statement
from harness.policy.documents.variables import CERTIFICATE_FIELDS
from harness.policy.evaluation.principal import Context, Principal

_CONNECT = "iot:Connect"
_ATTRIBUTE = re.compile(r"iot:Connection\.Thing\.Attributes\[[^\]]+\]", re.IGNORECASE)
_COMPLETE = Principal(
    client_id="x",
    thing_name="x",
    attached=True,
    attributes={"any": "x"},
    thing_type="x",
    source_ip="192.0.2.1",
    domain_name="x",
    certificate_id="x",
    connect_attributes=("LastWill",),
    last_will_topic="x",
    certificate=dict.fromkeys(CERTIFICATE_FIELDS, ("x",) * 9),
)
_CONNECTING, _CONNECTED = Context(_COMPLETE, connecting=True), Context(_COMPLETE, connecting=False)
_NOBODY = Context(Principal(client_id=None, thing_name=None, attached=False), connecting=False)
_STRANGER = Context(Principal(client_id="somebody", thing_name=None, attached=False), connecting=True)

# Keys of HTTPS requests: "Direct messaging", "Actions, resources, and condition keys for AWS IoT Jobs DataPlane".
_HTTPS_KEYS = {"iot:topic", "iot:jobid"}
_ABOUT_CLIENT = re.compile(r"iot:(ClientId|Connection\.Thing\.)", re.IGNORECASE)


def about_conditions(statement: Statement, taken: frozenset[str]) -> Iterator[Note]:
    """Yield warnings on condition keys and variables that never have a value. ``taken``: the statement's actions."""
    for condition in statement.conditions:
        why = _absent_key(condition.key, connecting=_CONNECT in taken)
        if why:
            fulfilled = failed_condition(condition, _NOBODY, variables=statement.variables) is None
            yield place_of(condition), f"{why}: the condition is {'always' if fulfilled else 'never'} fulfilled"
        consequence = "this excludes nothing" if "Not" in condition.operator else "nothing matches"
        for value in condition.values:
            for text in about_variables(value, statement, taken, consequence):
                yield place_of(condition), text


def about_variables(text: str, statement: Statement, taken: frozenset[str], consequence: str) -> Iterator[str]:
    """Yield warnings on the variables in a text of the statement.

    ``text``: a resource or the value of a condition of ``statement``. ``taken``: the known actions of the statement.
    ``consequence``: what follows when a variable has no value, as the end of a sentence.
    """
    if not statement.variables:
        if "${" in text:
            yield "without Version 2012-10-17 there are no variables: ${...} is plain text here; add that Version"
        return
    names = (token.name for token in tokenise(text, variables=True) if isinstance(token, Variable))
    for name in dict.fromkeys(names):
        why = _absent_variable(name, connecting=_CONNECT in taken)
        if why:
            yield f"{why}, so {consequence}"


def stranger_fulfils(condition: Condition, statement: Statement) -> bool | None:
    """Tell whether a client whose client id is not that of its thing fulfils a condition of iot:Connect.

    None: it cannot be told, because the condition is about something else, like an address.
    """
    about_client = any(_ABOUT_CLIENT.search(text) for text in (condition.key, *condition.values))
    if not about_client and not _absent_key(condition.key, connecting=True):
        return None
    return failed_condition(condition, _STRANGER, variables=statement.variables) is None


def _absent_key(key: str, *, connecting: bool) -> str | None:
    name = _any_attribute(key)
    context = _CONNECTING if connecting else _CONNECTED
    if context.values(name) is not None or key.lower() in _HTTPS_KEYS:
        return None
    if _CONNECTING.values(name) is not None:
        return f"{key} is present in {_CONNECT} alone, which is not an action of this statement"
    if key.lower().startswith("aws:"):
        # Global keys of IAM may exist, but no page says so, and the evaluation has none.
        return f"AWS IoT documents no condition key {key} for devices, so it counts as absent"
    return f"there is no condition key {key}"


def _absent_variable(key: str, *, connecting: bool) -> str | None:
    name, written = _any_attribute(key), f"${{{key}}}"
    context = _CONNECTING if connecting else _CONNECTED
    if context.variable(name) is not None:
        return None
    if _CONNECTING.variable(name) is not None:
        return f"{written} has a value in {_CONNECT} alone, which is not an action of this statement"
    if _CONNECTING.values(name) is not None:
        return f"{key} is a list: a condition key, but no variable"
    field, dot, number = key.rpartition(".")
    if dot and number.isdecimal() and _CONNECTING.variable(field) is not None:
        return f"{written} has no value: of a certificate's field there are .0 to .4"
    if key.lower().startswith("aws:"):
        return f"AWS IoT documents no variable {written} for devices"
    return f"there is no variable {written}"


def _any_attribute(name: str) -> str:
    return "iot:Connection.Thing.Attributes[any]" if _ATTRIBUTE.fullmatch(name) else name
