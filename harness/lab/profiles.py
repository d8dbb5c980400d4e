"""The policy documents that clouds are expected to enforce, and those that local clouds do enforce."""

import shutil
from pathlib import Path

from harness.errors import Misuse
from harness.lab.config import LabFile, LocalCloudConfig
from harness.policy import PolicyDocument, PolicyError, at_home, load_document, load_profile, profile_folder
from harness.policy.documents.arn import EXAMPLE_ACCOUNT


def expected_documents(file: LabFile, cloud_name: str) -> dict[str, PolicyDocument]:
    """Return by name the documents that the cloud is expected to enforce: the profile's, then the boards file's.

    They have the account and region of AWS's examples, as the requests have. Raises Misuse for an unknown cloud, and
    for documents that somebody broke after the boards file was read.
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
    """Return the folder of the documents that a local cloud has to enforce; None: its own ones.

    ``config``: the cloud's entry. ``folder``: of the boards file. ``scratch``: made if documents of several folders
    have to be put together.
    """
    profile, own = profile_folder(config.profile), [*(config.policies or ()), *(config.enforces or ())]
    if not own:
        return None if config.profile == "page" else profile
    shutil.copytree(profile, scratch)
    for name in own:
        path = folder / name
        shutil.copyfile(path, scratch / f"{path.stem}.json")
    return scratch
