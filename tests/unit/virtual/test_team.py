"""A team's operations: their effects on registry, shadow and connections, and nRF Cloud's codes for refusals."""

import json
from types import SimpleNamespace

import pytest

from harness.virtual.cloud.ca import LocalCa
from harness.virtual.cloud.messages import MessageStore
from harness.virtual.cloud.onboarding import OnboardingRow
from harness.virtual.cloud.policies import group_policies
from harness.virtual.cloud.registry import Group, Registry
from harness.virtual.cloud.services import CloudServices
from harness.virtual.cloud.team import Refused, Team

from .cloud_makers import MemoryJournal, certificate_pem, public_key_pem, rsa_certificate_pem

TENANT = "11111111-2222-3333-4444-555555555555"
PREFIX = f"prod/{TENANT}/"


@pytest.fixture
def world():
    ca, journal, disconnected = LocalCa(), MemoryJournal(), []
    registry = Registry(group_policies(), server=ca.issue_server(("localhost",), []), root_pem=ca.certificate_pem)
    messages = MessageStore(PREFIX, TENANT)
    services = CloudServices(
        messages,
        thing_exists=lambda name: registry.thing(name) is not None,
        journal=journal,
        later=lambda call: call(),
    )
    team = Team(
        TENANT, PREFIX, registry=registry, services=services, ca=ca, journal=journal, disconnect=disconnected.append
    )
    return SimpleNamespace(
        team=team, registry=registry, services=services, journal=journal, messages=messages, disconnected=disconnected
    )


def row(device_id="dev-1", sub_type="", pem=None):
    return OnboardingRow(device_id, sub_type, ("t",), ("APP",), pem or certificate_pem(device_id))


def refused(call, *arguments):
    with pytest.raises(Refused) as refusal:
        call(*arguments)
    return refusal.value.status, refusal.value.code


def test_onboarding_makes_a_provisioned_and_associated_device(world):
    world.team.onboard(row())
    thing = world.registry.thing("dev-1")
    assert thing.groups == {Group.PROVISIONED, Group.ASSOCIATED}
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
    assert Group.GATEWAY in world.registry.thing("dev-1").groups
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
    assert world.registry.thing("dev-1").groups == {Group.PROVISIONED}
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
    assert world.registry.thing("dev-1").groups == {Group.PROVISIONED, Group.ASSOCIATED, Group.GATEWAY}
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
    assert world.registry.thing("dev-1").groups == {Group.PROVISIONED, Group.ASSOCIATED}
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
    assert world.registry.thing(client_id).groups == {Group.TEAM}
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
