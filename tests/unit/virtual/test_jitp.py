"""Just-in-time provisioning: which chains make a device, which are refused, and what is left of either."""

import json
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from harness.virtual.cloud.broker.interfaces import CERTIFICATE_EXPIRED, CERTIFICATE_UNKNOWN
from harness.virtual.cloud.formats import now_utc
from harness.virtual.cloud.provisioning.jitp import JitProvisioning
from harness.virtual.cloud.registry.onboarding import OnboardingRow, certificate_id
from harness.virtual.cloud.registry.policies import ThingGroup, load_policies
from harness.virtual.cloud.registry.registry import Registry
from harness.virtual.cloud.registry.team import RestRefused, Team
from harness.virtual.cloud.services.messages import MessageStore
from harness.virtual.cloud.services.services import CloudServices
from harness.virtual.cloud.tls.ca import LocalCa

from .cloud_makers import NOON, MemoryJournal, certificate_pem, der

TENANT = "11111111-2222-3333-4444-555555555555"
PREFIX = f"prod/{TENANT}/"


@pytest.fixture
def world():
    ca, jitp_ca, journal, pending = LocalCa(), LocalCa("JITP"), MemoryJournal(), []
    registry = Registry(
        load_policies(),
        server=ca.issue_server(("localhost",), []),
        root_pem=ca.certificate_pem,
    )
    services = CloudServices(
        MessageStore(PREFIX, TENANT), thing_exists=lambda name: True, journal=journal, later=lambda call: call()
    )
    team = Team(TENANT, PREFIX, registry=registry, services=services, ca=ca, journal=journal, disconnect=print)
    clock = SimpleNamespace(now=now_utc())
    jitp = JitProvisioning(jitp_ca, team, journal=journal, schedule=pending.append, now=lambda: clock.now)
    registry.newcomer = jitp.meet
    return SimpleNamespace(
        ca=jitp_ca, registry=registry, services=services, team=team, journal=journal, pending=pending, clock=clock
    )


def chain(world, name="dev-1", code="123456", *, ca=True):
    leaf = der(world.ca.issue_client(name, dn_qualifier=code).certificate_pem)
    return [leaf, world.ca.certificate_der] if ca else [leaf]


def reasons(world):
    return [entry["reason"] for entry in world.journal.entries if entry["event"] == "jitp"]


def test_the_first_connection_makes_a_device_in_no_team(world):
    presented = chain(world)
    first = world.registry.examine(presented)
    assert first.provisioning
    assert world.registry.thing("dev-1") is None
    assert world.registry.examine(presented).provisioning  # meanwhile
    assert len(world.pending) == 1
    world.pending[0]()
    assert world.registry.examine(presented) is None
    assert world.registry.thing("dev-1").groups == {ThingGroup.PROVISIONED}
    assert world.registry.certificate_of("dev-1").certificate_id == certificate_id(presented[0])
    assert world.services.shadow("dev-1").state == {"desired": {"pairing": {"state": "not_associated"}}}
    assert list(world.team.devices()) == []


def test_the_ownership_code_of_the_certificate_associates_it(world):
    world.registry.examine(chain(world, code="123456"))
    with pytest.raises(RestRefused) as early:
        world.team.associate("dev-1", "123456")
    assert (early.value.status, early.value.code) == (404, 40412)
    world.pending[0]()
    with pytest.raises(RestRefused) as wrong:
        world.team.associate("dev-1", "654321")
    assert (wrong.value.status, wrong.value.code) == (401, 40102)
    world.team.associate("dev-1", "123456")
    (record,) = world.team.devices()
    assert (record.device_id, record.sub_type) == ("dev-1", "jitp-generic")
    assert world.services.shadow("dev-1").state["desired"]["nrfcloud_mqtt_topic_prefix"] == PREFIX


def test_the_journal_holds_no_ownership_code(world):
    world.registry.examine(chain(world, code="secret-code"))
    world.pending[0]()
    outcomes = [entry["outcome"] for entry in world.journal.entries if entry["event"] == "jitp"]
    assert outcomes == ["started", "provisioned"]
    assert "secret-code" not in json.dumps(world.journal.entries)


