"""Finds mistakes in the policy documents that a boards file names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.lab.yaml_marks import Document, Mistake, Place
from harness.policy import PolicyDocument, PolicyError, at_home, load_document
from harness.policy.documents.arn import EXAMPLE_ACCOUNT
from harness.policy.documents.profile import meant_by

_NO_BOARDS_POLICY = "team-device"  # the local cloud's, see harness/virtual/cloud/registry/policies.py


def policy_files(document: Document, place: Place, cloud: dict[Any, Any], folder: Path) -> Iterator[Mistake]:
    """Yield the mistakes of the documents that a cloud expects and enforces.

    ``document``: the boards file. ``place``: of the cloud in it. ``cloud``: the plain entry. ``folder``: to which paths
    are relative.
    """
    expected: list[PolicyDocument] = []
    yield from _policies(document, (*place, "policies"), cloud.get("policies"), folder, expected)
    enforces = cloud.get("enforces")
    replaced = {Path(str(file)).stem for file in enforces} if isinstance(enforces, list) else set()
    enforced = [policy for policy in expected if policy.name not in replaced]
    yield from _policies(document, (*place, "enforces"), enforces, folder, enforced)


def _policies(
    document: Document, place: Place, files: Any, folder: Path, loaded: list[PolicyDocument]
) -> Iterator[Mistake]:
    """Yield the mistakes of ``files``. ``loaded``: further documents; all must have one account and region."""
    names: dict[str, str] = {}
    for index, file in enumerate(files if isinstance(files, list) else []):
        if not isinstance(file, str) or not file:
            continue
        path = folder / file
        if not path.is_file():
            text = f"no such file: {path}; give policy documents, relative to this file"
        elif path.stem in names:
            text = f"{file!r} has the name of {names[path.stem]!r}; a cloud has one document of a name; rename one"
        elif path.stem == _NO_BOARDS_POLICY:
            text = (
                f"{path.stem!r} is the name of the policy of MQTT team devices, which are not boards; rename the file"
            )
        elif meant := meant_by(path.stem):
            text = f"{path.name!r} would be enforced beside {meant}, not in its place; name it {meant}.json"
        else:
            names[path.stem] = file
            try:
                policy = load_document(path, account=EXAMPLE_ACCOUNT)
                at_home([*loaded, policy])
                loaded.append(policy)
            except PolicyError as error:
                for mistake in error.mistakes:
                    yield document.mistake((*place, index), f"{mistake}; correct {path}")
            continue
        yield document.mistake((*place, index), text)
