import hashlib
import json
import stat
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from harness.credentials import KeyOrigin, ProvisionRequest
from harness.credentials import slot as slot_module
from harness.errors import Misuse
from harness.modem import digest_of
from tests.unit.credentials.fake_board import IMEI, FakeBoard
from tests.unit.credentials.over_the_air import provision

DEVICE_ID = "nrf-352656100000000"


@pytest.fixture
def request_for(ca, root_ca, records):
    def make(**changes):
        plain = ProvisionRequest(DEVICE_ID, (42,), KeyOrigin.DEVICE, ca, root_ca, records)
        return replace(plain, **changes)

    return make


def _provision(board, request, keys):
    return provision(board.modem, request, cloud_keys=keys)


def _key_of(pem):
    return load_pem_private_key(pem.encode(), password=None).public_key()


# the ways that write the board from here


def test_the_device_way(request_for, keys, ca, root_ca):
    board = FakeBoard()
    made = _provision(board, request_for(), keys)
    assert board.port.sent[:3] == ["AT+CGSN=1", "AT%CMNG=1,42", "AT+CGMR"]
    assert board.writes == ["AT%KEYGEN=42,2,0", "AT%CMNG=0,42,0", "AT%CMNG=0,42,1"]
    assert board.port.sent[-2:] == ["AT%CMNG=1,42", "AT+CFUN=1"]
    assert board.items == {(42, 0): root_ca, (42, 1): made.certificate_pem, (42, 2): "key 1 of the device"}
    assert made.certificate.public_key() == board.keys[0].public_key() == made.keygen.public_key
    made.certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(ca.certificate_pem.encode()))
    assert made.certificate.subject.rfc4514_string() == f"CN={DEVICE_ID}"
    assert (made.device_id, made.sec_tag, made.key_origin, made.kept) == (DEVICE_ID, 42, KeyOrigin.DEVICE, False)
    assert (made.reason, made.chain_pem, made.saved) == ("sec_tag 42: empty", None, None)
    assert made.certificate_id == hashlib.sha256(made.certificate.public_bytes(Encoding.DER)).hexdigest()
    assert made.security == "more secure: private key made on the device, never left it"


def test_the_host_way(request_for, keys, ca, root_ca):
    board = FakeBoard()
    made = _provision(board, request_for(key_origin=KeyOrigin.HOST), keys)
    assert board.writes == ["AT%CMNG=0,42,0", "AT%CMNG=0,42,1", "AT%CMNG=0,42,2"]
    assert board.items[42, 0] == root_ca
    assert board.items[42, 1] == made.certificate_pem
    assert _key_of(board.items[42, 2]) == made.public_key
    assert board.items[42, 2].startswith("-----BEGIN PRIVATE KEY-----\n")
    made.certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(ca.certificate_pem.encode()))
    assert made.keygen is None
    assert made.security.startswith("less secure: private key made on this computer")


def test_the_cloud_way(request_for, keys):
    board = FakeBoard()
    made = _provision(board, request_for(key_origin=KeyOrigin.CLOUD), keys)
    (handed_out,) = keys.made
    assert keys.asked == [DEVICE_ID]
    assert board.items == {
        (42, 0): handed_out.ca_pem,
        (42, 1): handed_out.certificate_pem,
        (42, 2): handed_out.private_key_pem,
    }
    assert made.chain_pem == handed_out.certificate_pem
    assert handed_out.certificate_pem.startswith(made.certificate_pem)
    assert made.certificate_pem.count("BEGIN") == 1
    assert made.security.startswith("less secure: private key made by nRF Cloud")


@pytest.mark.parametrize("mode", [0, 1, 4])
@pytest.mark.parametrize("origin", list(KeyOrigin))
def test_the_modem_is_offline_for_writing_and_returns_to_its_mode(request_for, keys, origin, mode):
    board = FakeBoard(mode=mode)
    _provision(board, request_for(key_origin=origin), keys)
    assert board.mode == mode
    if origin is not KeyOrigin.CLAIM:  # its board goes offline by itself
        assert [sent for sent in board.port.sent if sent.startswith("AT+CFUN=")] == (
            ["AT+CFUN=4", "AT+CFUN=1"] if mode == 1 else []
        )


@pytest.mark.parametrize("origin", list(KeyOrigin))
def test_each_step_that_takes_time_is_told(request_for, keys, origin):
    told = []
    _provision(FakeBoard(), request_for(key_origin=origin, progress=told.append), keys)
    assert told[0] == "reading what the modem holds"
    assert len(told) == 3
    assert told[-1] == "writing and verifying credentials"


# kept


