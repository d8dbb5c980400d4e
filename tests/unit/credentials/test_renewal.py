"""Renewal beside the former credentials, and what is left when a step fails."""

import json
from dataclasses import replace

import pytest

from harness.at import AtError, AtFormatError
from harness.credentials import CloudCredentialsMismatch, KeyOrigin, ProvisioningFailed, ProvisionRequest
from harness.credentials.records import CredentialState
from harness.errors import BoardLost, LabError, Misuse, Refusal
from harness.modem import DigestMismatch, KeygenMismatch
from tests.unit.credentials.cloud_keys import make_set
from tests.unit.credentials.fake_board import IMEI, FakeBoard
from tests.unit.credentials.over_the_air import provision
from tests.unit.modem.keygen_maker import make_keygen

DEVICE_ID = "nrf-352656100000000"
BOTH = (42, 43)


@pytest.fixture
def request_for(ca, root_ca, records):
    def make(**changes):
        plain = ProvisionRequest(DEVICE_ID, BOTH, KeyOrigin.DEVICE, ca, root_ca, records)
        return replace(plain, **changes)

    return make


def _at(board, sec_tag):
    return {kind: content for (tag, kind), content in board.items.items() if tag == sec_tag}


# renewal to the other sec_tag


@pytest.mark.parametrize("origin", list(KeyOrigin))
def test_renewal_leaves_the_former_until_it_is_confirmed(request_for, keys, records, origin):
    board = FakeBoard(sec_tags=BOTH)
    first = provision(board.modem, request_for(key_origin=origin), cloud_keys=keys)
    former = _at(board, 42)
    second = provision(board.modem, request_for(key_origin=origin, renew=True), cloud_keys=keys)
    assert (first.sec_tag, second.sec_tag) == (42, 43)
    assert _at(board, 42) == former
    assert sorted(_at(board, 43)) == [0, 1, 2]
    assert second.saved is None
    assert records.get(IMEI, 43).state is CredentialState.STANDBY
    # A run that was killed here goes on with the confirmed ones.
    assert provision(board.modem, request_for(key_origin=origin), cloud_keys=keys).sec_tag == 42
    assert second.commit() is True
    assert _at(board, 42) == {}
    assert records.get(IMEI, 42) is None
    assert records.get(IMEI, 43).state is CredentialState.ACTIVE
    assert board.mode == 1
    assert (second.commit(), second.rollback()) == (False, False)
    kept = provision(board.modem, request_for(key_origin=origin), cloud_keys=keys)
    assert (kept.kept, kept.sec_tag) == (True, 43)
    assert kept.certificate_id == second.certificate_id


def test_rollback_returns_to_the_former(request_for, keys, records):
    board = FakeBoard(sec_tags=BOTH)
    first = provision(board.modem, request_for(), cloud_keys=keys)
    second = provision(board.modem, request_for(renew=True), cloud_keys=keys)
    assert second.rollback() is True
    assert _at(board, 43) == {}
    assert records.get(IMEI, 43) is None
    assert (second.rollback(), second.commit()) == (False, False)
    kept = provision(board.modem, request_for(), cloud_keys=keys)
    assert (kept.kept, kept.sec_tag, kept.certificate_id) == (True, 42, first.certificate_id)


def test_a_standby_that_nobody_confirmed_is_written_over_and_not_the_one_in_use(request_for, keys):
    board = FakeBoard(sec_tags=BOTH)
    provision(board.modem, request_for(), cloud_keys=keys)
    former = _at(board, 42)
    provision(board.modem, request_for(renew=True), cloud_keys=keys)
    third = provision(board.modem, request_for(renew=True), cloud_keys=keys)
    assert third.sec_tag == 43
    assert _at(board, 42) == former
    assert third.commit() is True
    assert _at(board, 42) == {}


def test_a_standby_alone_becomes_the_confirmed_one(request_for, keys, records):
    board = FakeBoard(sec_tags=BOTH)
    provision(board.modem, request_for(), cloud_keys=keys)
    provision(board.modem, request_for(renew=True), cloud_keys=keys)
    for kind in (0, 1, 2):
        del board.items[42, kind]
    kept = provision(board.modem, request_for(), cloud_keys=keys)
    assert (kept.kept, kept.sec_tag) == (True, 43)
    assert records.get(IMEI, 43).state is CredentialState.ACTIVE


