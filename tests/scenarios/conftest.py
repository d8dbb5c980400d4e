"""What the scenarios share: the device's topics, ways to make the cloud send, and ways to see what arrived."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness.cloud import NrfCloud, Observer
from harness.credentials import LabCa
from harness.firmware import MqttDriver
from harness.run import Board, Provisioned
from harness.trial import Sending, Trigger, Unproved, nonce, triggers


@dataclass(frozen=True)
class Topics:
    """The topics of one device of one team, as the device security page names them."""

    device_id: str
    prefix: str  # prod/<team id>/

    @property
    def shadow(self) -> str:
        return f"$aws/things/{self.device_id}/shadow"

    @property
    def jobs(self) -> str:
        return f"$aws/things/{self.device_id}/jobs"

    def team(self, rest: str) -> str:
        return self.prefix + rest

    def foreign(self, rest: str) -> str:
        """The same below a team that does not exist."""
        stage = self.prefix.split("/")[0]
        return f"{stage}/00000000-0000-4000-8000-00000000dead/{rest}"


@pytest.fixture
def topics(provisioned: Provisioned, board: Board) -> Topics:
    return Topics(provisioned.device_id, board.cloud.account.mqtt_prefix)


@pytest.fixture
def seen_by_observer(observer: Observer, timeline) -> Callable[[str, float], bool]:
    """Witness: the team's MQTT device received a message with the nonce since the test began."""
    begin = observer.timeline.mark()  # an observer that was lost in an earlier test is connected again

    def witness(token: str, timeout: float) -> bool:
        wanted = token.encode()
        found = observer.wait_message(lambda message: wanted in message.payload, since=begin, timeout=timeout)
        return found is not None

    return witness


@pytest.fixture
def seen_by_device(device: MqttDriver) -> Callable[[str, float], bool]:
    """Witness: the device itself received an answer with the nonce."""
    start = device.mark()

    def witness(token: str, timeout: float) -> bool:
        wanted = token.encode()
        event = device.wait(lambda event: wanted in event.payload, since=start, timeout=timeout)
        return event is not None

    return witness


@pytest.fixture
def reported_in_state(cloud: NrfCloud, topics: Topics) -> Callable[[str, float], bool]:
    """Witness: REST device state shows the nonce in the reported state."""
    return lambda token, timeout: cloud.wait_reported(topics.device_id, token, timeout=timeout)


@pytest.fixture
def observer_sends(observer: Observer) -> Callable[[str], Trigger]:
    """Trigger: the team's MQTT device publishes the nonce on a topic, and receives a copy."""
    return lambda topic: triggers.ObserverSends(observer, topic)


@pytest.fixture
def desired_changes(cloud: NrfCloud, topics: Topics) -> Trigger:
    """Trigger: REST changes the desired state, which makes a shadow delta and shows in REST."""
    return triggers.DesiredChanges(cloud, topics.device_id)


@pytest.fixture
def asks_for_shadow(device: MqttDriver, topics: Topics, desired_changes: Trigger) -> Trigger:
    """Trigger: puts the nonce into the desired state, then the device asks for its shadow. Nothing shows the answer."""
    ask = triggers.DeviceAsks(device, topics.device_id)

    def trigger(token: str) -> Sending | None:
        desired_changes(token)
        return ask(token)

    return trigger


@pytest.fixture
def subscribed(trial) -> Callable[[str], None]:
    """Set-up for a publish whose answer the device must hear: subscribed to on every connection of the trial."""
    return trial.listen


@dataclass(frozen=True)
class SoftwareDevice:
    """A device of the same team without a board: this computer has its key. Its shadow must not be touched."""

    device_id: str
    cloud: NrfCloud
    key: ec.EllipticCurvePrivateKey
    certificate_pem: str = ""

    def touched(self, token: str, _timeout: float) -> bool:
        record = self.cloud.device(self.device_id) or {}
        return token in json.dumps(record.get("state", {}))


@contextmanager
def software_device(cloud: NrfCloud, folder: Path) -> Iterator[SoftwareDevice]:
    """A device of the team for the block. ``folder``: of the CA that issues its certificate."""
    device_id, key = f"harness-bystander-{nonce()}", ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    certificate = LabCa.load_or_create(folder / "ca").issue(csr, device_id=device_id)
    cloud.onboard_device(device_id, certificate)
    cloud.wait_device(device_id)
    yield SoftwareDevice(device_id, cloud, key, certificate)
    cloud.delete_device(device_id)


@pytest.fixture
def bystander(cloud: NrfCloud, tmp_path) -> Iterator[SoftwareDevice]:
    with software_device(cloud, tmp_path) as made:
        yield made


@pytest.fixture
def key_only(cloud: NrfCloud) -> SoftwareDevice:
    """A device of which the cloud knows only a public key. The API has no call that deletes such a key."""
    device_id, key = f"harness-key-only-{nonce()}", ec.generate_private_key(ec.SECP256R1())
    pem = (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    result = cloud.wait_bulk(cloud.register_public_key(device_id, pem))
    if not result.succeeded:
        raise Unproved(f"{device_id}: expected its key to be registered, got {result.errors}")
    return SoftwareDevice(device_id, cloud, key)
