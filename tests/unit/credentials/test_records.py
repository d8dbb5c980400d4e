import os
import stat

import pytest

from harness.credentials import CredentialRecords, KeyOrigin
from harness.credentials.records import CredentialState, SecTagRecord, updated
from harness.errors import Misuse

IMEI = "004999010640000"
RECORD = SecTagRecord(
    imei=IMEI,
    sec_tag=42,
    device_id="nrf-1",
    key_origin=KeyOrigin.HOST,
    state=CredentialState.ACTIVE,
    digests={0: "A" * 64, 1: "B" * 64, 2: "C" * 64},
    former={},
    certificate_pem="certificate",
    root_ca_pem="root",
    wanted_root="A" * 64,
)


def test_a_record_comes_back_and_goes(records):
    assert records.get(IMEI, 42) is None
    records.put(RECORD)
    assert records.get(IMEI, 42) == RECORD
    assert CredentialRecords(records.folder).get(IMEI, 42) == RECORD
    assert records.get(IMEI, 43) is None
    assert records.get("004999010640018", 42) is None
    changed = updated(RECORD, state=CredentialState.STANDBY)
    records.put(changed)
    assert records.get(IMEI, 42) == changed
    records.remove(IMEI, 42)
    records.remove(IMEI, 42)
    assert records.get(IMEI, 42) is None


def test_files_are_0600_whatever_the_umask_and_leave_nothing_beside(records):
    former = os.umask(0)
    try:
        records.put(RECORD)
        path = records.save_replaced(IMEI, 42, {0: "A" * 64}, {0: "content"})
    finally:
        os.umask(former)
    files = [found for found in records.folder.rglob("*") if found.is_file()]
    assert sorted(files) == sorted([records.folder / f"{IMEI}-42.json", path])
    assert {stat.S_IMODE(found.stat().st_mode) for found in files} == {0o600}


def test_two_replacements_are_two_files(records):
    paths = {records.save_replaced(IMEI, 42, {}, {0: text}) for text in ("a", "b")}
    assert len(paths) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"imei": "1"}', '{"unknown": 1}'])
def test_a_broken_record_is_misuse_that_names_the_file(records, text):
    records.put(RECORD)
    path = records.folder / f"{IMEI}-42.json"
    path.write_text(text)
    with pytest.raises(Misuse, match="not a record of the harness") as caught:
        records.get(IMEI, 42)
    assert str(path) in str(caught.value)
    assert "adopt: true" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_is_misuse(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Misuse, match="make the folder writable") as caught:
        CredentialRecords(tmp_path / "file").put(RECORD)
    assert "\n" not in str(caught.value)
    with pytest.raises(Misuse, match="must be able to read"):
        CredentialRecords(tmp_path / "file").get(IMEI, 42)


@pytest.mark.parametrize(
    ("state", "kind", "digest", "ours"),
    [
        (CredentialState.ACTIVE, 0, "A" * 64, True),
        (CredentialState.STANDBY, 2, "C" * 64, True),
        (CredentialState.ACTIVE, 0, "B" * 64, False),
        (CredentialState.ACTIVE, 3, "A" * 64, False),
        (CredentialState.ACTIVE, 1, "F" * 64, False),
        (CredentialState.WRITING, 1, "F" * 64, True),
        (CredentialState.WRITING, 0, "F" * 64, False),
        (CredentialState.WRITING, 2, "0" * 64, True),
        (CredentialState.ACTIVE, 2, "0" * 64, False),
    ],
)
def test_what_the_harness_wrote(state, kind, digest, ours):
    record = updated(RECORD, state=state, former={1: "F" * 64})
    assert record.wrote(kind, digest) is ours


def test_a_record_of_version_0_1_is_read(tmp_path):
    records = CredentialRecords(tmp_path)
    records.put(RECORD)
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text().replace('"key_origin"', '"way"'))
    assert records.get(IMEI, 42) == RECORD