@pytest.mark.parametrize("origin", list(KeyOrigin))
def test_valid_credentials_are_kept_without_a_write(request_for, keys, origin):
    board = FakeBoard()
    first = _provision(board, request_for(key_origin=origin), keys)
    before, sent = dict(board.items), len(board.port.sent)
    second = _provision(board, request_for(key_origin=origin), keys)
    assert board.items == before
    assert board.port.sent[sent:] == ["AT+CGSN=1", "AT%CMNG=1,42"]
    assert second.kept
    assert second.reason.startswith("valid until 20")
    assert second.certificate_id == first.certificate_id
    assert (second.certificate_pem, second.chain_pem) == (first.certificate_pem, first.chain_pem)
    assert (second.root_ca_pem, second.key_origin) == (first.root_ca_pem, origin)
    assert second.keygen is None


def _other_root(request, board, ca, records):
    return replace(request, root_ca_pem=ca.certificate_pem)


def _other_device(request, board, ca, records):
    return replace(request, device_id="nrf-2")


def _other_way(request, board, ca, records):
    return replace(request, key_origin=KeyOrigin.HOST)


def _certificate_gone(request, board, ca, records):
    del board.items[42, 1]
    return request


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_other_root, "another root CA"),
        (_other_device, f"credentials of {DEVICE_ID}"),
        (_other_way, "key made the device way"),
        (_certificate_gone, "other digests"),
    ],
)
def test_what_is_not_as_asked_is_replaced_without_leave(request_for, keys, ca, records, change, reason):
    board = FakeBoard()
    first = _provision(board, request_for(), keys)
    request = change(request_for(), board, ca, records)
    second = _provision(board, request, keys)
    assert not second.kept
    assert reason in second.reason
    assert second.certificate_id != first.certificate_id
    assert second.certificate.subject.rfc4514_string() == f"CN={request.device_id}"
    assert board.items[42, 0] == request.root_ca_pem
    assert _provision(board, request, keys).kept


@pytest.mark.parametrize(("days", "reason"), [(3649, "certificate ends on 20"), (3651, "certificate expired on 20")])
def test_a_certificate_at_its_end_is_replaced(request_for, keys, monkeypatch, days, reason):
    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=days, hours=12)

    board = FakeBoard()
    first = _provision(board, request_for(), keys)
    monkeypatch.setattr(slot_module, "datetime", Later)
    second = _provision(board, request_for(), keys)
    assert not second.kept
    assert reason in second.reason
    assert second.certificate_id != first.certificate_id


def test_renewing_as_asked(request_for, keys):
    board = FakeBoard()
    first = _provision(board, request_for(), keys)
    second = _provision(board, request_for(renew=True), keys)
    assert (second.kept, second.reason) == (False, "renewed as asked")
    assert second.public_key != first.public_key
    assert board.items[42, 1] == second.certificate_pem
    saved = json.loads(second.saved.read_text())
    assert saved["contents"] == {"0": first.root_ca_pem, "1": first.certificate_pem}
    # What has not changed is not written again, and a key is deleted only to make room for one of the device.
    assert board.writes[3:] == ["AT%CMNG=3,42,2", "AT%KEYGEN=42,2,0", "AT%CMNG=0,42,1"]


# sec_tag safety


def _foreign(board, sec_tag=42):
    board.items |= {(sec_tag, 0): "old root", (sec_tag, 1): "old certificate", (sec_tag, 2): "old key"}
    return dict(board.items)


def test_foreign_content_needs_leave(request_for, keys):
    board = FakeBoard()
    before = _foreign(board)
    with pytest.raises(
        Misuse, match=r"sec_tag 42 .* did not write \(type 0, 1, 2; no record in .*records\): set adopt: true"
    ) as caught:
        _provision(board, request_for(), keys)
    assert "\n" not in str(caught.value)
    assert board.items == before
    assert board.writes == []
    assert board.mode == 1


def test_one_foreign_item_among_own_ones_needs_leave(request_for, keys):
    board = FakeBoard()
    _provision(board, request_for(), keys)
    board.items[42, 1] = "another certificate"
    with pytest.raises(Misuse, match=r"\(type 1; "):
        _provision(board, request_for(), keys)


def test_a_wrong_root_ca_that_a_killed_test_left_needs_no_leave(request_for, keys, root_ca):
    board = FakeBoard()
    first = _provision(board, request_for(key_origin=KeyOrigin.HOST), keys)
    board.items[42, 0] = "a stranger's root"
    second = _provision(board, request_for(key_origin=KeyOrigin.HOST), keys)
    assert second.reason == "sec_tag 42: the modem lists other digests than the harness wrote"
    assert board.items[42, 0] == root_ca
    assert json.loads(second.saved.read_text())["contents"] == {"0": "a stranger's root", "1": first.certificate_pem}


