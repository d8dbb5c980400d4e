"""A team's operations: their effects on registry, shadow and connections, and nRF Cloud's codes for refusals."""

import json
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from harness.virtual.cloud.registry.onboarding import KeyRow, OnboardingRow, load_public_key
from harness.virtual.cloud.registry.policies import ThingGroup, load_policies
from harness.virtual.cloud.registry.registry import CertificateState, Registry
from harness.virtual.cloud.registry.team import RestRefused, Team
from harness.virtual.cloud.services.messages import MessageStore
from harness.virtual.cloud.services.services import CloudServices
from harness.virtual.cloud.tls.ca import LocalCa

from .cloud_makers import MemoryJournal, certificate_pem, der, public_key_pem, rsa_certificate_pem

TENANT = "11111111-2222-3333-4444-555555555555"
PREFIX = f"prod/{TENANT}/"


def make_world():
    ca, journal, disconnected, changed = LocalCa(), MemoryJournal(), [], []
    registry = Registry(
        load_policies(),
        server=ca.issue_server(("localhost",), []),
        root_pem=ca.certificate_pem,
        changed=changed.append,
    )
    messages = MessageStore(PREFIX, TENANT)
    services = CloudServices(
        messages,
        thing_exists=lambda name: registry.thing(name) is not None,
        journal=journal,
        later=lambda call: call(),
        changed=changed.append,
    )
    team = Team(
        TENANT,
        PREFIX,
        registry=registry,
        services=services,
        ca=ca,
        journal=journal,
        disconnect=disconnected.append,
        changed=changed.append,
    )
    return SimpleNamespace(
        team=team,
        registry=registry,
        services=services,
        journal=journal,
        messages=messages,
        disconnected=disconnected,
        changed=changed,
    )


@pytest.fixture
def world():
    return make_world()


def row(device_id="dev-1", sub_type="", pem=None):
    return OnboardingRow(device_id, sub_type, ("t",), ("APP",), pem or certificate_pem(device_id))


def refused(call, *arguments):
    with pytest.raises(RestRefused) as refusal:
        call(*arguments)
    return refusal.value.status, refusal.value.code


def test_onboarding_makes_a_provisioned_and_associated_device(world):
    world.team.onboard(row())
    thing = world.registry.thing("dev-1")
    assert thing.groups == {ThingGroup.PROVISIONED, ThingGroup.ASSOCIATED}
    assert thing.attributes["tenantId"] == TENANT
    own = f"{PREFIX}m/d/dev-1"
    assert world.services.shadow("dev-1").state == {
        "desired": {
            "pairing": {"state": "paired", "topics": {"d2c": f"{own}/d2c", "c2d": f"{own}/c2d"}},
            "nrfcloud_mqtt_topic_prefix": PREFIX,
        }
    }
    assert [record.device_id for record in world.team.devices()] == ["dev-1"]


def test_a_gateway_sub_type_makes_a_gateway(world):
    world.team.onboard(row(sub_type="my-gateway"))
    assert ThingGroup.GATEWAY in world.registry.thing("dev-1").groups
    assert world.team.device("dev-1").device_type == "Gateway"


def test_a_public_key_makes_a_device_that_cannot_connect(world):
    world.team.onboard(row(pem=public_key_pem()))
    assert world.registry.certificate_of("dev-1") is None


def test_onboarding_refuses_what_exists_and_what_is_no_p256(world):
    first = row()
    world.team.onboard(first)
    assert refused(world.team.onboard, row()) == (422, 42200)
    assert refused(world.team.onboard, row("dev-2", pem=first.pem)) == (422, 42200)
    assert refused(world.team.onboard, row("dev-3", pem=rsa_certificate_pem("dev-3"))) == (422, 42200)
    assert world.registry.thing("dev-2") is None
    assert world.registry.thing("dev-3") is None


def test_dissociation_hides_the_device_and_tells_it(world):
    world.team.onboard(row())
    world.team.dissociate("dev-1")
    assert world.registry.thing("dev-1").groups == {ThingGroup.PROVISIONED}
    assert world.services.shadow("dev-1").state == {"desired": {"pairing": {"state": "not_associated"}}}
    assert refused(world.team.device, "dev-1") == (404, 40410)
    assert refused(world.team.dissociate, "dev-1") == (404, 40413)
    assert refused(world.team.delete, "dev-1") == (404, 40414)
    assert list(world.team.devices()) == []


