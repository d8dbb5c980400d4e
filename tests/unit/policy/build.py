"""Short ways to write policies and requests in the tests of this directory."""

import json
from typing import Any

from harness.policy import CompiledPolicies, PolicyDocument, PolicySet, Principal

ARN = "arn:aws:iot:us-east-1:123456789012:"
VERSION = "2012-10-17"
CLIENT1 = Principal(client_id="client1", thing_name="client1", attached=True)


def text(*statements: dict[str, Any], version: str | None = VERSION) -> str:
    head = {} if version is None else {"Version": version}
    return json.dumps(head | {"Statement": list(statements)})


def document(*statements: dict[str, Any], version: str | None = VERSION, name: str = "test") -> PolicyDocument:
    return PolicyDocument.parse(text(*statements, version=version), name=name)


def allow(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def compiled(*statements: dict[str, Any], principal: Principal = CLIENT1, **more: Any) -> CompiledPolicies:
    return PolicySet([document(*statements, **more)]).compile(principal)


def holds(condition: dict[str, Any], principal: Principal = CLIENT1, action: str = "iot:Connect") -> bool:
    """Whether a condition is fulfilled: an Allow with it decides."""
    return compiled(allow("iot:*", "*", Condition=condition), principal=principal).decide(action, "x").allowed
