"""The policy documents that the local cloud enforces: the shipped ones, or those of a directory."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from harness.policy import PolicyDocument, PolicyError, at_home, load_document, load_profile
from harness.policy.documents.profile import meant_by

ACCOUNT = "123456789012"
"""The AWS account in the local cloud's ARNs, whatever its documents have (:mod:`harness.policy.documents.account`)."""


class ThingGroup(StrEnum):
    """A thing group. Its policy document applies to the things in it."""

    PROVISIONED = "provisioned"
    ASSOCIATED = "associated"
    GATEWAY = "gateway"
    TEAM = "team-device"


_TEAM_DEVICE = Path(__file__).parent / f"{ThingGroup.TEAM}.json"


class Policies(NamedTuple):
    """The document of each thing group, and the documents that are attached to every device's certificate."""

    groups: Mapping[ThingGroup, PolicyDocument]
    certificate: tuple[PolicyDocument, ...] = ()

    def of(self, groups: Iterable[ThingGroup]) -> list[PolicyDocument]:
        """Return what is in force for a client whose thing is in ``groups``; no groups: it has no thing of its name."""
        groups = sorted(groups)
        own = (
            () if ThingGroup.TEAM in groups else self.certificate
        )  # these policies are for boards, not for team devices
        return [*(self.groups[group] for group in groups), *own]


def load_policies(directory: Path | None = None) -> Policies:
    """Return the shipped documents, replaced and complemented by those of ``directory``.

    Its ``provisioned.json``, ``associated.json``, ``gateway.json`` and ``team-device.json`` replace the shipped ones;
    ``*.json`` of other names are attached to certificates. The account and region that they name become the cloud's.
    Raises PolicyError if there is no document, or a broken one.
    """
    groups = {ThingGroup(name): document for name, document in load_profile(account=ACCOUNT).items()}
    groups[ThingGroup.TEAM] = load_document(_TEAM_DEVICE, account=ACCOUNT)
    if directory is None:
        return Policies(groups)
    documents = at_home(load_document(path, account=ACCOUNT) for path in sorted(directory.glob("*.json")))
    if not documents:
        raise PolicyError(f"{directory} holds no policy document, no *.json")
    for document in documents:
        if meant := meant_by(document.name):
            raise PolicyError(f"{directory}: {document.name}.json is not {meant}.json; name it like that")
    names = {str(group) for group in ThingGroup}
    groups |= {ThingGroup(document.name): document for document in documents if document.name in names}
    return Policies(groups, tuple(document for document in documents if document.name not in names))
