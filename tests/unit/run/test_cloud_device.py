"""What a board's device may do, as its cloud's documents say of it while it is what it is."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from harness.cloud.types import Account
from harness.policy import Membership
from harness.run.cloud_device import CloudDevice
from tests.unit.policy.build import ARN, allow, document
from tests.unit.run.test_membership import DEVICE, Api, onboarded, run_cloud

PUBLISH = document(allow("iot:Connect", ARN + "client/*"), allow("iot:Publish", ARN + "topic/a/*"))
NOTHING = document(allow("iot:Connect", ARN + "client/*"))


def cloud_device(tmp_path: Path, *documents: Any) -> CloudDevice:
    cloud = run_cloud(Api())
    cloud._account, cloud._documents = Account("team-1", "prod/team-1/", "mqtt.local", {}), documents
    board: Any = SimpleNamespace(config=SimpleNamespace(name="dk-1", provision="device", device_id=DEVICE))
    device = CloudDevice(board, cloud, ca_folder=tmp_path, key_origin=None, renew=False, disconnect=lambda: None)
    device.take(onboarded())
    return device


def test_documents_are_read_once_for_what_the_device_is(tmp_path):
    """A trial asks dozens of times, and each new reading compiles all documents."""
    device = cloud_device(tmp_path, PUBLISH)
    assert device.expectations is device.expectations
    assert device.expectations.ruling("iot:Publish", "a/b").allowed


def test_other_documents_or_another_membership_are_read_anew(tmp_path):
    device = cloud_device(tmp_path, PUBLISH)
    former = device.expectations
    device.change_membership(Membership.GATEWAY)
    assert device.expectations is not former
    device.cloud._documents = (NOTHING,)
    assert not device.expectations.ruling("iot:Publish", "a/b").allowed
