"""Observer and REST client against the local cloud, over real TLS and MQTT."""

import datetime
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness.cloud import Account, NrfCloud, Observer, ObserverLost, OnboardRow, RestError, TeamDevice
from harness.errors import CloudUnreachable, Misuse
from harness.lab import Lab, load_boards_file
from harness.timeline import Kind, Timeline

DEADLINE = 60.0


def make_lab(folder: Path) -> Lab:
    file = folder / "boards.yaml"
    file.write_text("boards: [{name: virtual-1, virtual: {}}]\n")
    return Lab(load_boards_file(file), folder=folder)


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[Lab]:
    with make_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab
    assert lab.faults == []


@pytest.fixture
def timeline() -> Timeline:
    return Timeline()


@pytest.fixture
def cloud(lab, timeline) -> Iterator[NrfCloud]:
    with NrfCloud(lab.clouds.endpoints("local"), lab.clouds.api_key("local"), timeline=timeline) as cloud:
        yield cloud
        assert cloud.delete_all_made() == []


@pytest.fixture
def observer(cloud, timeline) -> Iterator[Observer]:
    with Observer(cloud.team_devices.create(), cloud.endpoints, cloud.account(), timeline) as observer:
        yield observer


def device_certificate(name: str) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def test_a_message_is_seen_and_recorded(observer, timeline):
    mark = timeline.mark()
    topic = observer.prefix + "m/d/dev-1/d2c"
    observer.publish(topic, b'{"appId":"TEMP","data":"21"}', timeout=DEADLINE)
    message = observer.wait_message(lambda m: m.topic == topic, since=mark, timeout=DEADLINE)
    assert message is not None
    assert (message.topic, message.payload, message.retain) == (topic, b'{"appId":"TEMP","data":"21"}', False)
    (event,) = [event for event in timeline.since(mark) if event.seq == message.seq]
    assert (event.kind, event.source, event.data["payload"]) == (Kind.CLOUD, "observer", '{"appId":"TEMP","data":"21"}')


def test_messages_before_the_mark_do_not_count(observer, timeline):
    topic = observer.prefix + "m/early"
    observer.publish(topic, "1", timeout=DEADLINE)
    observer.fence(timeout=DEADLINE)
    assert observer.wait_message(lambda m: m.topic == topic, since=timeline.mark(), timeout=0.05) is None
    assert observer.wait_message(lambda m: m.topic == topic, since=0, timeout=0.0) is not None


def test_the_fence_comes_after_what_was_published_before(observer, timeline):
    mark = timeline.mark()
    topics = [f"{observer.prefix}m/{number}" for number in range(50)]
    for topic in topics:
        observer.publish(topic, "x", qos=0)
    assert 0 < observer.fence(timeout=DEADLINE) < DEADLINE
    seen = [event.data["topic"] for event in timeline.since(mark) if event.source == "observer"]
    assert seen == [*topics, seen[-1]]
    assert seen[-1].startswith(observer.prefix + "harness/")


def test_an_observer_of_some_topics_hears_those_and_what_it_is_told_to(cloud, timeline):
    """With sixteen boards in a team, sixteen observers of everything would hear each message sixteen times."""
    team, account = cloud.team_devices.create(), cloud.account()
    below = account.mqtt_prefix
    with Observer(team, cloud.endpoints, account, timeline, filters=()) as observer:
        observer.listen(f"{below}m/d/dev-1/#")
        for topic in ("m/d/dev-1/d2c", "m/d/dev-2/d2c", "a/harness"):
            observer.publish(below + topic, "x", timeout=DEADLINE)
        observer.listen(f"{below}a/harness")
        observer.listen("$aws/things/dev-1/shadow/update")  # not the team's: the broker would hang up
        observer.listen(f"{below}a/#b")  # no topic at all
        observer.publish(f"{below}a/harness", "y", timeout=DEADLINE)
        for number in range(60):  # more than a connection may have: the oldest go
            observer.listen(f"{below}x/{number}")
        observer.publish(f"{below}a/harness", "z", timeout=DEADLINE)
        observer.publish(f"{below}x/59", "z", timeout=DEADLINE)
        observer._client.disconnect()
        observer._wait(lambda: not observer.connected, DEADLINE)
        assert observer.heal()
        observer.publish(f"{below}m/d/dev-1/d2c", "again", timeout=DEADLINE)
        observer.fence(timeout=DEADLINE)
        heard = [event.data["topic"] for event in timeline.since() if "topic" in event.data]
    topics = ["m/d/dev-1/d2c", "a/harness", "x/59", "m/d/dev-1/d2c"]
    assert heard[:-1] == [below + topic for topic in topics]


def test_the_observer_does_not_leave_its_prefix(observer):
    with pytest.raises(Misuse, match="only below 'prod/"):
        observer.publish("prod/elsewhere/m/x", "x")
    assert observer.connected


