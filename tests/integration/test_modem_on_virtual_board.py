"""The modem layer against a virtual board, through a real pty."""

import hashlib
import json
import select
import subprocess
import sys

import pytest
from cryptography import x509

from harness.at import AtError, AtPort
from harness.credentials import LabCa
from harness.errors import Misuse
from harness.modem import CredentialKind, DigestMismatch, Modem, StoredCredential
from harness.timeline import Timeline

SEC_TAG = 16842753
_START = 20.0


@pytest.fixture(scope="module")
def board():
    """What the stand-ins' process says of its one board."""
    command = [sys.executable, "-m", "harness.virtual", "--no-cloud", "--boards", "1", "--die-with-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        ready, _, _ = select.select([process.stdout], [], [], _START)
        assert ready, f"the stand-ins did not start within {_START:g} s"
        yield json.loads(process.stdout.readline())["boards"][0]
        process.stdin.close()
        assert process.wait(_START) == 0


@pytest.fixture
def timeline():
    return Timeline()


@pytest.fixture
def modem(board, timeline):
    with AtPort.open(board["port"], name=board["name"], timeline=timeline) as port:
        port.sync()
        modem = Modem(port, sec_tags=[SEC_TAG])
        modem.prepare()
        modem.set_functional_mode(4)
        for kind in (0, 1, 2):
            modem.credentials.delete(SEC_TAG, kind)
        yield modem


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return LabCa.load_or_create(tmp_path_factory.mktemp("ca"))


def test_identity(modem, board):
    identity = modem.identity()
    assert (identity.imei, identity.device_uuid) == (board["imei"], board["device_uuid"])
    assert identity.manufacturer == "Nordic Semiconductor ASA"
    assert identity.model.startswith("nRF9151")
    assert identity.firmware.startswith("mfw_nrf91x1_")
    assert identity.hardware.startswith("nRF9151")


def test_registration_is_an_event(modem):
    assert not modem.registration().registered
    registration = modem.register(timeout=30.0)
    assert registration.registered
    assert registration.act in (7, 9)
    assert len(registration.cell_id) == 8
    assert modem.functional_mode() == 1
    assert modem.registration().status == registration.status
    again = modem.register(timeout=30)
    assert again.registered


def test_credentials_are_written_verified_read_and_deleted(modem, ca):
    store = modem.credentials
    for content in (ca.certificate_pem, ca.certificate_pem.replace("\n", "\r\n"), ca.certificate_pem.rstrip("\n")):
        store.write(SEC_TAG, CredentialKind.ROOT_CA, content)
        store.verify(SEC_TAG, CredentialKind.ROOT_CA, content)
        assert store.read(SEC_TAG, CredentialKind.ROOT_CA) == content
        digest = hashlib.sha256(content.encode()).hexdigest().upper()
        assert store.list(SEC_TAG) == [StoredCredential(SEC_TAG, CredentialKind.ROOT_CA, digest)]
        with pytest.raises(DigestMismatch):
            store.verify(SEC_TAG, CredentialKind.ROOT_CA, content + "\n")
    assert store.delete(SEC_TAG, CredentialKind.ROOT_CA) is True
    assert store.delete(SEC_TAG, CredentialKind.ROOT_CA) is False
    assert store.list(SEC_TAG) == []
    assert not store.exists(SEC_TAG, CredentialKind.ROOT_CA)


def test_an_active_modem_refuses_writes_and_offline_makes_room(modem, ca):
    modem.set_functional_mode(1)
    with pytest.raises(AtError) as caught:
        modem.credentials.write(SEC_TAG, CredentialKind.ROOT_CA, ca.certificate_pem)
    assert caught.value.code == 518
    with modem.offline():
        assert modem.functional_mode() == 4
        modem.credentials.write(SEC_TAG, CredentialKind.ROOT_CA, ca.certificate_pem)
    assert modem.functional_mode() == 1
    modem.credentials.verify(SEC_TAG, CredentialKind.ROOT_CA, ca.certificate_pem)


def test_a_key_is_made_once(modem, board):
    made = modem.generate_key(SEC_TAG)
    assert made.common_name == made.device_uuid == board["device_uuid"]
    assert made.sec_tag == SEC_TAG
    assert x509.load_pem_x509_csr(made.csr_pem.encode()).is_signature_valid
    assert modem.credentials.exists(SEC_TAG, CredentialKind.PRIVATE_KEY)
    with pytest.raises(AtError) as caught:
        modem.generate_key(SEC_TAG)
    assert caught.value.code == 519
    with pytest.raises(AtError) as unreadable:
        modem.credentials.read(SEC_TAG, CredentialKind.PRIVATE_KEY)
    assert unreadable.value.code == 514


def test_a_key_with_a_subject_and_a_usage(modem):
    made = modem.generate_key(SEC_TAG, subject="CN=nrf-352656100000000,O=Lab", key_usage="101010000")
    assert made.common_name == "nrf-352656100000000"
    usage = made.csr.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.content_commitment, usage.key_encipherment) == (True, False, True)


def test_a_usage_without_a_subject(modem, board):
    made = modem.generate_key(SEC_TAG, key_usage="1")
    assert made.common_name == board["device_uuid"]


def test_a_wrong_ca_for_a_block(modem, ca, tmp_path):
    other = LabCa.load_or_create(tmp_path).certificate_pem
    store, kind = modem.credentials, CredentialKind.ROOT_CA
    store.write(SEC_TAG, kind, ca.certificate_pem)
    modem.set_functional_mode(1)
    with store.replaced(SEC_TAG, kind, other, former=ca.certificate_pem):
        store.verify(SEC_TAG, kind, other)
        assert modem.functional_mode() == 1
    store.verify(SEC_TAG, kind, ca.certificate_pem)
    assert modem.functional_mode() == 1


def test_other_sec_tags_stay_untouched(modem, timeline):
    before = modem.credentials.list()
    mark = timeline.mark()
    with pytest.raises(Misuse):
        modem.credentials.delete(4294967294, 6)
    with pytest.raises(Misuse):
        modem.generate_key(SEC_TAG + 1)
    assert timeline.since(mark) == []
    assert modem.credentials.list() == before
    assert [item.kind for item in before if item.sec_tag > 2**31] == [10, 6, 11]
