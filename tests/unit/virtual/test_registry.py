"""The registry: who may connect as what, and how association changes it."""

import hashlib
import json
from datetime import timedelta

import pytest

from harness.policy import Decision, PolicyError, client_arn, topic_arn, topicfilter_arn
from harness.virtual.cloud.broker.interfaces import CERTIFICATE_EXPIRED, CERTIFICATE_REVOKED, Admission
from harness.virtual.cloud.registry.onboarding import DeviceCertificate, load_certificate
from harness.virtual.cloud.registry.policies import ThingGroup, load_policies
from harness.virtual.cloud.registry.registry import CertificateState, Registry, RegistryError
from harness.virtual.cloud.tls.ca import LocalCa

from .cloud_makers import NOON, certificate_pem, der

TEAM = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-2222-3333-4444-555555555555"


class Clock:
    now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def registry(clock):
    ca = LocalCa()
    return Registry(load_policies(), server=ca.issue_server(("localhost",), []), root_pem=ca.certificate_pem, now=clock)


@pytest.fixture
def pem(registry):
    pem = certificate_pem("dev-1")
    registry.add_thing("dev-1", ThingGroup.PROVISIONED)
    registry.attach("dev-1", certificate_of(pem))
    return pem


def certificate_of(pem: str) -> DeviceCertificate:
    certificate = load_certificate(pem)
    assert certificate is not None
    return certificate


def admit(registry: Registry, pem: str, client_id: str = "dev-1") -> Admission:
    return registry.admit(der(pem), client_id, source_ip="127.0.0.1", server_name=None)


def allowed(admission: Admission, action: str, resource: str) -> bool:
    return admission.policies.decide(action, resource).decision is Decision.ALLOWED


def test_certificate_id_is_the_hash_of_the_der(registry, pem):
    assert registry.certificate_of("dev-1").certificate_id == hashlib.sha256(der(pem)).hexdigest()
    assert admit(registry, pem).principal.certificate_id == hashlib.sha256(der(pem)).hexdigest()


def test_a_provisioned_thing_connects_and_has_its_shadow_only(registry, pem):
    admission = admit(registry, pem)
    assert (admission.refused, admission.thing, admission.principal.attached) == (None, "dev-1", True)
    assert allowed(admission, "iot:Connect", client_arn("dev-1"))
    assert allowed(admission, "iot:Publish", topic_arn("$aws/things/dev-1/shadow/get"))
    assert not allowed(admission, "iot:Publish", topic_arn(f"prod/{TEAM}/m/d/dev-1/d2c"))


def test_policies_are_compiled_once_for_connections_that_are_alike(registry, pem):
    first = admit(registry, pem)
    assert admit(registry, pem).policies is first.policies
    registry.add_thing("dev-2", ThingGroup.PROVISIONED)
    assert admit(registry, pem).policies is first.policies
    other = registry.admit(der(pem), "dev-1", source_ip="127.0.0.2", server_name=None)
    assert other.policies is not first.policies
    registry.associate("dev-1", TEAM, ThingGroup.ASSOCIATED)
    associated = admit(registry, pem)
    assert allowed(associated, "iot:Publish", topic_arn(f"prod/{TEAM}/m/d/dev-1/d2c"))
    registry.dissociate("dev-1")
    assert not allowed(admit(registry, pem), "iot:Publish", topic_arn(f"prod/{TEAM}/m/d/dev-1/d2c"))


def test_association_gives_the_teams_topics_to_the_next_admission(registry, pem):
    before = admit(registry, pem)
    registry.associate("dev-1", TEAM, ThingGroup.ASSOCIATED)
    after = admit(registry, pem)
    assert after.principal.attributes == {"tenantId": TEAM, "teamId": TEAM}
    own = topic_arn(f"prod/{TEAM}/m/d/dev-1/d2c")
    assert not allowed(before, "iot:Publish", own)
    assert allowed(after, "iot:Publish", own)
    assert not allowed(after, "iot:Publish", topic_arn(f"prod/{OTHER}/m/d/dev-1/d2c"))
    assert not allowed(after, "iot:Subscribe", topicfilter_arn(f"prod/{TEAM}/gateways/dev-1/c2g"))


def test_dissociation_takes_them_away_and_keeps_the_thing_provisioned(registry, pem):
    registry.associate("dev-1", TEAM, ThingGroup.ASSOCIATED, ThingGroup.GATEWAY)
    registry.dissociate("dev-1")
    thing = registry.thing("dev-1")
    assert (thing.groups, thing.attributes) == ({ThingGroup.PROVISIONED}, {})
    assert not allowed(admit(registry, pem), "iot:Publish", topic_arn(f"prod/{TEAM}/m/d/dev-1/d2c"))
    assert allowed(admit(registry, pem), "iot:Connect", client_arn("dev-1"))


