"""The order of steps between board and account, and what follows when one of them fails."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from harness.cloud import HARNESS_TAG, CertificateSet, JitpResult, RestError
from harness.credentials import KeyOrigin
from harness.errors import BoardLost, CloudUnreachable
from harness.firmware import Capability, Firmware, Login, MqttEvent, MqttEventKind, NoSession
from harness.policy import Membership
from harness.run import jitp as jitp_module
from harness.run import onboarding
from harness.run.onboarding import onboard
from harness.run.repetition import NotProvisioned, Rounds
from harness.timeline import Timeline

SERIAL_MODEM = Firmware("Serial Modem", "1.0.0", frozenset({Capability.AT, Capability.MQTT}))
DEVICE = "dev-1"
SET = CertificateSet(DEVICE, "CA", "LEAF AND CA", "KEY")


@dataclass(frozen=True)
class FakeRequest:
    """Stands for harness.credentials.ProvisionRequest."""

    key_origin: KeyOrigin
    renew: bool = False
    device_id: str = DEVICE
    progress: object = staticmethod(lambda _text: None)


@dataclass
class Made:
    """Stands for harness.credentials.Provisioning."""

    log: list[str]
    kept: bool = False
    sec_tag: int = 7
    device_id: str = DEVICE
    certificate_pem: str = "LEAF"

    def commit(self):
        self.log.append("commit")

    def rollback(self):
        self.log.append("rollback")


@dataclass
class Api:
    """The REST client, with answers to associate in order: a number is nRF Cloud's code of a refusal."""

    log: list[str]
    association: list[int | None] = field(default_factory=lambda: [None])
    broken: bool = False
    codes: list[str] = field(default_factory=list)

    def delete_device(self, device_id):
        self.log.append(f"delete {device_id}")

    def onboard_device(self, device_id, certificate_pem):
        self.log.append(f"onboard {device_id} {certificate_pem}")
        if self.broken:
            raise CloudUnreachable("the cloud is gone")

    def wait_device(self, device_id):
        self.log.append(f"wait {device_id}")
        return {"tenantId": "team"}

    def create_device_certificate(self, device_id, code):
        self.log.append(f"create {device_id}")
        self.codes.append(code)
        return SET

    def associate(self, device_id, code, *, sub_type):
        self.log.append(f"associate {device_id} {sub_type}")
        self.codes.append(code)
        refusal = self.association.pop(0)
        if refusal:
            raise RestError("PUT", "/association", 404, refusal, "no", attempts=1)


class Mqtt:
    """A board's MQTT client whose connections end as listed."""

    def __init__(self, log, ends):
        self.log, self.ends, self.seen = log, list(ends), []

    def connect(self, login, *, timeout):
        self.log.append(f"connect {login.sec_tag}")
        end = self.ends.pop(0)
        if end is None:
            raise NoSession("no TLS session")
        self.seen.append(MqttEvent(end, 0.0))

    def disconnect(self):
        if not self.seen or self.seen[-1].kind is MqttEventKind.CLOSED:
            return
        self.log.append("disconnect")
        self.seen.append(MqttEvent(MqttEventKind.CLOSED, 0.0))

    def mark(self):
        return len(self.seen)

    def events(self, since):
        return self.seen[since:]

    def wait(self, match, *, since, timeout):
        return next((event for event in self.seen[since:] if match(event)), None)


class Lab:
    """Everything around :func:`onboard`, with one log of what was done."""

    def __init__(self, monkeypatch, *, known=False, kept=False, ends=(), firmware=None, jitp=()):
        """``known``: the account has the device, as a member or as what else is given."""
        self.log: list[str] = []
        self.requests: list[FakeRequest] = []
        self.api = Api(self.log)
        self.found, self.kept = Membership.ASSOCIATED if known is True else known or None, kept
        modem = SimpleNamespace(register=lambda: self.log.append("register"))
        mqtt = Mqtt(self.log, ends)
        port = SimpleNamespace(timeline=Timeline())
        self.board: Any = SimpleNamespace(modem=modem, mqtt=mqtt, firmware=firmware or SERIAL_MODEM, port=port)
        self.cloud: Any = SimpleNamespace(
            api=self.api,
            recognise=lambda _device_id: self.found,
            endpoints=SimpleNamespace(public=False),
            account=SimpleNamespace(tenant_id="team"),
        )
        self.jitp_answers = list(jitp)
        monkeypatch.setattr(onboarding, "provision", self.provision)
        monkeypatch.setattr(onboarding, "_ROUNDS_LOCAL", Rounds(most=3, gap=0.0, deadline=60.0))
        monkeypatch.setattr(jitp_module, "jitp_over_https", self.jitp)

    def jitp(self, _endpoints, chain_pem, _key_pem):
        self.log.append(f"jitp {chain_pem}")
        return self.jitp_answers.pop(0)

    def provision(self, _modem, request, *, cloud_keys=None, over_the_air=None):
        self.requests.append(request)
        kept = self.kept and not request.renew
        if cloud_keys is not None and not kept:
            cloud_keys(request.device_id)
        self.log.append("keep" if kept else "write")
        return Made(self.log, kept=kept)

    def onboard(self, request):
        return onboard(
            self.board,
            self.cloud,
            request,
            lambda sec_tag: Login(DEVICE, "mqtt", 8883, sec_tag),
            patience=1.0,
        )


