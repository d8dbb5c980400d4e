"""The policy documents that a cloud of boards.yaml is expected to enforce: its profile."""

import shutil
from pathlib import Path

from harness.errors import Misuse
from harness.lab.config import LabFile, LocalCloud
from harness.policy import PolicyDocument, PolicyError, load_profile, profile_folder
from harness.policy.arn import EXAMPLE_ACCOUNT
from harness.policy.profile import SHIPPED


def profile_source(profile: str, folder: Path) -> str | Path:
    """Return a profile as :func:`load_profile` takes it. ``folder``: what the path of a directory is relative to."""
    return profile if profile in SHIPPED else folder / profile


def expected_documents(file: LabFile, cloud_name: str) -> dict[str, PolicyDocument]:
    """Return ``provisioned``, ``associated`` and ``gateway`` as the cloud is expected to enforce them.

    ``${AWSAccountId}`` is filled with the account of AWS's examples, as in the requests that are judged by them. Raises
    Misuse for an unknown cloud, and for documents that were spoilt since the boards file was read.
    """
    config = file.cloud(cloud_name)
    try:
        return load_profile(profile_source(config.profile, file.path.parent), account=EXAMPLE_ACCOUNT)
    except PolicyError as error:
        raise Misuse(f"{file.path}: profile of cloud {cloud_name!r}: {error}; correct the document") from error


def enforced_directory(config: LocalCloud, folder: Path, scratch: Path) -> Path | None:
    """Return the directory whose documents a local cloud has to enforce; None: those that it has by itself.

    What ``policies`` lacks is taken from the profile. ``folder``: of the boards file; ``scratch``: for a directory with
    documents of both.
    """
    own = None if config.policies is None else folder / config.policies
    if config.profile == "page":  # what the local cloud has by itself
        return own
    profile = profile_folder(profile_source(config.profile, folder))
    if own is None:
        return profile
    shutil.copytree(profile, scratch)
    shutil.copytree(own, scratch, dirs_exist_ok=True)
    return scratch
