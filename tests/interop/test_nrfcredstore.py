"""Nordic's nrfcredstore, as its makers ship it, against the virtual board: in AT mode and through a shell.

It is written for the AT client sample and for shells; that it gets on with Serial Modem too is one test.
"""

import hashlib
import re
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from harness.at import AtPort
from harness.credentials import CredentialRecords, KeyOrigin, LabCa, ProvisionRequest, provision
from harness.firmware import open_firmware, port_settings, synchronise
from harness.modem import Modem
from harness.timeline import Timeline
from tests.integration.runs import EARLY
from tests.interop.stand_ins import SEC_TAG, program, run, virtual_board

TOOL = program("nrfcredstore")
pytestmark = [
    pytest.mark.skipif(TOOL is None, reason="nrfcredstore is not installed (pip install nrfcredstore)"),
    pytest.mark.timeout(EARLY),
]

AMAZON = Path(__file__).parents[2] / "harness/cloud/ca/AmazonRootCA1.pem"
_ROW = re.compile(r"(\d+) +([A-Z_]+) +([0-9A-F]{64})")


@pytest.fixture(scope="module", params=["at-client", "shell"])
def firmware(request):
    return request.param


@pytest.fixture(scope="module")
def board(firmware):
    with virtual_board("--firmware", firmware) as board:
        yield board


@pytest.fixture
def tool(board):
    """Return a function that runs one command of nrfcredstore on the board."""
    return partial(nrfcredstore, board)


def nrfcredstore(board, *arguments):
    """Run one command; the tool finds out by itself how the board talks."""
    return run([str(TOOL), board["port"], *map(str, arguments)], ports=(board["port"],))


@pytest.fixture
def harness(board, firmware):
    """Return a context: the same board through the harness. Outside of it the tool has the port."""

    @contextmanager
    def opened():
        settings = port_settings(firmware)
        with AtPort.open(board["port"], name="dk1", timeline=Timeline(), settings=settings) as port:
            synchronise(port, firmware)
            open_firmware(port, firmware)
            modem = Modem(port, sec_tags=[SEC_TAG], at_shell=settings.at_shell)
            modem.prepare()
            yield modem

    return opened


@pytest.fixture
def empty(harness):
    """Nothing is stored at SEC_TAG."""
    with harness() as modem, modem.offline():
        for kind in (0, 1, 2):
            modem.credentials.delete(SEC_TAG, kind)


def stored(listing):
    """Return what the tool lists at SEC_TAG: type to digest."""
    return {kind: digest for tag, kind, digest in _ROW.findall(listing) if int(tag) == SEC_TAG}


def digests(text):
    """Return the SHA-256 that may stand for ``text``: a shell makes CR LF of each line end, see at_shell."""
    kept = {text, text.replace("\n", "\r\n")}
    return {hashlib.sha256(each.encode()).hexdigest().upper() for each in kept}


def test_list_shows_what_every_board_has(tool):
    rows = {(int(tag), kind) for tag, kind, _ in _ROW.findall(tool("list"))}
    assert {(4294967292, "NORDIC_PUB_KEY"), (4294967293, "NORDIC_ID_ROOT_CA"), (4294967294, "DEV_ID_PUB_KEY")} <= rows


def test_imei(tool, board):
    assert tool("imei").strip() == f"IMEI: {board['imei']}"


@pytest.mark.usefixtures("empty")
def test_generate_gives_a_csr_of_the_device(tool, board, tmp_path):
    tool("generate", SEC_TAG, tmp_path / "csr.der")
    csr = x509.load_der_x509_csr((tmp_path / "csr.der").read_bytes())
    assert csr.is_signature_valid
    assert csr.subject.rfc4514_string() == f"CN={board['device_uuid']}"
    assert list(stored(tool("list", "--tag", SEC_TAG))) == ["CLIENT_KEY"]


@pytest.mark.usefixtures("empty")
def test_generate_with_attributes(tool, tmp_path):
    tool("generate", SEC_TAG, tmp_path / "csr.der", "--attributes", "CN=mydevice,O=Lab")
    subject = x509.load_der_x509_csr((tmp_path / "csr.der").read_bytes()).subject
    assert {attribute.value for attribute in subject} == {"mydevice", "Lab"}


