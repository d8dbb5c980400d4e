"""Sessions: numbering, the window of unacknowledged messages, the bounded queue, what is sent again."""

from harness.settings import Limits
from harness.virtual.cloud.broker.session import Delivery, Session
from harness.virtual.mqtt import Publish


def session(**limits):
    return Session("x", Limits(**limits), persistent=True)


def sent(of):
    found = []
    while (publish := of.next_publish()) is not None:
        found.append(publish)
    return found


def test_only_so_many_are_under_way_at_once():
    x = session(in_flight=2)
    for n in range(3):
        assert x.enqueue(Delivery(f"t/{n}", b"", 1))
    assert sent(x) == [Publish("t/0", qos=1, packet_id=1), Publish("t/1", qos=1, packet_id=2)]
    x.acknowledge(1)
    assert sent(x) == [Publish("t/2", qos=1, packet_id=3)]
    assert x.pending == 2


def test_a_full_queue_drops_the_newest_and_counts_it():
    x = session(in_flight=0, queued=2)
    assert [x.enqueue(Delivery(f"t/{n}", b"", 1)) for n in range(3)] == [True, True, False]
    assert (x.pending, x.dropped) == (2, 1)


def test_what_was_not_acknowledged_is_sent_again_as_duplicate():
    x = session()
    x.enqueue(Delivery("t/1", b"a", 1))
    x.enqueue(Delivery("secret", b"b", 1))
    sent(x)
    x.enqueue(Delivery("t/2", b"c", 1))
    x.enqueue(Delivery("secret", b"d", 1))
    assert x.resume(lambda message: message.topic != "secret") == [Publish("t/1", b"a", 1, dup=True, packet_id=1)]
    assert sent(x) == [Publish("t/2", b"c", 1, packet_id=3)]
    assert x.pending == 2


def test_packet_identifiers_skip_0_and_those_in_use():
    x = session()
    x.enqueue(Delivery("first", b"", 1))
    sent(x)
    for _ in range(0xFFFF - 1):
        x.enqueue(Delivery("t", b"", 1))
        (publish,) = sent(x)
        x.acknowledge(publish.packet_id)
    assert publish.packet_id == 0xFFFF
    x.enqueue(Delivery("t", b"", 1))
    assert sent(x)[0].packet_id == 2


def test_an_unknown_acknowledgement_is_ignored():
    x = session()
    x.enqueue(Delivery("t", b"", 1))
    sent(x)
    x.acknowledge(77)
    assert x.pending == 1
