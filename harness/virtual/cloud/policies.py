"""Which policy document each thing group has: the shipped ones, or those of a directory in their place."""

from collections.abc import Mapping
from pathlib import Path

from harness.policy import PolicyDocument, PolicyError, load_document, load_profile
from harness.virtual.cloud.registry import Group

ACCOUNT = "123456789012"
"""AWS account in the ARNs of the local cloud."""

_TEAM_DEVICE = Path(__file__).parent / f"{Group.TEAM}.json"


def group_policies(directory: Path | None = None) -> Mapping[Group, PolicyDocument]:
    """Return the document of every group.

    ``directory``: its ``provisioned.json``, ``associated.json``, ``gateway.json`` and ``team-device.json`` replace the
    shipped ones; those it lacks stay. PolicyError when it is no directory, has none of them, or one is broken.
    """
    documents = {Group(name): document for name, document in load_profile(account=ACCOUNT).items()}
    documents[Group.TEAM] = load_document(_TEAM_DEVICE, account=ACCOUNT)
    if directory is None:
        return documents
    names = [f"{group}.json" for group in Group]
    replaced = [group for group in Group if (directory / f"{group}.json").exists()]
    if not replaced:
        raise PolicyError(f"{directory} holds none of {', '.join(names)}")
    for group in replaced:
        documents[group] = load_document(directory / f"{group}.json", account=ACCOUNT)
    return documents
