"""What policies refuse: how it ends on the wire, what is still answered, and what the journal says."""

import pytest

from harness.settings import CloudSettings
from harness.virtual.mqtt import Connack, Connect, Pingreq, Pingresp, Puback, Publish, Suback, Subscribe, Will
from tests.integration.broker_lab import RawClient, lab

ALLOWED = Publish("ok/x", b"1", 1, packet_id=1)
FORBIDDEN = {
    "publish QoS 1": Publish("forbidden", b"2", 1, packet_id=2),
    "publish QoS 0": Publish("forbidden", b"2"),
    "retain": Publish("ok/x", b"2", 1, retain=True, packet_id=2),
    "subscribe": Subscribe(2, (("forbidden", 1),)),
    "one filter of two": Subscribe(2, (("ok/x", 1), ("forbidden", 1))),
    "other client's shadow": Publish("$aws/things/dev-2/shadow/get", b"", 1, packet_id=2),
}


@pytest.mark.parametrize("packet", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_closed_without_an_answer(aws, packet):
    with aws.raw("dev-1") as client:
        client.send(ALLOWED, packet, Pingreq())
        assert client.rest() == [Puback(1), "notify"]
    closed = aws.journal.wait("close")
    assert closed["client_id"] == "dev-1"
    assert closed["reason"] == "AUTH_ERROR"
    assert [topic for _, topic, *_ in aws.services.heard] == ["ok/x"]
    assert not aws.broker.sessions
    assert aws.broker.subscriptions.empty


def test_the_journal_names_the_deciding_statement(aws):
    with aws.raw("dev-1") as client:
        client.send(ALLOWED, FORBIDDEN["publish QoS 1"])
        client.rest()
    decisions = [
        (had["action"], had["resource"].partition("123456789012:")[2], had["decision"], had["document"], had["pattern"])
        for had in aws.journal.of("authorize")
    ]
    assert decisions == [
        ("iot:Connect", "client/dev-1", "ALLOWED", "lab", "arn:aws:iot:*:*:client/dev-1"),
        ("iot:Publish", "topic/ok/x", "ALLOWED", "lab", "arn:aws:iot:*:*:topic/ok/*"),
        ("iot:Publish", "topic/forbidden", "IMPLICIT_DENY", None, None),
    ]
    assert "forbidden" in aws.journal.wait("close")["detail"]


def test_burst_is_answered_up_to_the_violation_and_no_further(aws):
    burst = [Publish("ok/x", b"x" * 100, 1, packet_id=n) for n in range(1, 101)]
    burst[49] = Publish("forbidden", b"x" * 100, 1, packet_id=50)
    for _ in range(20):
        with aws.raw("dev-1") as client:
            client.send(*burst)
            assert client.rest() == [Puback(n) for n in range(1, 50)] + ["notify"]


def test_a_violation_ahead_of_much_data_still_ends_cleanly(aws):
    with aws.raw("dev-1") as client:
        client.send(ALLOWED, FORBIDDEN["publish QoS 1"], Publish("ok/x", b"x" * 100_000).encode() * 20)
        assert client.rest() == [Puback(1), "notify"]


@pytest.mark.parametrize("style", ["fin", "rst"])
def test_other_close_styles(style):
    with lab("dev-1", profile=CloudSettings(close_style=style)) as running, running.raw("dev-1") as client:
        client.send(FORBIDDEN["publish QoS 0"])
        assert client.rest() == [style]


def test_hang_leaves_the_connection_open_and_dead():
    with lab("dev-1", profile=CloudSettings(close_style="hang")) as running, running.raw("dev-1") as client:
        client.send(ALLOWED, FORBIDDEN["publish QoS 1"], Pingreq())
        assert client.read() == Puback(1)
        running.journal.wait("close", reason="AUTH_ERROR")
        client.send(Pingreq())
        client.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.read()


def test_tolerate_acknowledges_and_delivers():
    with lab("dev-1", profile=CloudSettings(on_violation="tolerate")) as running, running.raw("dev-1") as client:
        client.send(Subscribe(1, (("forbidden", 1),)), FORBIDDEN["publish QoS 1"])
        assert client.read() == Suback(1, (1,))
        assert client.read() == Puback(2)
        assert client.read() == Publish("forbidden", b"2", 1, packet_id=1)
        assert running.services.heard == [("dev-1", "forbidden", b"2", 1, False)]
        assert {had["decision"] for had in running.journal.of("authorize")} == {"ALLOWED", "IMPLICIT_DENY"}


def test_suback80_refuses_and_stays():
    with lab("dev-1", profile=CloudSettings(on_violation="suback80")) as running, running.raw("dev-1") as client:
        client.send(Subscribe(1, (("forbidden", 1), ("ok/x", 1))), FORBIDDEN["publish QoS 1"], Pingreq())
        assert [client.read() for _ in range(3)] == [Suback(1, (0x80, 1)), Puback(2), Pingresp()]
        assert running.services.heard == []
        assert running.broker.sessions["dev-1"].subscriptions == {"ok/x": 1}


REFUSED_CONNECTS = {
    "another's client id": Connect("dev-2"),
    "unknown client id": Connect("nobody"),
    "forbidden will": Connect("dev-1", will=Will("forbidden")),
    "retained will": Connect("dev-1", will=Will("ok/x", retain=True)),
}


@pytest.mark.parametrize("connect", REFUSED_CONNECTS.values(), ids=REFUSED_CONNECTS.keys())
@pytest.mark.parametrize("on_violation", ["close", "suback80"])
def test_a_refused_connect_gets_no_connack(connect, on_violation):
    with (
        lab("dev-1", "dev-2", profile=CloudSettings(on_violation=on_violation)) as running,
        RawClient(running.port, "dev-1") as client,
    ):
        client.send(connect)
        assert client.rest() == ["notify"]
        refused = running.journal.wait("connect_refused")
        assert (refused["client_id"], refused["reason"]) == (connect.client_id, "AUTH_ERROR")
        assert not running.broker.sessions


@pytest.mark.parametrize("connect", REFUSED_CONNECTS.values(), ids=REFUSED_CONNECTS.keys())
def test_a_tolerant_broker_accepts_what_policies_refuse_at_connect(connect):
    with (
        lab("dev-1", "dev-2", profile=CloudSettings(on_violation="tolerate")) as running,
        RawClient(running.port, "dev-1") as client,
    ):
        client.send(connect)
        assert client.read() == Connack()


def test_tolerance_does_not_reach_an_inactive_certificate():
    with lab("dev-1", profile=CloudSettings(on_violation="tolerate")) as running:
        running.directory.inactive.add("dev-1")
        with RawClient(running.port, "dev-1") as client:
            client.send(Connect("dev-1"))
            assert client.rest() == ["notify"]


def test_an_inactive_certificate_is_refused_at_connect(aws):
    aws.directory.inactive.add("dev-1")
    with RawClient(aws.port, "dev-1") as client:
        client.send(Connect("dev-1"))
        assert client.rest() == ["notify"]
    assert aws.journal.wait("connect_refused")["detail"] == "the certificate is inactive"


def test_a_refused_connect_does_not_evict_the_holder(aws):
    with aws.raw("dev-1") as holder, RawClient(aws.port, "dev-2") as other:
        other.send(Connect("dev-1"))
        assert other.rest() == ["notify"]
        holder.send(Pingreq())
        assert holder.read() == Pingresp()


def test_reserved_topics_that_nobody_offers(aws):
    with aws.raw("dev-1") as client:
        client.send(Publish("$SYS/x", b"", 1, packet_id=1))
        assert client.rest() == ["notify"]
    assert aws.journal.wait("close")["reason"] == "CLIENT_ERROR"
    assert aws.journal.of("authorize")[-1]["decision"] == "ALLOWED"


def test_receive_is_asked_for_each_delivery(aws):
    with aws.raw("dev-1") as client:
        client.send(Subscribe(1, (("mute/#", 1), ("ok/#", 1))), Publish("mute/x"), Publish("ok/x"))
        assert client.read() == Suback(1, (1, 1))
        assert client.read() == Publish("ok/x")
        assert aws.journal.wait("deliver_refused")["topic"] == "mute/x"
        assert [had["deliveries"] for had in aws.journal.of("publish")] == [0, 1]


@pytest.mark.parametrize(("refresh", "answer"), [("connect", [Puback(2), Pingresp()]), ("live", ["notify"])])
def test_rights_are_those_of_the_connect_or_live(refresh, answer):
    with lab("dev-1", profile=CloudSettings(policy_refresh=refresh)) as running, running.raw("dev-1") as client:
        client.send(ALLOWED)
        assert client.read() == Puback(1)
        running.directory.inactive.add("dev-1")
        running.directory.version += 1
        client.send(Publish("ok/x", b"", 1, packet_id=2), Pingreq())
        assert [client.read() for _ in answer] == answer
