from harness.virtual.board.serial_modem.unsolicited import MESSAGES, RING, Unsolicited


def test_order_is_kept():
    written = []
    waiting = Unsolicited(written.append)
    waiting.from_modem(b"a")
    waiting.from_mqtt(b"b")
    waiting.from_modem(b"c")
    assert written == []
    waiting.release()
    assert written == [b"a", b"b", b"c"]


def test_the_ring_and_the_messages_are_bounded_apart():
    written = []
    waiting = Unsolicited(written.append)
    waiting.from_modem(b"x" * RING)
    waiting.from_modem(b"lost")
    waiting.from_mqtt(b"y" * MESSAGES)
    waiting.from_mqtt(b"lost")
    assert waiting.dropped == 2
    waiting.release()
    assert [len(each) for each in written] == [RING, MESSAGES]
    waiting.from_modem(b"again")
    waiting.release()
    assert written[-1] == b"again"