def test_association_needs_the_code_and_restores_everything(world):
    world.team.onboard(row())
    world.team.device("dev-1").ownership_code = "123456"
    before = world.services.shadow("dev-1").state
    world.team.dissociate("dev-1")
    assert refused(world.team.associate, "dev-1", "654321") == (401, 40102)
    assert refused(world.team.associate, "dev-2", "123456") == (404, 40412)
    world.team.associate("dev-1", "123456")
    world.team.associate("dev-1", "123456", "gateway")
    assert world.services.shadow("dev-1").state == before
    assert world.registry.thing("dev-1").groups == {ThingGroup.PROVISIONED, ThingGroup.ASSOCIATED, ThingGroup.GATEWAY}
    assert world.team.device("dev-1").sub_type == "gateway"


def test_a_device_with_its_own_certificate_has_no_ownership_code(world):
    world.team.onboard(row())
    world.team.dissociate("dev-1")
    assert refused(world.team.associate, "dev-1", "123456") == (404, 40411)


def test_a_dissociated_device_comes_back_by_its_certificate_alone(world):
    first = row()
    world.team.onboard(first)
    before = world.services.shadow("dev-1").state
    world.team.dissociate("dev-1")
    assert refused(world.team.onboard, row()) == (422, 42200)  # another certificate
    assert refused(world.team.onboard, row(pem=public_key_pem())) == (422, 42200)
    world.team.onboard(first)
    assert world.registry.thing("dev-1").groups == {ThingGroup.PROVISIONED, ThingGroup.ASSOCIATED}
    assert world.services.shadow("dev-1").state == before
    assert refused(world.team.onboard, first) == (422, 42200)  # it is in the team now


def test_deletion_tells_the_device_forgets_it_and_ends_its_connection(world):
    pem = certificate_pem("dev-1")
    world.team.onboard(row(pem=pem))
    world.team.delete("dev-1")
    assert world.disconnected == ["dev-1"]
    assert world.registry.thing("dev-1") is None
    assert world.services.shadow("dev-1").state is None
    assert refused(world.team.associate, "dev-1", "123456") == (404, 40412)
    world.team.onboard(row(pem=pem))


def test_team_devices(world):
    client_id, identity = world.team.create_team_device()
    assert world.registry.thing(client_id).groups == {ThingGroup.TEAM}
    assert world.team.team_certificate(client_id) == identity.certificate_pem
    rotated = world.team.rotate_team_device(client_id)
    assert world.registry.certificate_of(client_id).pem == rotated.certificate_pem != identity.certificate_pem
    assert refused(world.team.device, client_id) == (404, 40410)
    world.team.delete_team_device(client_id)
    assert world.disconnected == [client_id]
    for call in (world.team.team_certificate, world.team.rotate_team_device, world.team.delete_team_device):
        assert refused(call, client_id) == (404, 40410)


def test_the_journal_says_what_happened_and_holds_no_secret(world):
    world.team.onboard(row())
    world.team.device("dev-1").ownership_code = "123456"
    world.team.dissociate("dev-1")
    world.team.associate("dev-1", "123456")
    client_id, identity = world.team.create_team_device()
    world.team.delete("dev-1")
    events = [entry["event"] for entry in world.journal.entries if entry["event"] != "shadow_update"]
    assert events == ["onboard", "associate", "dissociate", "associate", "team_device", "delete"]
    text = json.dumps(world.journal.entries)
    assert "123456" not in text
    assert "PRIVATE KEY" not in text
    assert client_id in text
    assert identity.private_key_pem not in repr(world.team.__dict__)


# keys


def key_row(device_id="dev-1", pem=None):
    return KeyRow(device_id, pem or public_key_pem())


def valid_key(world, device_id="dev-1"):
    key = world.team.keys.find(device_id)
    return key and key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_the_key_of_a_device_is_the_one_that_came_last(world):
    key = ec.generate_private_key(ec.SECP256R1())
    world.team.onboard(row(pem=certificate_pem("dev-1", key=key)))
    of_certificate = valid_key(world)
    assert load_public_key(of_certificate) == key.public_key()
    world.team.register_public_key(key_row(pem=(registered := public_key_pem())))
    assert valid_key(world) == registered
    world.team.register_certificate(key_row(pem=certificate_pem("dev-1")))
    assert valid_key(world) not in (of_certificate, registered)


def test_a_key_without_a_device(world):
    world.team.register_public_key(key_row("loc-1", pem := public_key_pem()))
    assert valid_key(world, "loc-1") == pem
    assert refused(world.team.device, "loc-1") == (404, 40410)
    assert refused(world.team.certified_device, "loc-1") == (404, 40410)
    assert world.registry.thing("loc-1") is None
    world.team.onboard(row("loc-1"))
    assert valid_key(world, "loc-1") != pem


