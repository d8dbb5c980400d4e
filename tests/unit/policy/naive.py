"""Policy evaluation written down as the documentation reads, with no thought of speed: the second opinion of the tests.

Works on the JSON of a document, shares nothing with harness.policy. Grammar mistakes are not looked for.
"""

import json
import re
from itertools import accumulate
from operator import or_
from typing import Any

WILDCARD = {"*": "any", "?": "one"}


def decide(texts: list[str], values: dict[str, list[str]], action: str, resource: str) -> str:
    """``values``: of variables, by their only spelling, and of condition keys, which have any.

    Those with two values or more are not variables.
    """
    effects = {
        statement["Effect"]
        for document in map(json.loads, texts)
        for statement in as_list(document["Statement"])
        if applies(statement, document.get("Version") == "2012-10-17", values, action, resource)
    }
    if "Deny" in effects:
        return "EXPLICIT_DENY"
    return "ALLOWED" if "Allow" in effects else "IMPLICIT_DENY"


def applies(statement: dict, variables: bool, values: dict[str, list[str]], action: str, resource: str) -> bool:
    if "Action" in statement:
        if not any(glob(symbols(a.lower(), False, {}), action.lower()) for a in as_list(statement["Action"])):
            return False
    elif any(glob(symbols(a.lower(), False, {}), action.lower()) for a in as_list(statement["NotAction"])):
        return False
    if "Resource" in statement:
        if not any(glob(symbols(r, variables, values), resource) for r in as_list(statement["Resource"])):
            return False
    elif any(glob(symbols(r, variables, values), resource) for r in as_list(statement["NotResource"])):
        return False
    for operator, keys in statement.get("Condition", {}).items():
        for key, wanted in keys.items():
            had = {name.lower(): value for name, value in values.items()}.get(key.lower())
            if not condition(operator, had, as_list(wanted), variables, values):
                return False
    return True


def condition(operator: str, had: Any, wanted: list, variables: bool, values: dict[str, list[str]]) -> bool:
    wanted = [w if isinstance(w, str) else json.dumps(w) for w in wanted]
    if operator == "Null":
        return ("true" if had is None else "false") in wanted
    qualifier, _, name = operator.rpartition(":")
    if name.endswith("IfExists"):
        if had is None:
            return True
        name = name.removesuffix("IfExists")
    if had is None and qualifier:
        return qualifier == "ForAllValues"
    negated = "Not" in name
    if had is None:
        return negated
    results = []
    for value in had:
        fits = any(equal(name.replace("Not", ""), value, w, variables, values) for w in wanted)
        results.append(not fits if negated else fits)
    if qualifier == "ForAllValues" or (not qualifier and negated):
        return False not in results
    return True in results


def equal(name: str, value: str, wanted: str, variables: bool, values: dict[str, list[str]]) -> bool:
    pattern = symbols(wanted, variables, values)
    if name == "StringLike":
        return glob(pattern, value)
    if name == "Bool":
        return wanted.lower() == value.lower()
    if pattern is None:
        return False
    written = {"any": "*", "one": "?"}
    text = "".join(written.get(symbol, symbol) for symbol in pattern)
    if name == "StringEqualsIgnoreCase":
        return text.lower() == value.lower()
    assert name == "StringEquals"
    return text == value


def symbols(text: str, variables: bool, values: dict[str, list[str]]) -> list[str] | None:
    """Single characters, ``any`` and ``one``; None if a variable has no value."""
    result: list[str] = []
    while text:
        found = re.match(r"\$\{(.*?)\}", text) if variables else None
        if found is None:
            result.append(WILDCARD.get(text[0], text[0]))
            text = text[1:]
            continue
        text = text[found.end() :]
        if found[1] in "*?$":
            result.append(found[1])
            continue
        value = values.get(found[1])
        if value is None or len(value) != 1:
            return None
        result.extend(value[0])
    return result


def glob(pattern: list[str] | None, text: str) -> bool:
    if pattern is None:
        return False
    # reachable[n]: the pattern read so far can end after n characters of the text.
    reachable = [True] + [False] * len(text)
    for symbol in pattern:
        if symbol == "any":
            reachable = list(accumulate(reachable, or_))
        else:
            reachable = [False] + [
                end and symbol in ("one", after) for end, after in zip(reachable, text, strict=False)
            ]
    return reachable[-1]


def as_list(value: Any) -> list:
    return value if isinstance(value, list) else [value]