def test_a_second_connection_with_the_same_id_is_told_at_once(cloud, timeline):
    team, account = cloud.team_devices.create(), cloud.account()
    with Observer(team, cloud.endpoints, account, timeline) as first:
        mark = timeline.mark()
        errors: list[BaseException] = []

        def wait() -> None:
            try:
                first.wait_message(lambda _: False, since=mark, timeout=DEADLINE)
            except ObserverLost as error:
                errors.append(error)

        waiting = threading.Thread(target=wait)
        waiting.start()
        with Observer(team, cloud.endpoints, account, timeline) as second:
            waiting.join(DEADLINE)
            assert not waiting.is_alive()
            assert second.connected
        assert not first.connected
        (error,) = errors
        assert f"observer {team.client_id} at 127.0.0.1:" in str(error)
        assert "the connection ended (" in str(error)
        assert str(error).endswith("check this computer's network, and that nobody else uses this team device")
        with pytest.raises(ObserverLost):
            first.publish(first.prefix + "m/x", "x")
        with pytest.raises(ObserverLost):
            first.wait_message(lambda _: True, since=timeline.mark(), timeout=DEADLINE)


def test_unknown_credentials_are_refused_in_one_line(cloud, timeline):
    team = cloud.team_devices.create()
    cloud.team_devices.delete(team.client_id)
    with pytest.raises(CloudUnreachable) as caught:
        Observer(team, cloud.endpoints, cloud.account(), timeline, timeout=5.0)
    assert f"observer {team.client_id} at 127.0.0.1:" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_root_ca_is_refused_in_one_line(cloud, lab, timeline):
    amazon = lab.clouds.endpoints("nrfcloud").root_ca_pem
    wrong = replace(cloud.endpoints, root_ca_pem=amazon)
    with pytest.raises(CloudUnreachable, match="certificate verify failed") as caught:
        Observer(cloud.team_devices.create(), wrong, cloud.account(), timeline)
    assert "\n" not in str(caught.value)


def test_credentials_that_are_none(cloud, timeline):
    broken = TeamDevice("c", "", "no certificate", "no key")
    with pytest.raises(CloudUnreachable, match="credentials of team device c cannot be used"):
        Observer(broken, cloud.endpoints, Account("t", "p/", "h", {}), timeline)


def test_onboarding(cloud, observer):
    assert cloud.device("dev-2") is None
    cloud.onboard_device("dev-2", device_certificate("dev-2"), tags=["lab"])
    record = cloud.wait_device("dev-2", timeout=DEADLINE)
    assert (record["id"], record["tags"]) == ("dev-2", ["nrf91-harness", "lab"])
    cloud.patch_state("dev-2", desired={"config": {"x": 1}})
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=1)
    mark = observer.timeline.mark()
    cloud.send_message("dev-2", "d/dev-2/d2c", {"appId": "TEMP", "messageType": "DATA", "data": "20"})
    sent = observer.wait_message(lambda m: m.topic.endswith("d/dev-2/d2c"), since=mark, timeout=DEADLINE)
    assert sent is not None
    stored = cloud.messages(device_id="dev-2", since=before)
    assert [item["message"]["data"] for item in stored] == ["20"]
    assert cloud.delete_device("dev-2") is True
    assert cloud.device("dev-2") is None


def test_bulk_onboarding(cloud):
    rows = [OnboardRow("bulk-1", device_certificate("bulk-1")), OnboardRow("bulk-2", device_certificate("bulk-2"))]
    result = cloud.wait_bulk(cloud.onboard_devices(rows), timeout=DEADLINE)
    assert (result.status, result.errors) == ("SUCCEEDED", {})
    assert cloud.device("bulk-2") is not None


def test_a_wrong_api_key_is_refused(cloud):
    with NrfCloud(cloud.endpoints, "0" * 40) as stranger, pytest.raises(RestError) as caught:
        stranger.account()
    assert caught.value.status in (401, 403)
    assert "check that the API key is valid" in str(caught.value)


def test_a_dead_cloud_leads_every_message(tmp_path, timeline):
    with make_lab(tmp_path) as lab:
        endpoints = lab.clouds.endpoints("local")
        with NrfCloud(endpoints, lab.clouds.api_key("local"), timeline=timeline) as cloud:
            account = cloud.account()
            with Observer(cloud.team_devices.create(), endpoints, account, timeline) as observer:
                mark = timeline.mark()
                pid = lab.stand_ins.of("local").pid
                os.kill(pid, signal.SIGKILL)
                said = f"local cloud 'local' (pid {pid}) died with signal 9"
                with pytest.raises(ObserverLost) as lost:
                    observer.wait_message(lambda _: True, since=mark, timeout=DEADLINE)
                assert str(lost.value).startswith(said)
                with pytest.raises(CloudUnreachable) as unreachable:
                    cloud.account()
                assert str(unreachable.value).startswith(said)
    assert lab.faults == [said]