def test_back_and_forth(request_for, keys):
    board = FakeBoard(sec_tags=BOTH)
    sec_tags = []
    for _ in range(4):
        made = provision(board.modem, request_for(renew=True), cloud_keys=keys)
        made.commit()
        sec_tags.append(made.sec_tag)
        assert {tag for tag, _ in board.items} == {made.sec_tag}
    assert sec_tags == [42, 43, 42, 43]


def test_a_confirmation_that_fails_can_be_repeated(request_for, keys, records):
    board = FakeBoard(sec_tags=BOTH)
    provision(board.modem, request_for(), cloud_keys=keys)
    second = provision(board.modem, request_for(renew=True), cloud_keys=keys)
    board.fail("AT%CMNG=3,42,2", "+CME ERROR: 528", times=1)
    with pytest.raises(AtError, match="528"):
        second.commit()
    assert records.get(IMEI, 42) is not None
    assert board.mode == 1
    assert second.commit() is True
    assert _at(board, 42) == {}
    assert sorted(_at(board, 43)) == [0, 1, 2]


# failures: the other sec_tag is empty again, the former untouched


FAULTS = [
    ("AT%KEYGEN", "+CME ERROR: 523", AtError),
    ("AT%KEYGEN", "+CME ERROR: 515", AtError),
    ("AT%KEYGEN", [f"%KEYGEN: {make_keygen(7)}", "OK"], KeygenMismatch),
    ("AT%KEYGEN", "ERROR", AtError),
    ("AT%CMNG=0,43,0", "+CME ERROR: 515", AtError),
    ("AT%CMNG=0,43,1", "+CME ERROR: 527", AtError),
    ("AT%CMNG=0,43,1", "OK", DigestMismatch),
]


@pytest.mark.parametrize(("command", "reply", "cause"), FAULTS)
def test_a_failed_renewal_leaves_the_former_untouched(request_for, keys, records, command, reply, cause):
    board = FakeBoard(sec_tags=BOTH)
    first = provision(board.modem, request_for(), cloud_keys=keys)
    before, record = dict(board.items), records.get(IMEI, 42)
    board.fail(command, reply, times=1)
    with pytest.raises(ProvisioningFailed, match="sec_tag 43 is empty as before") as caught:
        provision(board.modem, request_for(renew=True), cloud_keys=keys)
    assert isinstance(caught.value.__cause__, cause)
    assert isinstance(caught.value, Refusal)
    assert "\n" not in str(caught.value)
    assert board.items == before
    assert records.get(IMEI, 42) == record
    assert records.get(IMEI, 43) is None
    assert board.mode == 1
    kept = provision(board.modem, request_for(), cloud_keys=keys)
    assert (kept.kept, kept.certificate_id) == (True, first.certificate_id)


def test_an_answer_that_lost_bytes_is_the_labs_and_leaves_the_former_untouched(request_for, keys):
    board = FakeBoard(sec_tags=BOTH)
    provision(board.modem, request_for(), cloud_keys=keys)
    before = dict(board.items)
    board.fail("AT%KEYGEN", ['%KEYGEN: "rubbish"', "OK"], times=1)
    with pytest.raises(AtFormatError, match="bytes were lost on the way: no flow control") as caught:
        provision(board.modem, request_for(renew=True), cloud_keys=keys)
    assert isinstance(caught.value, LabError)
    assert "Nordic" not in str(caught.value)
    assert caught.value.__notes__ == ["sec_tag 43 is empty as before"]
    assert board.items == before


# failures with a single sec_tag


@pytest.mark.parametrize("origin", [KeyOrigin.HOST, KeyOrigin.CLOUD])
@pytest.mark.parametrize("kind", [0, 1, 2])
@pytest.mark.parametrize("code", [515, 528])
def test_a_refused_write_leaves_everything_as_it_was(request_for, keys, ca, records, origin, kind, code):
    board = FakeBoard()
    request = request_for(sec_tags=(42,), key_origin=origin)
    first = provision(board.modem, request, cloud_keys=keys)
    before, record = dict(board.items), records.get(IMEI, 42)
    keys.changes = {"ca_pem": ca.certificate_pem}
    board.fail(f"AT%CMNG=0,42,{kind}", f"+CME ERROR: {code}", times=1)
    with pytest.raises(ProvisioningFailed, match=f"{code} .*; sec_tag 42 holds its former credentials$"):
        provision(board.modem, replace(request, renew=True, root_ca_pem=ca.certificate_pem), cloud_keys=keys)
    assert board.items == before
    assert records.get(IMEI, 42) == record
    kept = provision(board.modem, request, cloud_keys=keys)
    assert (kept.kept, kept.certificate_id) == (True, first.certificate_id)


