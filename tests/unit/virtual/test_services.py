"""Shadow, jobs and message services behind the topics, with a broker that only listens."""

import json

import pytest

from harness.virtual.cloud.services.messages import MessageStore
from harness.virtual.cloud.services.services import CloudServices
from harness.virtual.cloud.services.shadow import ShadowRejected, ShadowRequest

from .cloud_makers import NOON, MemoryJournal

S = "$aws/things/dev-1/shadow"
D = "dev-1/shadow/update/delta"
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
    assert topics == [
        f"{S}/update/accepted",
        f"{S}/update/documents",
        f"{S}/update/delta",
        f"{D}/full",
        f"{D}/trim",
        D,
    ]
    documents = dict(publications.published)
    assert documents[f"{D}/full"] == documents[f"{S}/update/delta"]
    assert documents[f"{D}/full"]["metadata"] == {"a": {"timestamp": NOW}}
    assert documents[f"{D}/trim"] == {"state": {"a": 1}, "version": 1, "timestamp": NOW}
    assert documents[D] == {"state": {"a": 1}}


def test_a_report_that_leaves_a_difference_repeats_all_but_the_oldest_delta(services, publications):
    publish(services, f"{S}/update", {"state": {"desired": {"a": 1}}})
    publications.published.clear()
    publish(services, f"{S}/update", {"state": {"reported": {"a": 2}}})
    assert [topic for topic, _ in publications.published] == [
        f"{S}/update/accepted",
        f"{S}/update/documents",
        f"{S}/update/delta",
        f"{D}/full",
        f"{D}/trim",
    ]


@pytest.mark.parametrize("topic", [f"{S}/update", "dev-1/shadow/update"])
def test_both_update_topics_do_the_same(services, publications, topic):
    publish(services, topic, {"state": {"reported": {"a": 1}}, "clientToken": "t"})
    assert services.shadow("dev-1").state == {"reported": {"a": 1}}
    accepted, documents = publications.published
    assert (accepted[0], accepted[1]["clientToken"]) == (f"{S}/update/accepted", "t")
    assert documents[0] == f"{S}/update/documents"
    publish(services, topic, b"{")
    assert publications.published[2][0] == f"{S}/update/rejected"


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
    copies = ["dev-1/shadow/get/rejected"] if topic.endswith("/get") else []
    assert [where for where, _ in publications.published] == [f"{topic}/rejected", *copies]
    (_, answer), *_ = publications.published
    assert (answer["code"], answer["timestamp"]) == (code, NOW)
    assert answer.get("clientToken") == ("t" if code == 409 else None)
    assert journal.entries[-1]["event"] == "shadow_rejected"
    assert journal.entries[-1]["code"] == code


def test_delete_then_get_is_404(services, publications):
    publish(services, f"{S}/update", {"state": {"desired": {"a": 1}}})
    publish(services, f"{S}/delete")
    publish(services, f"{S}/get")
    assert [topic for topic, _ in publications.published[-3:]] == [
        f"{S}/delete/accepted",
        f"{S}/get/rejected",
        "dev-1/shadow/get/rejected",
    ]


def test_the_trimmed_and_the_transformed_shadow(services, publications):
    services.update_shadow("dev-1", ShadowRequest({"desired": {"a": 1}, "reported": {"b": 2}}))
    publications.published.clear()
    publish(services, "dev-1/shadow/get/trim")
    publish(services, "dev-1/shadow/get/tf", {"t": "state.reported.b"})
    publish(services, "dev-1/shadow/get/tf", {"t": "$sum(state)"})
    trimmed, transformed, refused = publications.published
    assert trimmed == ("dev-1/shadow/get/accepted/trim", {"desired": {"a": 1}, "reported": {"b": 2}})
    assert transformed == ("dev-1/shadow/get/accepted/tf", {"tf": 2})
    assert refused[0] == "dev-1/shadow/get/accepted/tf"
    assert refused[1]["position"] == 0


@pytest.mark.parametrize("action", ["get/trim", "get/tf"])
def test_no_shadow_no_trimmed_one(services, publications, action):
    publish(services, f"dev-1/shadow/{action}", {"t": "state"})
    ((topic, answer),) = publications.published
    assert (topic, answer["code"]) == ("dev-1/shadow/get/rejected", 404)


@pytest.mark.parametrize(
    "topic",
    [
        "$aws/things/dev-1/shadow/get/accepted",
        "$aws/things/dev-1/jobs/get/accepted",
        "$aws/things/dev-1/jobs/notify-next",
        "dev-1/shadow/get",
        "dev-1/jobs/req",
        "prod/t/dev-1/shadow/update",
        "a",
    ],
)
def test_other_topics_are_left_alone(services, publications, topic):
    publish(services, topic)
    assert (publications.published, publications.direct) == ([], [])


def test_updates_from_the_api_are_refused_by_exception(services):
    with pytest.raises(ShadowRejected, match="Version conflict"):
        services.update_shadow("dev-1", ShadowRequest({"desired": {}}, version=5))