def test_a_team_device_has_everything_below_its_prefix_and_nothing_else(registry):
    pem = certificate_pem("team")
    registry.add_thing("team", ThingGroup.TEAM)
    registry.associate("team", TEAM)
    registry.attach("team", load_certificate(pem))
    admission = admit(registry, pem, "team")
    assert allowed(admission, "iot:Connect", client_arn("team"))
    assert allowed(admission, "iot:Subscribe", topicfilter_arn(f"prod/{TEAM}/#"))
    assert allowed(admission, "iot:Publish", topic_arn(f"prod/{TEAM}/a/anything"))
    assert allowed(admission, "iot:Receive", topic_arn(f"prod/{TEAM}/m/x"))
    for forbidden in (f"prod/{OTHER}/m/x", "prod", f"prod/{TEAM}", "$aws/things/team/shadow/get", "#"):
        assert not allowed(admission, "iot:Subscribe", topicfilter_arn(forbidden))
        assert not allowed(admission, "iot:Publish", topic_arn(forbidden))
        assert not allowed(admission, "iot:Receive", topic_arn(forbidden))
    assert not allowed(admission, "iot:Connect", client_arn("team2"))


@pytest.mark.parametrize("client_id", ["dev-2", "DEV-1", ""])
def test_a_client_id_that_is_no_attached_thing_has_no_policy(registry, pem, client_id):
    registry.add_thing("dev-2", ThingGroup.PROVISIONED)
    admission = admit(registry, pem, client_id)
    assert (admission.refused, admission.policies, admission.thing) == (None, None, None)
    assert admission.principal.attached is False


def test_an_unknown_certificate_is_refused(registry, pem):
    admission = admit(registry, certificate_pem("dev-1"))
    assert "is not registered" in admission.refused
    assert admission.policies is None


@pytest.mark.parametrize("state", [state for state in CertificateState if state is not CertificateState.ACTIVE])
def test_only_active_certificates_connect(registry, pem, state):
    registry.set_certificate_state(registry.certificate_of("dev-1").certificate_id, state)
    assert admit(registry, pem).refused.endswith(f"is {state}")


@pytest.mark.parametrize(("moment", "reason"), [(timedelta(days=2), "expired at"), (-timedelta(1), "not valid before")])
def test_certificates_connect_only_while_they_are_valid(registry, pem, clock, moment, reason):
    clock.now = NOON + moment
    assert reason in admit(registry, pem).refused


def test_connect_attributes_follow_the_connect_packet(registry, pem):
    admission = registry.admit(
        der(pem), "dev-1", source_ip="10.0.0.1", server_name="mqtt.nrfcloud.com", will_topic="w", persistent=True
    )
    principal = admission.principal
    assert principal.connect_attributes == ("PersistentConnect", "LastWill")
    assert (principal.source_ip, principal.domain_name) == ("10.0.0.1", "mqtt.nrfcloud.com")
    assert principal.last_will_topic == "w"


def test_every_change_of_trust_or_rights_grows_the_version(registry, pem):
    key = registry.certificate_of("dev-1").certificate_id
    versions = [registry.version]
    for change in (
        lambda: registry.set_certificate_state(key, CertificateState.INACTIVE),
        lambda: registry.associate("dev-1", TEAM, ThingGroup.ASSOCIATED),
        lambda: registry.dissociate("dev-1"),
        lambda: registry.detach_all("dev-1"),
        lambda: registry.add_thing("dev-9", ThingGroup.PROVISIONED),
        lambda: registry.remove_thing("dev-1"),
    ):
        change()
        versions.append(registry.version)
    assert versions == sorted(set(versions))


def test_a_removed_things_certificate_is_unknown(registry, pem):
    assert admit(registry, pem).refused is None
    registry.remove_thing("dev-1")
    assert "is not registered" in admit(registry, pem).refused


def test_a_certificate_and_a_name_are_registered_once(registry, pem):
    registry.add_thing("dev-2", ThingGroup.PROVISIONED)
    with pytest.raises(RegistryError, match="registered already"):
        registry.attach("dev-2", load_certificate(pem))
    with pytest.raises(RegistryError, match="dev-2 exists already"):
        registry.add_thing("dev-2", ThingGroup.PROVISIONED)


def write_policy(folder, name, resource="*"):
    statement = {"Effect": "Allow", "Action": "iot:*", "Resource": resource}
    (folder / f"{name}.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": statement}))


def test_policies_of_a_directory_replace_the_shipped_ones(tmp_path):
    write_policy(tmp_path, "associated")
    mine, shipped = load_policies(tmp_path), load_policies()
    assert len(mine.groups[ThingGroup.ASSOCIATED].statements) == 1
    assert mine.groups[ThingGroup.PROVISIONED] == shipped.groups[ThingGroup.PROVISIONED]
    assert len(shipped.groups[ThingGroup.ASSOCIATED].statements) == 2
    assert mine.certificate == shipped.certificate == ()