@pytest.mark.parametrize("origin", [KeyOrigin.DEVICE, KeyOrigin.HOST])
@pytest.mark.parametrize(
    ("known", "kept", "steps"),
    [
        (False, False, ["write", "onboard dev-1 LEAF", "wait dev-1", "commit"]),
        (True, False, ["write", "delete dev-1", "onboard dev-1 LEAF", "wait dev-1", "commit"]),
        (False, True, ["keep", "onboard dev-1 LEAF", "wait dev-1", "commit"]),
        (True, True, ["keep", "commit"]),
    ],
)
def test_preconnect_completes_what_is_missing(monkeypatch, origin, known, kept, steps):
    lab = Lab(monkeypatch, known=known, kept=kept)
    done = lab.onboard(FakeRequest(origin))
    assert lab.log == steps
    assert (done.attempts, done.ownership_code) == (0, None)


def test_a_cloud_that_fails_leaves_the_former_credentials(monkeypatch):
    lab = Lab(monkeypatch)
    lab.api.broken = True
    with pytest.raises(CloudUnreachable):
        lab.onboard(FakeRequest(KeyOrigin.DEVICE))
    assert lab.log == ["write", "onboard dev-1 LEAF", "rollback"]


def test_a_board_that_is_lost_on_the_way_back_does_not_hide_why(monkeypatch):
    def lost(_made):
        raise BoardLost("unplugged")

    lab = Lab(monkeypatch)
    lab.api.broken = True
    monkeypatch.setattr(Made, "rollback", lost)
    with pytest.raises(CloudUnreachable) as failed:
        lab.onboard(FakeRequest(KeyOrigin.DEVICE))
    assert failed.value.__notes__ == ["returning to the former credentials failed afterwards: unplugged"]


def test_just_in_time_provisioning(monkeypatch):
    ends = [MqttEventKind.CLOSED, None, MqttEventKind.ACCEPTED, MqttEventKind.ACCEPTED]
    lab = Lab(monkeypatch, ends=ends)
    lab.api.association = [40412, None]
    done = lab.onboard(FakeRequest(KeyOrigin.CLOUD))
    assert lab.log == [
        *("create dev-1", "write", "register", "connect 7", "connect 7", "connect 7"),
        *(f"associate dev-1 {HARNESS_TAG}", f"associate dev-1 {HARNESS_TAG}", "wait dev-1", "disconnect"),
        *("connect 7", "disconnect", "commit"),
    ]
    assert done.attempts == 4
    assert {done.ownership_code} == set(lab.api.codes)


def test_a_device_that_is_never_accepted_is_refused_with_the_count(monkeypatch):
    lab = Lab(monkeypatch, ends=[MqttEventKind.CLOSED] * 3)
    with pytest.raises(NotProvisioned, match=r"dev-1 was not accepted by mqtt: not within 3 attempts"):
        lab.onboard(FakeRequest(KeyOrigin.CLOUD))
    assert lab.log[-1] == "rollback"


def test_another_refusal_of_the_association_is_not_repeated(monkeypatch):
    lab = Lab(monkeypatch, ends=[MqttEventKind.ACCEPTED])
    lab.api.association = [40102]
    with pytest.raises(RestError, match="wrong ownership code"):
        lab.onboard(FakeRequest(KeyOrigin.CLOUD))
    assert lab.log[-2:] == ["disconnect", "rollback"]


def test_kept_credentials_of_a_known_device_need_no_connection(monkeypatch):
    lab = Lab(monkeypatch, known=True, kept=True)
    assert lab.onboard(FakeRequest(KeyOrigin.CLOUD)).attempts == 0
    assert lab.log == ["keep"]


def test_a_device_that_the_account_lost_gets_new_keys(monkeypatch):
    lab = Lab(monkeypatch, known=False, kept=True, ends=[MqttEventKind.ACCEPTED] * 2)
    lab.onboard(FakeRequest(KeyOrigin.CLOUD))
    assert lab.requests == [replace(FakeRequest(KeyOrigin.CLOUD), renew=True)]
    assert lab.log[:2] == ["create dev-1", "write"]


def test_a_gateway_whose_ownership_code_is_gone_gets_new_keys(monkeypatch):
    """It could never be made an ordinary member again."""
    lab = Lab(monkeypatch, known=Membership.GATEWAY, kept=True, ends=[MqttEventKind.ACCEPTED] * 2)
    done = lab.onboard(FakeRequest(KeyOrigin.CLOUD))
    assert lab.log[:3] == ["delete dev-1", "create dev-1", "write"]
    assert done.ownership_code is not None


def test_a_renewal_deletes_the_device_before_its_new_certificate_is_made(monkeypatch):
    lab = Lab(monkeypatch, known=True, ends=[MqttEventKind.ACCEPTED] * 2)
    lab.onboard(FakeRequest(KeyOrigin.CLOUD, renew=True))
    assert lab.log[:3] == ["delete dev-1", "create dev-1", "write"]


def test_a_firmware_without_mqtt_is_provisioned_over_https(monkeypatch):
    answers = [(JitpResult.STARTED, "closed"), (JitpResult.ALREADY, "403")]
    lab = Lab(monkeypatch, firmware=Firmware("AT client"), jitp=answers)
    done = lab.onboard(FakeRequest(KeyOrigin.CLOUD))
    assert lab.log == [
        *("create dev-1", "write", "jitp LEAF AND CA", "jitp LEAF AND CA"),
        *(f"associate dev-1 {HARNESS_TAG}", "wait dev-1", "commit"),
    ]
    assert done.attempts == 2


def test_a_rejected_certificate_ends_it_at_once(monkeypatch):
    lab = Lab(monkeypatch, firmware=Firmware("AT client"), jitp=[(JitpResult.REJECTED, "403")])
    with pytest.raises(NotProvisioned, match=r"JITP over HTTPS was rejected \(403\)"):
        lab.onboard(FakeRequest(KeyOrigin.CLOUD))
    assert lab.log == ["create dev-1", "write", "jitp LEAF AND CA", "rollback"]
