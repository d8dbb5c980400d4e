"""Mutual TLS with every wrong credential that a board can hold, in a sec_tag beside its own.

To write there takes the modem off the network, which costs 5 to 10 s. So the sec_tag keeps what it holds until a test
wants something else: tests that want the same stand together.

Serial Modem gives no reason when TLS does not come up, so the right credentials connect to the same host and port
before and after each refusal. Sources disagree whether AWS IoT refuses a certificate by a TLS alert or by closing after
CONNECT, and it has changed over the years: if the certificate is the fault, both count.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.cloud import NrfCloud, RestError
from harness.credentials import LabCa
from harness.modem import CredentialKind
from harness.run import Board
from harness.trial import Outcome, nonce
from tests.scenarios.conftest import SoftwareDevice, software_device
from tests.scenarios.expected import allowed, connect, expectations_of, forbidden

CERTIFICATE_REFUSED = (Outcome.REFUSED_IN_TLS, Outcome.REFUSED_AT_CONNECT)
KINDS = (CredentialKind.ROOT_CA, CredentialKind.CLIENT_CERT, CredentialKind.PRIVATE_KEY)

Contents = Mapping[CredentialKind, str]
Holding = Callable[..., Callable[[], AbstractContextManager[None]]]


def pem_of(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def self_signed(key: ec.EllipticCurvePrivateKey, name: str, *, start: timedelta, end: timedelta) -> str:
    """A self-signed certificate; ``start`` and ``end`` from now."""
    subject, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + start)
        .not_valid_after(now + end)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture(autouse=True)
def framed(device, board, provisioned):
    """Every trial here has the right login before and after it."""
    allowed(board, connect(board.device.id))


@pytest.fixture
def key():
    return ec.generate_private_key(ec.SECP256R1())


class SpareSecTag:
    """A sec_tag of a board other than that of its own credentials, and what it holds; None: nobody knows."""

    def __init__(self, board: Board, sec_tag: int) -> None:
        self.sec_tag = sec_tag
        self._board = board
        self._holds: Contents | None = None

    def hold(self, contents: Contents) -> None:
        """Have it hold this and nothing else, and the modem registered."""
        if contents == self._holds:
            return
        former, self._holds = self._holds, None
        modem = self._board.opened.modem
        with modem.offline():
            for kind in KINDS:
                if kind in contents and (former is None or former.get(kind) != contents[kind]):
                    modem.credentials.write(self.sec_tag, kind, contents[kind])
                elif kind not in contents and (former is None or kind in former):
                    modem.credentials.delete(self.sec_tag, kind)
        modem.register()
        self._holds = contents

    def clear(self) -> None:
        """Leave it empty; a board that is out by now keeps what it has."""
        if self._board.alive:
            self.hold({})


@dataclass
class Shared:
    """What the tests of this file share on one board. The first that wants it makes it."""

    ends: ExitStack = field(default_factory=ExitStack)
    spare: SpareSecTag | None = None
    bystander: SoftwareDevice | None = None


@pytest.fixture(scope="module")
def shared(_board: Board) -> Iterator[Shared]:
    made = Shared()
    with made.ends:
        yield made


@pytest.fixture
def bystander(shared: Shared, cloud: NrfCloud, tmp_path_factory) -> SoftwareDevice:
    """One for all tests of this file."""
    if shared.bystander is None:
        shared.bystander = shared.ends.enter_context(software_device(cloud, tmp_path_factory.mktemp("bystander")))
    return shared.bystander


@pytest.fixture
def spare(board, provisioned, shared: Shared) -> SpareSecTag | None:
    """None: the board has one sec_tag only."""
    tags = [tag for tag in board.config.all_sec_tags if tag != provisioned.credentials.sec_tag]
    if shared.spare is None and tags:
        shared.spare = SpareSecTag(board, tags[0])
        shared.ends.callback(shared.spare.clear)
    return shared.spare


@pytest.fixture
def holding(spare: SpareSecTag | None, provisioned) -> Holding:
    """Make circumstances in which the spare sec_tag holds only these credentials and the cloud's root CA."""

    def circumstances(certificate_pem: str | None = None, key_pem: str | None = None, root_ca_pem: str | None = None):
        pems = (root_ca_pem or provisioned.credentials.root_ca_pem, certificate_pem, key_pem)
        contents = {kind: pem for kind, pem in zip(KINDS, pems, strict=True) if pem is not None}

        @contextmanager
        def held():
            spare.hold(contents)
            yield

        return held

    return circumstances


@pytest.fixture
def login(board, spare: SpareSecTag | None):
    """The board's login, with the credentials of the spare sec_tag."""
    if spare is None:
        pytest.skip("needs a second sec_tag: sec_tags: [16842753, 16842754] in the boards file")
    return replace(board.device.login(), sec_tag=spare.sec_tag)


