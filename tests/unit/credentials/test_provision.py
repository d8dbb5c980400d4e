import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from harness.at import AtError
from harness.credentials import DeviceCredentials, LabCa, provision_on_device
from harness.errors import Misuse
from harness.modem import DigestMismatch, KeygenMismatch, Modem
from tests.unit.modem.keygen_maker import DEVICE_UUID, make_csr, make_keygen
from tests.unit.modem.scripted import ScriptedPort

SEC_TAG = 42
DEVICE_ID = "nrf-352656100000000"
KEY = ec.generate_private_key(ec.SECP256R1())
KEYGEN = f"AT%KEYGEN={SEC_TAG},2,0"


class _Store:
    """Just as much of a credential store as provisioning needs."""

    def __init__(self):
        self.items = {}

    def __call__(self, command):
        arguments = command.partition("=")[2]
        opcode, sec_tag, kind, *content = arguments.split(",", 3)
        place = (int(sec_tag), int(kind))
        if opcode == "0":
            self.items[place] = content[0].strip('"')
            return "OK"
        if opcode == "1":
            held = self.items.get(place)
            digest = hashlib.sha256(held.encode()).hexdigest().upper() if held else ""
            return [f'%CMNG: {sec_tag},{kind},"{digest}"', "OK"] if held else "OK"
        return "OK" if self.items.pop(place, None) else "+CME ERROR: 513"


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return LabCa.load_or_create(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def bench():
    store = _Store()
    keygen = make_keygen(SEC_TAG, body=make_csr(KEY, with_null=True))
    port = ScriptedPort(
        {
            "AT+CFUN?": ["+CFUN: 1", "OK"],
            "AT+CFUN=4": "OK",
            "AT+CFUN=1": "OK",
            "AT%DEVICEUUID": [f"%DEVICEUUID: {DEVICE_UUID}", "OK"],
            KEYGEN: [f"%KEYGEN: {keygen}", "OK"],
        },
        default=store,
    )
    return Modem(port.as_port(), sec_tags=[SEC_TAG]), port, store


def _provision(bench, ca, **changes):
    arguments = {"sec_tag": SEC_TAG, "device_id": DEVICE_ID, "ca": ca, "root_ca_pem": ca.certificate_pem} | changes
    return provision_on_device(bench[0], **arguments)


def _short(commands):
    return [command[:14] for command in commands]


@pytest.mark.parametrize("old", [{}, {(SEC_TAG, 0): "old", (SEC_TAG, 1): "old", (SEC_TAG, 2): "old", (7, 0): "other"}])
def test_provisioning(bench, ca, old):
    _, port, store = bench
    store.items.update(old)
    made = _provision(bench, ca)
    assert _short(port.sent) == _short(
        [
            "AT+CFUN?",
            "AT+CFUN=4",
            "AT%CMNG=3,42,0",
            "AT%CMNG=3,42,1",
            "AT%CMNG=3,42,2",
            "AT%DEVICEUUID",
            KEYGEN,
            "AT%CMNG=3,42,0",
            "AT%CMNG=0,42,0",
            "AT%CMNG=1,42,0",
            "AT%CMNG=3,42,1",
            "AT%CMNG=0,42,1",
            "AT%CMNG=1,42,1",
            "AT+CFUN=1",
        ]
    )
    assert store.items == ({(7, 0): "other"} if old else {}) | {
        (SEC_TAG, 0): ca.certificate_pem,
        (SEC_TAG, 1): made.certificate_pem,
    }
    certificate = x509.load_pem_x509_certificate(made.certificate_pem.encode())
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(ca.certificate_pem.encode()))
    assert certificate.public_key() == KEY.public_key()
    assert certificate.subject.rfc4514_string() == f"CN={DEVICE_ID}"


def test_what_reports_need(bench, ca):
    made = _provision(bench, ca)
    assert isinstance(made, DeviceCredentials)
    assert (made.device_id, made.sec_tag, made.root_ca_pem) == (DEVICE_ID, SEC_TAG, ca.certificate_pem)
    assert made.key_made == "on the device, never exposed"
    der = x509.load_pem_x509_certificate(made.certificate_pem.encode()).public_bytes(Encoding.DER)
    assert made.certificate_id == hashlib.sha256(der).hexdigest()
    assert made.keygen.csr.public_key() == KEY.public_key()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sec_tag": 43}, "sec_tag 43"),
        ({"device_id": "a b"}, "device id"),
        ({"root_ca_pem": "no PEM"}, "no certificate in PEM"),
        ({"root_ca_pem": ""}, "no certificate in PEM"),
    ],
)
def test_misuse_comes_before_anything_is_sent(bench, ca, changes, reason):
    with pytest.raises(Misuse, match=reason):
        _provision(bench, ca, **changes)
    assert bench[1].sent == []


def test_root_ca_file_that_does_not_fit_the_command_line_is_misuse(bench, ca):
    with pytest.raises(Misuse, match="bytes"):
        _provision(bench, ca, root_ca_pem=ca.certificate_pem * 10)
    assert bench[1].sent == []


def test_a_key_of_another_device_is_never_signed(bench, ca):
    _, port, store = bench
    other = make_keygen(SEC_TAG, device_uuid="56495254-ffff-4738-800d-1f29e0a0f7bf")
    port.answers[KEYGEN] = [f"%KEYGEN: {other}", "OK"]
    with pytest.raises(KeygenMismatch):
        _provision(bench, ca)
    assert store.items == {}
    assert port.sent[-1] == "AT+CFUN=1"


def test_a_refused_step_brings_the_mode_back(bench, ca):
    _, port, _ = bench
    port.answers[KEYGEN] = "+CME ERROR: 519"
    with pytest.raises(AtError) as caught:
        _provision(bench, ca)
    assert caught.value.code == 519
    assert port.sent[-1] == "AT+CFUN=1"


def test_a_store_that_loses_bytes_is_noticed(bench, ca):
    _, port, store = bench

    def lossy(command):
        reply = store(command)
        if command.startswith("AT%CMNG=0"):
            place = max(store.items)
            store.items[place] = store.items[place][:-1]
        return reply

    port.default = lossy
    with pytest.raises(DigestMismatch, match=r"type 0 \(ROOT_CA\)"):
        _provision(bench, ca)
    assert port.sent[-1] == "AT+CFUN=1"