@pytest.mark.parametrize(
    ("command", "reply"),
    [("AT%KEYGEN", "+CME ERROR: 523"), ("AT%CMNG=0,42,0", "+CME ERROR: 528"), ("AT%CMNG=0,42,1", "+CME ERROR: 515")],
)
def test_a_key_of_the_device_cannot_come_back_and_the_message_says_so(request_for, keys, ca, command, reply):
    board = FakeBoard()
    request = request_for(sec_tags=(42,))
    provision(board.modem, request, cloud_keys=keys)
    before = dict(board.items)
    board.fail(command, reply, times=1)
    said = r"the device had made it and it existed nowhere else; what could be read back is in its place; provision"
    with pytest.raises(ProvisioningFailed, match=said) as caught:
        provision(board.modem, replace(request, renew=True, root_ca_pem=ca.certificate_pem), cloud_keys=keys)
    assert "\n" not in str(caught.value)
    del before[42, 2]
    assert board.items == before
    # What is left is the harness's own: no leave is needed to try again.
    again = provision(board.modem, request, cloud_keys=keys)
    assert not again.kept
    assert sorted(_at(board, 42)) == [0, 1, 2]


def test_low_voltage_is_refused_before_the_key_goes(request_for, keys):
    board = FakeBoard()
    request = request_for(sec_tags=(42,))
    provision(board.modem, request, cloud_keys=keys)
    before = dict(board.items)
    board.fail("AT%CMNG=3", "+CME ERROR: 528")
    with pytest.raises(ProvisioningFailed, match=r"power-off warning.*sec_tag 42 holds its former credentials$"):
        provision(board.modem, replace(request, renew=True), cloud_keys=keys)
    assert board.items == before


def test_adopted_content_comes_back(request_for, keys):
    board = FakeBoard()
    board.items |= {(42, 0): "old root", (42, 1): "old certificate", (42, 2): "old key"}
    board.fail("AT%CMNG=0,42,2", "+CME ERROR: 515")
    request = request_for(sec_tags=(42,), key_origin=KeyOrigin.HOST, adopt=True)
    with pytest.raises(ProvisioningFailed, match="sec_tag 42 holds its former credentials"):
        provision(board.modem, request, cloud_keys=keys)
    assert board.items == {(42, 0): "old root", (42, 1): "old certificate", (42, 2): "old key"}
    with pytest.raises(Misuse, match="adopt"):
        provision(board.modem, replace(request, adopt=False), cloud_keys=keys)


def test_a_certificate_that_could_not_be_read_is_named(request_for, keys):
    board = FakeBoard()
    board.readable = {0}
    board.items |= {(42, 0): "old root", (42, 1): "old certificate"}
    board.fail("AT%CMNG=0,42,2", "+CME ERROR: 515")
    with pytest.raises(ProvisioningFailed, match="CLIENT_CERT could not be read and cannot come back"):
        provision(board.modem, request_for(sec_tags=(42,), key_origin=KeyOrigin.HOST, adopt=True), cloud_keys=keys)
    assert board.items == {(42, 0): "old root"}


def test_a_board_that_went_away_keeps_the_error_and_leaves_leave_to_go_on(request_for, keys, records):
    board = FakeBoard()
    board.items |= {(42, 0): "old root", (42, 1): "old certificate", (42, 2): "old key"}
    board.fail(lambda command: (42, 2) not in board.items and command.startswith("AT%CMNG"), BoardLost("gone"))
    board.fail("AT%KEYGEN", BoardLost("gone"))
    with pytest.raises(BoardLost, match="gone") as caught:
        provision(board.modem, request_for(sec_tags=(42,), adopt=True), cloud_keys=keys)
    assert any("putting back what sec_tag 42 held failed too: gone" in note for note in caught.value.__notes__)
    assert records.get(IMEI, 42).state is CredentialState.WRITING
    board.mend()
    made = provision(board.modem, request_for(sec_tags=(42,)), cloud_keys=keys)
    assert not made.kept
    assert board.items[42, 1] == made.certificate_pem


@pytest.mark.parametrize("command", ["AT%KEYGEN", "AT%CMNG=0,42,0", "AT%CMNG=0,42,1", "AT%CMNG=1,42"])
def test_a_run_that_was_killed_needs_no_leave_afterwards(request_for, keys, ca, command):
    board = FakeBoard()
    request = request_for(sec_tags=(42,))
    provision(board.modem, request, cloud_keys=keys)
    broken = []

    def dies(sent):
        broken.append(sent)
        raise BoardLost("killed")

    changed = len(board.writes)
    board.fail(lambda sent: bool(broken) or (sent.startswith(command) and len(board.writes) > changed), dies)
    with pytest.raises(BoardLost):
        provision(board.modem, replace(request, renew=True, root_ca_pem=ca.certificate_pem), cloud_keys=keys)
    board.mend()
    assert not provision(board.modem, request, cloud_keys=keys).kept
    assert provision(board.modem, request, cloud_keys=keys).kept