def test_a_chain_without_the_ca_makes_nothing(world):
    objection = world.registry.examine(chain(world, ca=False))
    assert (objection.provisioning, objection.alert) == (False, CERTIFICATE_UNKNOWN)
    assert reasons(world) == ["the chain lacks the certificate of the JITP CA"]
    assert world.pending == []


def test_another_ca_of_the_same_name_does_not_count(world):
    other = LocalCa("JITP")
    leaf = der(other.issue_client("dev-1", dn_qualifier="1").certificate_pem)
    objection = world.registry.examine([leaf, world.ca.certificate_der])
    assert "is not registered" in objection.reason
    assert world.pending == []


def test_a_certificate_of_another_ca_is_not_a_matter_of_jitp(world):
    objection = world.registry.examine([der(certificate_pem("dev-1"))])
    assert "is not registered" in objection.reason
    assert reasons(world) == []


def test_a_certificate_that_cannot_be_read_is_not_a_matter_of_jitp(world):
    assert "is not registered" in world.registry.examine([b"0", world.ca.certificate_der]).reason


@pytest.mark.parametrize(
    ("name", "code", "lacks"), [("dev-1", None, "dnQualifier"), ("dev 1", "1", "is not a device ID")]
)
def test_the_subject_must_have_what_the_template_asks_for(world, name, code, lacks):
    assert not world.registry.examine(chain(world, name, code)).provisioning
    (reason,) = reasons(world)
    assert lacks in reason
    assert world.pending == []


def test_a_certificate_outside_its_time_makes_nothing(world):
    presented = chain(world)
    world.clock.now = NOON.replace(year=2090)
    objection = world.registry.examine(presented)
    assert (objection.provisioning, objection.alert) == (False, CERTIFICATE_EXPIRED)
    assert "expired at" in reasons(world)[0]


def test_a_device_that_exists_keeps_its_certificate(world):
    world.team.onboard(OnboardingRow("dev-1", "", (), (), certificate_pem("dev-1")))
    before = world.registry.certificate_of("dev-1")
    assert not world.registry.examine(chain(world)).provisioning
    assert reasons(world) == ["device dev-1 exists and has another certificate"]
    assert world.registry.certificate_of("dev-1") == before


def test_of_two_certificates_for_one_device_the_first_wins(world):
    one, two = chain(world), chain(world)
    assert world.registry.examine(one).provisioning
    assert world.registry.examine(two).provisioning
    for call in world.pending:
        call()
    assert world.registry.examine(one) is None
    assert not world.registry.examine(two).provisioning
    assert [entry["outcome"] for entry in world.journal.entries if entry["event"] == "jitp"] == [
        "started",
        "started",
        "provisioned",
        "failed",
        "refused",
    ]


def test_a_deleted_device_is_made_again(world):
    presented = chain(world)
    world.registry.examine(presented)
    world.pending.pop()()
    world.team.associate("dev-1", "123456")
    world.team.delete("dev-1")
    assert world.registry.examine(presented).provisioning
    world.pending.pop()()
    assert world.registry.examine(presented) is None


def test_a_key_that_nrf_cloud_does_not_take_is_refused(world):
    key = rsa.generate_private_key(65537, 2048)
    template = x509.load_pem_x509_certificate(world.ca.issue_client("dev-1", dn_qualifier="1").certificate_pem.encode())
    leaf = (
        x509.CertificateBuilder()
        .subject_name(template.subject)
        .issuer_name(template.issuer)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(template.not_valid_before_utc)
        .not_valid_after(template.not_valid_after_utc)
        .sign(world.ca._key, hashes.SHA256())
    )
    presented = [leaf.public_bytes(Encoding.DER), world.ca.certificate_der]
    assert leaf.subject.get_attributes_for_oid(NameOID.DN_QUALIFIER)[0].value == "1"
    assert not world.registry.examine(presented).provisioning
    assert "P-256" in reasons(world)[0]
