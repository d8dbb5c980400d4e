import os
from collections.abc import Iterator

import pytest

from harness.credentials import CredentialRecords, LabCa
from tests.unit.credentials.cloud_keys import CloudKeys


@pytest.fixture(scope="package", autouse=True)
def no_wait_for_the_disk() -> Iterator[None]:
    """Let nothing wait until the disk has it: hundreds of records are written here, and no test cuts the power."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _file: None)
        yield


@pytest.fixture(scope="session")
def ca(tmp_path_factory):
    return LabCa.load_or_create(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def root_ca(tmp_path_factory):
    """What the boards are to trust: the certificate of another CA than that which signs for them."""
    return LabCa.load_or_create(tmp_path_factory.mktemp("root")).certificate_pem


@pytest.fixture
def records(tmp_path):
    return CredentialRecords(tmp_path / "records")


@pytest.fixture
def keys(ca, root_ca):
    return CloudKeys(ca, root_ca)