def test_attestation_token_has_its_two_parts(tool):
    body, _, cose = tool("attoken").removeprefix("Attestation token: ").strip().partition(".")
    assert body.startswith("2dn3hQFQ")  # self-described CBOR, array of five, message type 1, 16 bytes of UUID
    assert cose.startswith("0oRDoQEmoQRBIfZYQ")  # COSE_Sign1, ES256, device identity key, no payload


@pytest.mark.usefixtures("empty")
def test_a_key_made_elsewhere_is_written(tool, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    tool("write", SEC_TAG, "CLIENT_KEY", tmp_path / "key.pem")
    assert list(stored(tool("list", "--tag", SEC_TAG, "--type", "CLIENT_KEY"))) == ["CLIENT_KEY"]


@pytest.mark.usefixtures("empty")
def test_write_then_delete(tool):
    tool("write", SEC_TAG, "ROOT_CA_CERT", AMAZON)
    assert stored(tool("list"))["ROOT_CA_CERT"] in digests(AMAZON.read_text().rstrip())
    tool("delete", SEC_TAG, "ROOT_CA_CERT")
    assert stored(tool("list")) == {}


@pytest.mark.usefixtures("empty")
def test_the_harness_finds_what_the_tool_wrote(tool, harness, tmp_path, board):
    """Key made and certificates written by the tool; the harness issues between and checks afterwards."""
    ca = LabCa.load_or_create(tmp_path / "ca")
    tool("generate", SEC_TAG, tmp_path / "csr.der")
    certificate = ca.issue(x509.load_der_x509_csr((tmp_path / "csr.der").read_bytes()), device_id=board["device_uuid"])
    (tmp_path / "certificate.pem").write_text(certificate)
    tool("write", SEC_TAG, "ROOT_CA_CERT", AMAZON)
    tool("write", SEC_TAG, "CLIENT_CERT", tmp_path / "certificate.pem")
    with harness() as modem:
        found = {item.kind: item.digest for item in modem.credentials.list(SEC_TAG)}
    assert set(found) == {0, 1, 2}
    assert found[0] in digests(AMAZON.read_text().rstrip())
    assert found[1] in digests(certificate.rstrip())


@pytest.mark.usefixtures("empty")
def test_the_tool_finds_what_the_harness_wrote(tool, harness, tmp_path, board):
    ca, records = LabCa.load_or_create(tmp_path / "ca"), CredentialRecords(tmp_path / "records")
    root = AMAZON.read_text()
    request = ProvisionRequest(board["device_uuid"], (SEC_TAG,), KeyOrigin.DEVICE, ca, root, records)
    with harness() as modem:
        made = provision(modem, request)
        held = {item.kind: item.digest for item in modem.credentials.list(SEC_TAG)}
    listed = stored(tool("list", "--tag", SEC_TAG))
    assert listed == {"ROOT_CA_CERT": held[0], "CLIENT_CERT": held[1], "CLIENT_KEY": held[2]}
    assert listed["ROOT_CA_CERT"] in digests(root)
    assert listed["CLIENT_CERT"] in digests(made.certificate_pem)
    with harness() as modem:
        assert provision(modem, request).kept
    tool("delete", SEC_TAG, "CLIENT_CERT")
    with harness() as modem:
        assert not provision(modem, request).kept


def test_the_board_goes_back_and_forth_between_tools(tool, harness, board):
    """Each opens and closes the port; the board keeps its state, and nobody trips over what another left."""
    for _ in range(2):
        assert board["imei"] in tool("imei")
        with harness() as modem:
            assert modem.identity().imei == board["imei"]


def test_a_serial_modem(tmp_path):
    with virtual_board("--firmware", "serial-modem") as board:
        assert board["imei"] in nrfcredstore(board, "imei")
        nrfcredstore(board, "generate", SEC_TAG, tmp_path / "csr.der")
        nrfcredstore(board, "write", SEC_TAG, "ROOT_CA_CERT", AMAZON)
        listed = stored(nrfcredstore(board, "list"))
    assert set(listed) == {"ROOT_CA_CERT", "CLIENT_KEY"}
    assert listed["ROOT_CA_CERT"] in digests(AMAZON.read_text().rstrip())
