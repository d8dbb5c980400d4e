"""What a broker can be told to do wrong: late, acknowledged, rare refusals; throttling, limits, a client elsewhere."""

import pytest

from harness.settings import CloudSettings, Limits
from harness.virtual.mqtt import Connack, Connect, Puback, Publish, Suback, Subscribe
from tests.integration.broker_lab import RawClient, lab

ALLOWED = Publish("ok/x", b"1", 1, packet_id=1)
FORBIDDEN = Publish("forbidden", b"2", 1, packet_id=2)
BEHIND = Publish("ok/x", b"3", 1, packet_id=3)


@pytest.fixture(scope="module")
def running():
    with lab("dev-1", "dev-2") as running:
        yield running


@pytest.fixture
def broker(running):
    """Give the broker another behaviour for one test."""

    def behave(**changes):
        running.broker.profile = CloudSettings(**changes)
        running.broker.interference.count_anew()
        running.services.heard.clear()
        running.journal.events.clear()
        return running

    yield behave
    running.broker.profile = CloudSettings()


def test_a_delayed_close_serves_what_comes_behind(broker):
    aws = broker(close_delay=0.2)
    with aws.raw("dev-1") as client:
        client.send(ALLOWED, FORBIDDEN, BEHIND)
        assert client.rest() == [Puback(1), Puback(3), "notify"]
    assert aws.journal.wait("close")["reason"] == "AUTH_ERROR"
    assert [payload for _, _, payload, *_ in aws.services.heard] == [b"1", b"3"]


def test_a_delayed_close_of_a_client_that_left_meanwhile(broker):
    aws = broker(close_delay=0.1)
    with aws.raw("dev-1") as client:
        client.send(FORBIDDEN)
    aws.journal.wait("close", reason="CONNECTION_LOST")
    with aws.raw("dev-1") as client:  # the timer of the old connection is nothing to the new one
        client.send(ALLOWED)
        assert client.read() == Puback(1)


@pytest.mark.parametrize(
    ("packet", "answer"), [(FORBIDDEN, Puback(2)), (Subscribe(2, (("forbidden", 1),)), Suback(2, (1,)))]
)
def test_acknowledged_and_then_closed(broker, packet, answer):
    aws = broker(on_violation="ack-close")
    with aws.raw("dev-1") as client:
        client.send(ALLOWED, packet, BEHIND)
        assert client.rest() == [Puback(1), answer, "notify"]
    assert [topic for _, topic, *_ in aws.services.heard] == ["ok/x"]
    assert aws.broker.subscriptions.empty


def test_a_refused_message_is_delivered_after_the_close(broker):
    aws = broker(refused_delivery=0.05)
    with aws.raw("dev-1") as client:
        client.send(FORBIDDEN)
        assert client.rest() == ["notify"]
    aws.journal.wait("publish", topic="forbidden")
    assert [topic for _, topic, *_ in aws.services.heard] == ["forbidden"]


def test_only_the_second_violation_is_refused(broker):
    aws = broker(refuse_only=2)
    for number in (1, 2, 3):
        with aws.raw("dev-1") as client:
            client.send(FORBIDDEN)
            assert client.read() == ("notify" if number == 2 else Puback(2))


@pytest.mark.parametrize(("how", "answers"), [("close", []), ("connack", [Connack(3)])])
def test_connects_that_come_too_fast(broker, how, answers):
    aws = broker(throttled=how, limits=Limits(connect_gap=60))
    with aws.raw("dev-1"):
        pass
    client = RawClient(aws.port, "dev-1")
    with client:
        client.send(Connect("dev-1"))
        assert client.rest() == [*answers, "notify"]
    assert aws.journal.wait("close", reason="THROTTLED")
    with aws.raw("dev-2"):  # each client id has a gap of its own
        pass


@pytest.mark.parametrize(("how", "rest"), [("close", [Puback(1), "notify"]), ("drop", [Puback(1)])])
def test_publishes_that_come_too_fast(broker, how, rest):
    aws = broker(throttled=how, limits=Limits(publishes_per_second=1))
    with aws.raw("dev-1") as client:
        client.send(ALLOWED, BEHIND)
        assert [client.read()] == [Puback(1)]
        if how == "close":
            assert client.rest() == ["notify"]
        else:
            aws.journal.wait("throttled", client_id="dev-1")
    assert len(aws.services.heard) == 1
    assert rest[0] == Puback(1)


def test_the_third_packet_is_hung_up_on(broker):
    aws = broker(limits=Limits(packets=3))
    with aws.raw("dev-1") as client:
        client.send(ALLOWED, BEHIND)
        assert client.rest() == [Puback(1), "notify"]
    assert aws.journal.wait("close", reason="SERVER_INITIATED_DISCONNECT")["detail"] == "it was packet 3"


def test_a_connection_of_old_age_is_hung_up_on(broker):
    aws = broker(limits=Limits(age=0.1))
    with aws.raw("dev-1") as client:
        assert client.rest() == ["notify"]
    assert aws.journal.wait("close")["detail"] == "0.1 s old"


def test_a_client_elsewhere_comes_back_until_it_has_come_often_enough(broker):
    aws = broker()
    with aws.raw("dev-1") as client:
        aws.call(aws.broker.interference.add_rival, "dev-1", 0.05, 2)
        assert client.rest() == ["notify"]
    with aws.raw("dev-1") as client:
        assert client.rest() == ["notify"]
    assert [had["elsewhere"] for had in aws.journal.of("connect") if "elsewhere" in had] == [True, True]
    assert {had["reason"] for had in aws.journal.of("close")} == {"DUPLICATE_CLIENTID"}
    with aws.raw("dev-1") as client:
        client.send(ALLOWED)
        assert client.read() == Puback(1)
    assert aws.call(aws.broker.interference.remove_rival, "dev-1")
    assert not aws.call(aws.broker.interference.remove_rival, "dev-1")


def test_messages_to_a_deaf_client_get_lost(broker):
    aws = broker()
    with aws.raw("dev-1") as hears, aws.raw("dev-2") as speaks:
        hears.send(Subscribe(1, (("ok/#", 1),)))
        assert hears.read() == Suback(1, (1,))
        aws.call(aws.broker.interference.deafen, "dev-1", 1.0, None, 0)
        speaks.send(Publish("ok/lost", b"", 1, packet_id=1))
        assert speaks.read() == Puback(1)
        assert aws.call(aws.broker.interference.hear, "dev-1")
        speaks.send(Publish("ok/heard", b"", 1, packet_id=2))
        assert hears.read().topic == "ok/heard"
    assert aws.journal.of("message_lost") == [{"client_id": "dev-1", "topic": "ok/lost"}]


@pytest.mark.parametrize("alert", [80, None])
def test_a_refused_handshake(broker, alert):
    aws = broker()
    aws.call(aws.broker.refuse_handshakes, 1, alert)
    with pytest.raises(OSError, match="(?i)internal.error" if alert else "(?i)eof|reset"):
        RawClient(aws.port, "dev-1")
    with aws.raw("dev-1"):
        pass