def test_adopted_content_is_saved_first(request_for, keys, records):
    board = FakeBoard()
    before = _foreign(board)
    seen = []
    board.fail("AT%CMNG=3", lambda command: (seen.extend(records.folder.glob("replaced/*")), board.answer(command))[1])
    made = _provision(board, request_for(adopt=True), keys)
    assert seen == [made.saved]
    assert board.items[42, 1] == made.certificate_pem
    saved = json.loads(made.saved.read_text())
    assert saved["imei"] == IMEI
    assert saved["contents"] == {"0": "old root", "1": "old certificate"}
    assert saved["digests"]["2"] == digest_of(before[42, 2])
    assert stat.S_IMODE(made.saved.stat().st_mode) == 0o600


def test_what_cannot_be_read_back_is_saved_by_its_digest(request_for, keys):
    board = FakeBoard()
    board.readable = {0}
    _foreign(board)
    made = _provision(board, request_for(adopt=True), keys)
    saved = json.loads(made.saved.read_text())
    assert saved["contents"] == {"0": "old root"}
    assert sorted(saved["digests"]) == ["0", "1", "2"]


def test_a_key_is_never_asked_for(request_for, keys):
    board = FakeBoard()
    board.readable = {0, 1, 2, 3, 4}
    _foreign(board)
    made = _provision(board, request_for(adopt=True), keys)
    assert "old key" not in made.saved.read_text()
    assert "AT%CMNG=2,42,2" not in board.port.sent


def test_other_kinds_and_other_sec_tags_stay(request_for, keys):
    board = FakeBoard()
    board.items |= {(42, 3): "psk", (42, 4): "identity", (7, 0): "other", (4294967294, 6): "reserved"}
    before = dict(board.items)
    with pytest.raises(Misuse, match=r"\(type 3, 4; "):
        _provision(board, request_for(), keys)
    _provision(board, request_for(adopt=True), keys)
    assert before.items() <= board.items.items()


def test_an_empty_sec_tag_is_taken_rather_than_a_foreign_one(request_for, keys):
    board = FakeBoard(sec_tags=(42, 43))
    before = _foreign(board)
    made = _provision(board, request_for(sec_tags=(42, 43), adopt=True), keys)
    assert made.sec_tag == 43
    assert before.items() <= board.items.items()
    assert made.saved is None
    assert (made.commit(), made.rollback()) == (False, False)
    assert before.items() <= board.items.items()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sec_tags": (43,)}, "sec_tag 43 does not belong to this board"),
        ({"sec_tags": (42, 43)}, "sec_tag 43 does not belong to this board"),
        ({"sec_tags": (4294967294,)}, "reserved"),
        ({"sec_tags": ()}, "at least one expected"),
        ({"sec_tags": (42, 42)}, "each once"),
        ({"device_id": "a b"}, "device id"),
        ({"root_ca_pem": ""}, "root CA for the board: no certificate in PEM"),
        ({"root_ca_pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}, "no readable certificate"),
    ],
)
def test_misuse_comes_before_anything_is_sent(request_for, keys, changes, reason):
    board = FakeBoard()
    with pytest.raises(Misuse, match=reason) as caught:
        _provision(board, request_for(**changes), keys)
    assert "\n" not in str(caught.value)
    assert board.port.sent == []
    assert keys.asked == []


def test_a_root_ca_that_does_not_fit_the_command_line(request_for, keys, root_ca):
    board = FakeBoard()
    with pytest.raises(Misuse, match="4096"):
        _provision(board, request_for(root_ca_pem=root_ca * 10), keys)
    assert board.port.sent == []


def test_a_key_by_nrf_cloud_without_a_cloud(request_for):
    board = FakeBoard()
    with pytest.raises(Misuse, match="a key made by nRF Cloud needs a cloud"):
        _provision(board, request_for(key_origin=KeyOrigin.CLOUD), None)
    assert board.port.sent == []


def test_firmware_without_key_generation_is_refused_before_the_old_key_goes(request_for, keys):
    board = FakeBoard(firmware="mfw_nrf9160_1.2.7")
    before = _foreign(board)
    with pytest.raises(Misuse, match=r"mfw_nrf9160_1.2.7 has no AT%KEYGEN.*key origin host"):
        _provision(board, request_for(adopt=True), keys)
    assert board.items == before
    _provision(board, request_for(adopt=True, key_origin=KeyOrigin.HOST), keys)
    _provision(FakeBoard(firmware="mfw_nrf9160_1.3.0"), request_for(), keys)
