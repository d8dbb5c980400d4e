"""Finds the policy document inside what a tool prints, or inside a template.

Shapes: ``aws iot get-policy`` and ``get-policy-version`` (``policyDocument``, a string), ``aws iam get-policy-version``
(``Document``), ``terraform show -json`` (``policy``, a string), CloudFormation in JSON (``PolicyDocument``), and any of
these strings alone. IAM's API has the text in percent-encoding. AWS CLI and CloudFormation references, Terraform
registry (aws_iot_policy).
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

from harness.policy.documents.strict_json import Object, parse_json
from harness.policy.errors import PolicyError

_KEYS = {"policydocument", "document", "policy"}
_IOT_TYPES = {"AWS::IoT::Policy", "aws_iot_policy"}
# What CloudFormation fills in for every stack: the cloud's own partition, region and account, read as "*".
_PSEUDO = {"AWS::Region", "AWS::AccountId", "AWS::Partition"}


class Unwrapped(NamedTuple):
    """A document: its JSON value, its own text, and its JSON path; path None: nothing was around it."""

    value: Any
    text: str
    found_at: str | None


class _Found(NamedTuple):
    path: str
    value: Any
    of_iot: bool  # in a resource that says it is a policy of AWS IoT


def unwrapped(value: Any, text: str, *, name: str) -> Unwrapped:
    """Return the document in ``value``, the JSON of ``text``. ``name``: the document's, for messages.

    Returns ``value`` itself if it holds no document. Raises PolicyError if it holds several.
    """
    if isinstance(value, Object) and "Statement" in value:
        return Unwrapped(value, text, None)
    found = list(_documents(value, "$", of_iot=False))
    found = [one for one in found if one.of_iot] or found
    if not found:
        return Unwrapped(value, text, None)
    if len(found) > 1:
        places = ", ".join(one.path for one in found)
        raise PolicyError(f"{name}: {len(found)} documents in one file: {places}; give each a file of its own")
    path, inner, _ = found[0]
    if isinstance(inner, str):
        inner_text = _decoded(inner)
        return Unwrapped(parse_json(inner_text, name=f"{name}: in the string at {path}"), inner_text, path)
    inner = _filled(inner)
    return Unwrapped(inner, json.dumps(inner, ensure_ascii=False, separators=(",", ":")), path)


def _documents(value: Any, path: str, *, of_iot: bool) -> Iterator[_Found]:
    if isinstance(value, str) and path == "$" and _is_document(value):
        yield _Found(path, value, of_iot)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _documents(item, f"{path}[{index}]", of_iot=of_iot)
    elif isinstance(value, Object):
        of_iot = of_iot or any(isinstance(value.get(key), str) and value[key] in _IOT_TYPES for key in ("Type", "type"))
        for key, item in value.items():
            place = f"{path}.{key}" if re.fullmatch(r"\w+", key) else f"{path}[{json.dumps(key)}]"
            if key.lower() in _KEYS and _is_document(item):
                yield _Found(place, item, of_iot)
            else:
                yield from _documents(item, place, of_iot=of_iot)


def _is_document(value: Any) -> bool:
    if isinstance(value, str):
        decoded = _decoded(value)
        return decoded.lstrip().startswith("{") and '"Statement"' in decoded
    return isinstance(value, Object) and "Statement" in value


def _decoded(text: str) -> str:
    return unquote(text) if re.match(r"\s*%7B", text, re.IGNORECASE) else text


def _filled(value: Any) -> Any:
    """Return a value with the results of CloudFormation's functions, where the template alone tells them."""
    if isinstance(value, list):
        return [_filled(item) for item in value]
    if not isinstance(value, Object):
        return value
    match list(value.items()):
        case [("Ref", str() as name)] if name in _PSEUDO:
            return "*"
        case [("Fn::Sub", str() as template)]:
            return re.sub(r"\$\{(!?)([^{}]*)\}", _substituted, template)
        case [("Fn::Join", [str() as between, list() as parts])]:
            texts = [_filled(part) for part in parts]
            return between.join(texts) if all(isinstance(text, str) for text in texts) else value
    filled = Object({key: _filled(item) for key, item in value.items()})
    filled.repeated = value.repeated
    return filled


def _substituted(found: re.Match[str]) -> str:
    if found[1]:  # ${!name} is how a template writes ${name}
        return f"${{{found[2]}}}"
    return "*" if found[2] in _PSEUDO else found[0]
