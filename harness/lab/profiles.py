"""The policy documents that clouds of boards.yaml are expected to enforce, and those that local clouds do enforce."""

import shutil
from pathlib import Path

from harness.errors import Misuse
from harness.lab.config import LabFile, LocalCloudConfig
from harness.policy import PolicyDocument, PolicyError, at_home, load_document, load_profile, profile_folder
from harness.policy.documents.arn import EXAMPLE_ACCOUNT


def expected_documents(file: LabFile, cloud_name: str) -> dict[str, PolicyDocument]:
    """Return the documents that the cloud is expected to enforce, by name: the profile's, then the file's own.

    Their account and region are those of AWS's examples, as in the requests that are judged by them. Raises Misuse for
    an unknown cloud, and for documents that were spoilt since the boards file was read.
    """
    config = file.cloud(cloud_name)
    documents = load_profile(config.profile, account=EXAMPLE_ACCOUNT)
    try:
        for name in config.policies or ():
            path = file.path.parent / name
            documents[path.stem] = load_document(path, account=EXAMPLE_ACCOUNT)
        return {document.name: document for document in at_home(documents.values())}
    except PolicyError as error:
        raise Misuse(f"{file.path}: policies of cloud {cloud_name!r}: {error}; correct the document") from error


def enforced_folder(config: LocalCloudConfig, folder: Path, scratch: Path) -> Path | None:
    """Return the folder with the documents that a local cloud has to enforce; None: those that it has by itself.

    ``folder``: of the boards file; ``scratch``: made for documents of several places. ``config``: the cloud's entry.
    """
    profile, own = profile_folder(config.profile), [*(config.policies or ()), *(config.enforces or ())]
    if not own:
        return None if config.profile == "page" else profile
    shutil.copytree(profile, scratch)
    for name in own:
        path = folder / name
        shutil.copyfile(path, scratch / f"{path.stem}.json")
    return scratch