def test_a_device_without_a_certificate_has_no_firmware_updates(world):
    world.team.onboard(row(pem=(pem := public_key_pem())))
    assert valid_key(world) == pem
    assert refused(world.team.certified_device, "dev-1") == (404, 40410)
    world.team.register_certificate(key_row(pem=certificate_pem("dev-1")))
    assert world.team.certified_device("dev-1").device_id == "dev-1"


@pytest.mark.parametrize("leave", ["dissociate", "delete"])
def test_a_device_that_leaves_the_team_has_no_key(world, leave):
    world.team.onboard(row())
    world.team.register_public_key(key_row())
    getattr(world.team, leave)("dev-1")
    assert valid_key(world) is None


def test_a_new_certificate_takes_the_place_of_the_former(world):
    world.team.onboard(row())
    former = world.registry.certificate_of("dev-1")
    world.team.register_certificate(key_row(pem=certificate_pem("dev-1")))
    assert not world.registry.certificate_registered(former.certificate_id)
    assert world.registry.certificate_of("dev-1") != former
    assert world.journal.entries[-1]["event"] == "certificate"


def test_refused_keys_change_nothing(world):
    world.team.onboard(row())
    world.team.onboard(row("dev-2", pem=(taken := certificate_pem("dev-2"))))
    before = valid_key(world)
    client_id, _ = world.team.create_team_device()
    register, rotate = world.team.register_public_key, world.team.register_certificate
    assert refused(register, key_row(pem=rsa_certificate_pem("dev-1"))) == (422, 42200)
    assert refused(register, key_row(client_id)) == (422, 42200)
    assert refused(rotate, key_row(client_id, certificate_pem("x"))) == (404, 40410)
    assert refused(rotate, key_row("dev-9", certificate_pem("dev-9"))) == (404, 40410)
    assert refused(rotate, key_row(pem=taken)) == (422, 42200)
    assert refused(rotate, key_row(pem=public_key_pem())) == (422, 42200)
    assert refused(rotate, key_row(pem=rsa_certificate_pem("dev-1"))) == (422, 42200)
    assert valid_key(world) == before


# what is kept


def test_snapshots_bring_everything_back(world):
    world.team.onboard(row(sub_type="my-gateway"))
    world.team.onboard(row("dev-2"))
    world.team.device("dev-2").ownership_code = "123456"
    world.team.dissociate("dev-2")
    world.team.register_public_key(key_row("loc-1"))
    client_id, _ = world.team.create_team_device()
    key = world.registry.certificate_of("dev-1").certificate_id
    world.registry.set_certificate_state(key, CertificateState.INACTIVE)
    names = ["dev-1", "dev-2", "loc-1", client_id]

    def parts(of):
        return (of.registry, of.team, of.services)

    def snapshots(of):
        return json.loads(json.dumps([[part.snapshot(name) for part in parts(of)] for name in names]))

    kept = snapshots(world)
    assert "PRIVATE" not in json.dumps(kept)
    again = make_world()
    for name, contents in zip(names, kept, strict=True):
        for part, content in zip(parts(again), contents, strict=True):
            if content is not None:
                part.restore(name, content)
    assert snapshots(again) == kept
    assert [record.device_id for record in again.team.devices()] == ["dev-1"]
    assert again.team.device("dev-1") == world.team.device("dev-1")
    assert again.services.shadow("dev-1") == world.services.shadow("dev-1")
    assert valid_key(again, "loc-1") == valid_key(world, "loc-1")
    again.team.associate("dev-2", "123456")
    assert again.team.team_certificate(client_id) == world.team.team_certificate(client_id)
    pem = world.registry.certificate_of("dev-1").pem
    admission = again.registry.admit(der(pem), "dev-1", source_ip="127.0.0.1", server_name=None)
    assert "is INACTIVE" in str(admission.refused)
    again.team.onboard(row("dev-3"))
    assert again.team.device("dev-3").number > again.team.device("dev-2").number


def test_nothing_is_known_of_strangers(world):
    assert [part.snapshot("dev-9") for part in (world.registry, world.team, world.services)] == [None] * 3


def test_changes_are_announced(world):
    changed = world.changed
    world.team.onboard(row())
    assert set(changed) == {"dev-1"}
    changed.clear()
    world.team.register_public_key(key_row("loc-1"))
    assert changed == ["loc-1"]
    changed.clear()
    world.services.on_publish("dev-1", "$aws/things/dev-1/shadow/update", b'{"state":{"reported":{"a":1}}}', 0, False)
    assert changed == ["dev-1"]
    changed.clear()
    world.services.on_publish("dev-1", "$aws/things/dev-1/shadow/delete", b"", 0, False)
    assert changed == ["dev-1"]
    changed.clear()
    world.team.delete("dev-1")
    assert set(changed) == {"dev-1"}