def test_records_that_cannot_be_written_leave_the_board_as_it_was(request_for, keys, records, monkeypatch):
    board = FakeBoard(sec_tags=BOTH)
    provision(board.modem, request_for(), cloud_keys=keys)
    before = dict(board.items)
    put, puts = records.put, []

    def full(record):
        puts.append(record)
        if len(puts) == 2:
            raise Misuse("no space left on device")
        put(record)

    monkeypatch.setattr(records, "put", full)
    with pytest.raises(Misuse, match="no space left") as caught:
        provision(board.modem, request_for(renew=True), cloud_keys=keys)
    assert caught.value.__notes__ == ["sec_tag 43 is empty as before"]
    assert board.items == before


# what nRF Cloud hands out


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client_id": "somebody"}, "they are for 'somebody'"),
        ({"ca_pem": "rubbish"}, "caCert: no certificate in PEM"),
        ({"certificate_pem": ""}, "clientCert: no certificate in PEM"),
        ({"private_key_pem": "rubbish"}, "privateKey: not a private key in PEM"),
    ],
)
def test_wrong_credentials_from_the_cloud(request_for, keys, changes, reason):
    board = FakeBoard()
    request = request_for(sec_tags=(42,), key_origin=KeyOrigin.CLOUD)
    provision(board.modem, request, cloud_keys=keys)
    before = dict(board.items)
    keys.changes = changes
    with pytest.raises(CloudCredentialsMismatch, match=reason) as caught:
        provision(board.modem, replace(request, renew=True), cloud_keys=keys)
    assert "\n" not in str(caught.value)
    assert board.items == before


def test_other_mismatches_from_the_cloud(request_for, keys, ca, root_ca):
    board = FakeBoard()
    other = make_set(ca, root_ca, DEVICE_ID)
    leaf = make_set(ca, root_ca, DEVICE_ID).certificate_pem.split("-----END CERTIFICATE-----\n")[0]
    wrong = {
        "privateKey is not the key of clientCert": {"private_key_pem": other.private_key_pem},
        "CN is": {"certificate_pem": make_set(ca, root_ca, "other").certificate_pem},
        "caCert: a certificate, but not that of a CA": {"ca_pem": leaf + "-----END CERTIFICATE-----\n"},
        "clientCert: a private key beside": {"certificate_pem": other.certificate_pem + other.private_key_pem},
        "privateKey: not a private key in PEM": {"private_key_pem": other.private_key_pem + "rubbish"},
    }
    for reason, changes in wrong.items():
        keys.changes = changes
        with pytest.raises(CloudCredentialsMismatch, match=reason) as caught:
            provision(board.modem, request_for(key_origin=KeyOrigin.CLOUD, sec_tags=(42,)), cloud_keys=keys)
        assert "PRIVATE" not in str(caught.value)
    assert board.writes == []


def test_a_cloud_that_refuses_leaves_the_board_alone(request_for, keys):
    board = FakeBoard()

    def refused(device_id):
        raise Refusal("API key rejected")

    with pytest.raises(Refusal, match="API key rejected"):
        provision(board.modem, request_for(key_origin=KeyOrigin.CLOUD, sec_tags=(42,)), cloud_keys=refused)
    assert board.writes == []


# secrets


@pytest.mark.parametrize("origin", list(KeyOrigin))
def test_no_private_key_in_any_file_or_text(request_for, keys, origin, tmp_path):
    board = FakeBoard(sec_tags=BOTH)
    told = []
    for _ in range(2):
        made = provision(board.modem, request_for(key_origin=origin, renew=True, progress=told.append), cloud_keys=keys)
    private = [content for (_, kind), content in board.items.items() if kind == 2]
    assert len(private) == 2
    files = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 2
    assert {json.loads(text)["key_origin"] for text in files} == {origin.value}
    for text in [*files, *told, repr(made), repr(made.renewal), str(made.reason)]:
        assert "PRIVATE" not in text
        for key in private:
            assert key.splitlines()[min(1, len(key.splitlines()) - 1)] not in text
    # digests are no secrets: the modem lists them to everybody
    assert any(board.digest(43, 2) in text for text in files)
