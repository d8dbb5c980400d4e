"""Boards on two clouds that differ in one of their policy documents, which are small: planning trials takes no time."""

import json
from pathlib import Path

BOARDS = """
clouds:
  one: {kind: local, policies: [one/provisioned.json, one/associated.json, one/gateway.json]}
  two: {kind: local, policies: [one/provisioned.json, two/associated.json, one/gateway.json]}
boards:
  - {name: a-1, virtual: {}, cloud: one}
  - {name: a-2, virtual: {}, cloud: one}
  - {name: b, virtual: {}, cloud: two}
"""

_DOCUMENTS = {
    "one/provisioned": ("iot:Connect", "client/${iot:ClientId}"),
    "one/associated": ("iot:Publish", "topic/prod/${iot:Connection.Thing.Attributes[tenantId]}/m/d/*"),
    "two/associated": ("iot:Publish", "topic/prod/${iot:Connection.Thing.Attributes[tenantId]}/other"),
    "one/gateway": ("iot:Publish", "topic/prod/${iot:Connection.Thing.Attributes[teamId]}/gateways/*"),
}


def write_documents(folder: Path) -> None:
    """Write the documents that BOARDS names."""
    for name, (action, resource) in _DOCUMENTS.items():
        statement = {"Effect": "Allow", "Action": action, "Resource": f"arn:aws:iot:*:*:{resource}"}
        path = folder / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
