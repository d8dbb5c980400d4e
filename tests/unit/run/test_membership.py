"""What a board's device is in its team: read, changed, brought back, and known for what it is after a failure."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.cloud import HARNESS_GATEWAY, HARNESS_TAG, RestError
from harness.credentials import KeyOrigin
from harness.errors import CloudUnreachable
from harness.policy import Membership
from harness.run.cloud import Cloud
from harness.run.membership import DeviceMembership, WrongMembership
from harness.run.onboarding import Onboarded

DEVICE = "dev-1"


class Api:
    """An account with one device. ``fails``: calls that are refused, or that raise what is given."""

    def __init__(self):
        self.record: dict | None = {"subType": ""}
        self.code: str | None = None
        self.log: list[str] = []
        self.fails: dict[str, Exception | None] = {}
        self.made: set[str] = set()

    def _call(self, name):
        self.log.append(name)
        if name in self.fails:
            raise self.fails[name] or RestError("PUT", f"/{name}", 500, None, "no", attempts=3)

    def device(self, device_id):
        self._call("look")
        return self.record

    recognise = device

    def wait_device(self, device_id):
        self._call("wait")
        return self.record

    def dissociate(self, device_id):
        self._call("dissociate")
        self.record = None

    def associate(self, device_id, code, *, sub_type):
        self._call(f"associate {sub_type}")
        assert code == self.code
        self.record = {"subType": sub_type}

    def onboard_device(self, device_id, certificate_pem, sub_type):
        self._call(f"onboard {sub_type}")
        self.record = {"subType": sub_type}


def run_cloud(api):
    """A Cloud around ``api``."""
    lab: Any = SimpleNamespace()
    cloud = Cloud(lab, "local")
    cloud._api = api
    return cloud


def onboarded(key_origin=KeyOrigin.DEVICE, code=None, pem="PEM"):
    made: Any = SimpleNamespace(device_id=DEVICE, key_origin=key_origin, certificate_pem=pem, written_pem=pem)
    return Onboarded(made, ownership_code=code)


@pytest.fixture
def api():
    return Api()


@pytest.fixture
def device(api):
    device = DeviceMembership("dk-1", run_cloud(api))
    device.take(onboarded())
    return device


@pytest.mark.parametrize(
    ("record", "membership"),
    [
        ({"subType": ""}, Membership.ASSOCIATED),
        ({"subType": HARNESS_TAG}, Membership.ASSOCIATED),
        ({}, Membership.ASSOCIATED),
        ({"subType": HARNESS_GATEWAY}, Membership.GATEWAY),
        ({"subType": "My-Gateway"}, Membership.GATEWAY),
    ],
)
def test_a_device_that_was_found_is_what_its_record_says(api, device, record, membership):
    api.record = record
    assert device.now is membership
    assert device.now is membership
    assert api.log == ["look"]
    assert run_cloud(api).recognise(DEVICE) is membership


def test_what_the_team_does_not_see_is_in_no_team(api, device):
    api.record = None
    assert device.now is Membership.PROVISIONED
    assert run_cloud(api).recognise(DEVICE) is None


def test_a_gateway_that_was_found_is_brought_back(api, device):
    api.record = {"subType": HARNESS_GATEWAY}
    device.change(Membership.ASSOCIATED)
    assert api.log == ["look", "dissociate", "onboard ", "wait"]
    assert device.now is Membership.ASSOCIATED


def test_a_device_comes_back_with_its_ownership_code(api):
    api.code = "code"
    device = DeviceMembership("dk-1", run_cloud(api))
    device.take(onboarded(KeyOrigin.CLOUD, "code"))
    device.change(Membership.GATEWAY)
    device.change(Membership.PROVISIONED)
    assert device.close() == []
    assert api.log == [
        *("look", "dissociate", f"associate {HARNESS_GATEWAY}", "wait"),
        *("dissociate", f"associate {HARNESS_TAG}", "wait"),
    ]


def test_nothing_is_asked_of_the_cloud_for_what_is_so_already(api, device):
    assert device.now is Membership.ASSOCIATED
    device.change(Membership.ASSOCIATED)
    assert device.close() == []
    assert api.log == ["look"]


@pytest.mark.parametrize("error", [None, CloudUnreachable("gone")], ids=["refused", "unreachable"])
def test_after_half_a_change_the_cloud_is_asked_what_the_device_is(api, device, error):
    api.fails = {f"onboard {HARNESS_GATEWAY}": error}
    with pytest.raises(CloudUnreachable if error else WrongMembership):
        device.change(Membership.GATEWAY)
    assert device.now is Membership.PROVISIONED
    device.change(Membership.ASSOCIATED)
    assert api.record == {"subType": ""}


def test_a_refused_change_is_the_labs_trouble_in_one_line(api, device):
    api.fails = {"dissociate": None}
    with pytest.raises(WrongMembership) as failed:
        device.change(Membership.PROVISIONED)
    text = str(failed.value)
    assert text.startswith("dk-1: dev-1 was associated and did not become provisioned: PUT /dissociate answered 500")
    assert "\n" not in text
    assert device.now is Membership.ASSOCIATED


@pytest.mark.parametrize("membership", [Membership.PROVISIONED, Membership.GATEWAY])
def test_without_its_ownership_code_a_device_stays_in_its_team(api, membership):
    device = DeviceMembership("dk-1", run_cloud(api))
    device.take(onboarded(KeyOrigin.CLOUD))
    reason = device.cannot_be(membership)
    assert reason is not None
    assert "device dev-1 must stay associated" in reason
    assert "--reprovision" in reason
    assert device.cannot_be(Membership.ASSOCIATED) is None
    with pytest.raises(WrongMembership, match="ownership code"):
        device.change(membership)
    assert device.close() == []
    assert api.log == ["look"]


@pytest.mark.parametrize(
    ("origin", "code"), [(KeyOrigin.DEVICE, None), (KeyOrigin.HOST, None), (KeyOrigin.CLOUD, "code")]
)
def test_what_can_come_back_can_be_anything(api, origin, code):
    device = DeviceMembership("dk-1", run_cloud(api))
    device.take(onboarded(origin, code))
    assert [device.cannot_be(membership) for membership in Membership] == [None] * len(Membership)


def test_the_ownership_code_outlives_the_port(api):
    """A board that comes back in the same run has its credentials kept, and its onboarding knows no code."""
    device = DeviceMembership("dk-1", run_cloud(api))
    device.take(onboarded(KeyOrigin.CLOUD, "code"))
    assert device.take(onboarded(KeyOrigin.CLOUD)).ownership_code == "code"
    assert device.take(onboarded(KeyOrigin.CLOUD, pem="NEW")).ownership_code is None


def test_the_end_reports_and_never_raises(api, device):
    device.change(Membership.GATEWAY)
    api.fails = {"dissociate": CloudUnreachable("the cloud is gone")}
    (line,) = device.close()
    assert line == "dk-1: dev-1 may not be an ordinary member of its team again: the cloud is gone"


def test_the_end_of_a_board_that_was_never_onboarded(api):
    assert DeviceMembership("dk-1", run_cloud(api)).close() == []
    assert api.log == []
