"""Converts a CloudFormation template from YAML to JSON: ``!Sub x`` becomes ``{"Fn::Sub": "x"}``.

AWS CloudFormation User Guide, "Template format" and "Intrinsic function reference" (short forms). harness.policy uses
the standard library alone, so YAML is read here.
"""

import json
from typing import Any

import yaml


class _Template(yaml.SafeLoader):
    """YAML with the short forms of functions, and without dates, because a policy's Version is text like a date."""


def _function(loader: _Template, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Template.add_multi_constructor("!", _function)
_Template.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def template_json(text: str) -> str:
    """Return a template's JSON. If the text is not YAML, raises ValueError with one line that tells the place."""
    try:
        return json.dumps(yaml.load(text, _Template))  # noqa: S506 - a SafeLoader with the functions' short forms
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ValueError(f"{where}the template is not YAML: {error.problem}; correct it") from error
    except (yaml.YAMLError, TypeError) as error:
        raise ValueError(f"the template cannot be written as JSON: {error}; correct it") from error