class TestRefusedCertificates:
    def test_no_client_certificate(self, trial, login, holding):
        trial.connect(login, difference="no client certificate", during=holding()).expect(*CERTIFICATE_REFUSED)

    def test_certificate_of_an_unknown_ca(self, trial, login, holding, key, provisioned):
        certificate = self_signed(key, provisioned.device_id, start=-timedelta(days=1), end=timedelta(days=1))
        trial.connect(
            login, difference="a certificate that was never registered", during=holding(certificate, pem_of(key))
        ).expect(*CERTIFICATE_REFUSED)

    def test_certificate_of_a_deleted_device(self, trial, login, holding, cloud, key):
        device_id = f"harness-deleted-{nonce()}"
        certificate = self_signed(key, device_id, start=-timedelta(days=1), end=timedelta(days=1))
        cloud.onboard_device(device_id, certificate)
        cloud.wait_device(device_id)
        cloud.delete_device(device_id)
        trial.connect(
            replace(login, client_id=device_id),
            difference="the certificate of a device that was deleted",
            during=holding(certificate, pem_of(key)),
        ).expect(*CERTIFICATE_REFUSED)

    @pytest.mark.parametrize(
        ("words", "start", "end"),
        [("expired", -30, -1), ("not yet valid", 1, 30)],
        ids=["expired", "not-yet-valid"],
    )
    def test_certificate_out_of_its_time(self, trial, login, holding, cloud, key, evidence, words, start, end):
        device_id = f"harness-time-{nonce()}"
        certificate = self_signed(key, device_id, start=timedelta(days=start), end=timedelta(days=end))
        try:
            cloud.onboard_device(device_id, certificate)
        except RestError as refused:
            # UNCONFIRMED: does nRF Cloud take such a certificate at all? Not taking it is a refusal too.
            evidence(f"A certificate that is {words} was refused when it was onboarded: {refused}.")
            return
        cloud.wait_device(device_id)
        try:
            trial.connect(
                replace(login, client_id=device_id),
                difference=f"a registered certificate that is {words}",
                during=holding(certificate, pem_of(key)),
            ).expect(*CERTIFICATE_REFUSED)
        finally:
            cloud.delete_device(device_id)

    def test_device_with_a_registered_key_only(self, trial, login, holding, key_only):
        """REST knows the device's key, but MQTT needs a registered certificate, and it has none."""
        certificate = self_signed(key_only.key, key_only.device_id, start=-timedelta(days=1), end=timedelta(days=1))
        trial.connect(
            replace(login, client_id=key_only.device_id),
            difference="a certificate for a key that is registered without one",
            during=holding(certificate, pem_of(key_only.key)),
        ).expect(*CERTIFICATE_REFUSED)

    def test_key_that_does_not_match(self, trial, login, holding, bystander, key):
        trial.connect(
            replace(login, client_id=bystander.device_id),
            difference="a registered certificate with another key",
            during=holding(bystander.certificate_pem, pem_of(key)),
        ).expect(*CERTIFICATE_REFUSED)


class TestRefusedIdentities:
    @pytest.mark.violation
    def test_violation_certificate_of_another_device_with_the_own_client_id(
        self, board, trial, login, holding, bystander
    ):
        forbidden(expectations_of(board, bystander.device_id), connect(login.client_id))
        trial.connect(
            login,
            difference="the certificate of another device of the team",
            during=holding(bystander.certificate_pem, pem_of(bystander.key)),
        ).expect(Outcome.REFUSED_AT_CONNECT)

    @pytest.mark.violation
    def test_violation_own_certificate_with_the_client_id_of_another_device(self, trial, board, bystander):
        forbidden(board, connect(bystander.device_id))
        wrong = replace(board.device.login(), client_id=bystander.device_id)
        trial.connect(wrong, difference="the client id of another device of the team").expect(
            Outcome.REFUSED_AT_CONNECT
        )

    def test_certificate_of_another_device_with_its_own_client_id(self, board, trial, login, holding, bystander):
        """The counter-check of this file: right credentials in the spare sec_tag do work."""
        allowed(expectations_of(board, bystander.device_id), connect(bystander.device_id))
        trial.connect(
            replace(login, client_id=bystander.device_id),
            difference="the certificate and the client id of another device",
            during=holding(bystander.certificate_pem, pem_of(bystander.key)),
        ).expect(Outcome.TOLERATED)


class TestRefusedServers:
    def test_wrong_host_name(self, trial, board):
        """The right server under a name that its certificate does not have: the board must not talk to it."""
        endpoints = board.cloud.endpoints
        host = endpoints.other_name or socket.gethostbyname(endpoints.device_mqtt[0])
        trial.connect(
            replace(board.device.login(), host=host), difference="a host name that is not in the server's certificate"
        ).expect(Outcome.REFUSED_IN_TLS)

    def test_wrong_root_ca(self, request, trial, spare, tmp_path):
        """A board that trusts another CA must not talk to the cloud. Only the trust differs, so it fails in TLS."""
        stranger = LabCa.load_or_create(tmp_path / "stranger").certificate_pem
        which = "own_login_trusting" if spare is None else "bystanders_login_trusting"
        login, trusting = request.getfixturevalue(which)
        trial.connect(
            login, difference="a root CA on the board that did not sign the cloud", during=trusting(stranger)
        ).expect(Outcome.REFUSED_IN_TLS)


@pytest.fixture
def bystanders_login_trusting(trial, login, holding, bystander):
    """Another device's login in the spare sec_tag, and circumstances with another root CA. It works with the right one.

    The board's own key cannot be moved there.
    """
    theirs = replace(login, client_id=bystander.device_id)
    credentials = (bystander.certificate_pem, pem_of(bystander.key))
    trial.connect(
        theirs, difference="the certificate and the client id of another device", during=holding(*credentials)
    ).expect(Outcome.TOLERATED)
    return theirs, lambda root_ca_pem: holding(*credentials, root_ca_pem)


@pytest.fixture
def own_login_trusting(board, modem, provisioned):
    """The board's own login, whose root CA is written anew whenever the coin falls the other way."""

    def circumstances(root_ca_pem: str):
        sec_tag, ours = board.device.sec_tag, provisioned.credentials.root_ca_pem

        @contextmanager
        def trusting():
            with modem.credentials.replaced(sec_tag, CredentialKind.ROOT_CA, root_ca_pem, former=ours):
                modem.register()
                yield
            modem.register()

        return trusting

    return board.device.login(), circumstances