def test_a_directory_without_documents_is_a_mistake(tmp_path):
    (tmp_path / "associated.jsn").write_text("{}")
    with pytest.raises(PolicyError, match=r"holds no policy document, no \*\.json"):
        load_policies(tmp_path)


def test_a_document_of_the_profile_in_other_letters_is_a_mistake(tmp_path):
    write_policy(tmp_path, "Associated")
    with pytest.raises(PolicyError, match=r"Associated\.json is not associated\.json; name it like that"):
        load_policies(tmp_path)


def test_the_account_and_region_that_documents_name_are_the_clouds(tmp_path, clock):
    real = {"region": "eu-west-1", "account": "987654321098"}
    write_policy(tmp_path, "lab", [topic_arn("lab/x", **real), client_arn("*", **real)])
    ca, pem = LocalCa(), certificate_pem("dev-1")
    identity = ca.issue_server(("localhost",), [])
    registry = Registry(load_policies(tmp_path), server=identity, root_pem=ca.certificate_pem, now=clock)
    registry.add_thing("dev-1", ThingGroup.PROVISIONED)
    registry.attach("dev-1", certificate_of(pem))
    admission = admit(registry, pem)
    assert [allowed(admission, "iot:Publish", topic_arn(topic)) for topic in ("lab/x", "lab/y")] == [True, False]
    write_policy(tmp_path, "other", topic_arn("x", region="eu-west-2"))
    with pytest.raises(PolicyError, match=r"its region is eu-west-2, but that of lab, .* is eu-west-1;"):
        load_policies(tmp_path)


def test_policies_of_other_names_come_with_the_certificate_whatever_its_thing(tmp_path, clock):
    lab = topic_arn("lab/${iot:Connection.Thing.ThingName}")
    write_policy(tmp_path, "lab", [lab, client_arn("*"), topic_arn("free")])
    ca, pem = LocalCa(), certificate_pem("dev-1")
    identity = ca.issue_server(("localhost",), [])
    registry = Registry(load_policies(tmp_path), server=identity, root_pem=ca.certificate_pem, now=clock)
    registry.add_thing("dev-1", ThingGroup.PROVISIONED)
    registry.add_thing("team", ThingGroup.TEAM)
    registry.attach("dev-1", certificate_of(pem))
    team_pem = certificate_pem("team")
    registry.attach("team", certificate_of(team_pem))
    own, stranger = admit(registry, pem), admit(registry, pem, "another")
    assert [allowed(own, "iot:Publish", topic_arn(topic)) for topic in ("lab/dev-1", "free", "else")] == [1, 1, 0]
    assert allowed(own, "iot:Publish", topic_arn("$aws/things/dev-1/shadow/get"))
    assert (stranger.refused, stranger.thing) == (None, None)
    assert allowed(stranger, "iot:Connect", client_arn("another"))
    assert [allowed(stranger, "iot:Publish", topic_arn(topic)) for topic in ("lab/another", "free")] == [0, 1]
    assert not allowed(admit(registry, team_pem, "team"), "iot:Publish", topic_arn("free"))


# the chain of a handshake, and clients without an id


@pytest.mark.parametrize(
    ("state", "alert"), [(CertificateState.REVOKED, CERTIFICATE_REVOKED), (CertificateState.INACTIVE, 46)]
)
def test_examination_judges_the_state(registry, pem, state, alert):
    assert registry.examine([der(pem)]) is None
    registry.set_certificate_state(registry.certificate_of("dev-1").certificate_id, state)
    objection = registry.examine([der(pem)])
    assert str(objection).endswith(f"is {state}")
    assert (objection.alert, objection.provisioning) == (alert, False)


@pytest.mark.parametrize("moment", [timedelta(days=2), -timedelta(1)])
def test_examination_judges_the_time(registry, pem, clock, moment):
    clock.now = NOON + moment
    assert registry.examine([der(pem)]).alert == CERTIFICATE_EXPIRED


def test_examination_asks_about_newcomers_only(registry, pem):
    asked = []
    registry.newcomer = asked.append
    stranger = der(certificate_pem("dev-1"))
    assert "is not registered" in registry.examine([stranger, b"ca"]).reason
    registry.examine([der(pem)])
    assert asked == [[stranger, b"ca"]]


def test_a_client_without_an_id_has_the_policies_of_its_thing_and_no_thing_variables(registry, pem):
    admission = registry.admit(der(pem), None, source_ip="127.0.0.1", server_name=None)
    assert (admission.refused, admission.thing) == (None, "dev-1")
    assert (admission.principal.client_id, admission.principal.thing_name) == (None, None)
    assert admission.principal.attached is False
    assert not allowed(admission, "iot:Publish", topic_arn("$aws/things/dev-1/shadow/get"))
    assert allowed(admission, "iot:Receive", topic_arn("anything"))
    stranger = registry.admit(der(certificate_pem("x")), None, source_ip="127.0.0.1", server_name=None)
    assert stranger.policies is None
    assert "is not registered" in stranger.refused
