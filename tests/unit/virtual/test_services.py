"""Shadow, jobs and message services behind the topics, with a broker that only listens."""

import json

import pytest

from harness.virtual.cloud.messages import MessageStore
from harness.virtual.cloud.services import CloudServices
from harness.virtual.cloud.shadow import ShadowRejected, ShadowRequest

from .cloud_makers import NOON, MemoryJournal

S = "$aws/things/dev-1/shadow"
NOW = int(NOON.timestamp())


class Publications:
    def __init__(self):
        self.published = []
        self.direct = []

    def publish(self, topic, payload, qos=1):
        self.published.append((topic, json.loads(payload)))
        return 1

    def send_to(self, client_id, topic, payload, qos=1):
        self.direct.append((client_id, topic, json.loads(payload)))
        return True


@pytest.fixture
def publications():
    return Publications()


@pytest.fixture
def journal():
    return MemoryJournal()


@pytest.fixture
def services(publications, journal):
    services = CloudServices(
        MessageStore("prod/t/", "t"),
        thing_exists=lambda name: name == "dev-1",
        journal=journal,
        later=lambda call: call(),
        now=lambda: NOON,
    )
    services.attach(publications)
    return services


def publish(services, topic, document=b""):
    payload = document if isinstance(document, bytes) else json.dumps(document).encode()
    services.on_publish("dev-1", topic, payload, 1, False)


def test_get_answers_in_full_and_trimmed(services, publications):
    services.update_shadow("dev-1", ShadowRequest({"desired": {"a": 1}}))
    publications.published.clear()
    publish(services, f"{S}/get")
    (full_topic, full), (short_topic, short) = publications.published
    assert full_topic == f"{S}/get/accepted"
    assert full["state"] == {"desired": {"a": 1}, "delta": {"a": 1}}
    assert full["timestamp"] == NOW
    assert (short_topic, short) == ("dev-1/shadow/get/accepted", {"desired": {"a": 1}})


def test_desired_changes_reach_the_device_as_delta_in_full_and_trimmed(services, publications):
    publish(services, f"{S}/update", {"state": {"desired": {"a": 1}}})
    topics = [topic for topic, _ in publications.published]
    assert topics == [f"{S}/update/accepted", f"{S}/update/documents", f"{S}/update/delta", "dev-1/shadow/update/delta"]
    assert publications.published[-1][1] == {"state": {"a": 1}}


def test_a_report_that_leaves_a_difference_repeats_the_full_delta_only(services, publications):
    publish(services, f"{S}/update", {"state": {"desired": {"a": 1}}})
    publications.published.clear()
    publish(services, f"{S}/update", {"state": {"reported": {"a": 2}}})
    assert [topic for topic, _ in publications.published] == [
        f"{S}/update/accepted",
        f"{S}/update/documents",
        f"{S}/update/delta",
    ]


@pytest.mark.parametrize(
    ("topic", "document", "code"),
    [
        (f"{S}/get", b"", 404),
        (f"{S}/update", b"{", 400),
        (f"{S}/update", {"state": {}, "version": 9, "clientToken": "t"}, 409),
        (f"{S}/delete", b"", 404),
        ("$aws/things/stranger/shadow/update", {"state": {"desired": {"a": 1}}}, 404),
    ],
)
def test_refusals_are_published_and_journaled(services, publications, journal, topic, document, code):
    publish(services, topic, document)
    ((answer_topic, answer),) = publications.published
    assert answer_topic == f"{topic}/rejected"
    assert (answer["code"], answer["timestamp"]) == (code, NOW)
    assert answer.get("clientToken") == ("t" if code == 409 else None)
    assert journal.entries[-1]["event"] == "shadow_rejected"
    assert journal.entries[-1]["code"] == code


def test_delete_then_get_is_404(services, publications):
    publish(services, f"{S}/update", {"state": {"desired": {"a": 1}}})
    publish(services, f"{S}/delete")
    publish(services, f"{S}/get")
    assert [topic for topic, _ in publications.published[-2:]] == [f"{S}/delete/accepted", f"{S}/get/rejected"]


def test_jobs_are_answered_to_the_requester_only(services, publications):
    publish(services, "$aws/things/dev-1/jobs/get", {"clientToken": "t"})
    publish(services, "$aws/things/dev-1/jobs/get", b"\xff")
    empty = {"timestamp": NOW, "inProgressJobs": [], "queuedJobs": []}
    topic = "$aws/things/dev-1/jobs/get/accepted"
    assert publications.direct == [("dev-1", topic, {**empty, "clientToken": "t"}), ("dev-1", topic, empty)]
    assert publications.published == []


@pytest.mark.parametrize(
    "topic", ["$aws/things/dev-1/shadow/get/accepted", "$aws/things/dev-1/jobs/x/get", "dev-1/shadow/get", "a"]
)
def test_other_topics_are_left_alone(services, publications, topic):
    publish(services, topic)
    assert (publications.published, publications.direct) == ([], [])


def test_updates_from_the_api_are_refused_by_exception(services):
    with pytest.raises(ShadowRejected, match="Version conflict"):
        services.update_shadow("dev-1", ShadowRequest({"desired": {}}, version=5))
