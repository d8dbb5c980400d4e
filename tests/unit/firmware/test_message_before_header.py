"""Messages of Serial Modem's previews, whose header comes behind topic and payload: from bytes to MQTT events."""

import pytest

from harness.at.dialogue import Dialogue
from harness.at.recorder import LineRecorder
from harness.firmware import MqttEventKind, mqtt_events, watching
from harness.firmware.serial_modem import SERIAL_MODEM
from harness.firmware.serial_modem.watcher import SerialModemWatcher
from harness.timeline import Kind, Timeline

EVENT = b"\r\n#XMQTTEVT: 2,0\r\n"


def events(data, *, size=1):
    """What the timeline has after these bytes, in chunks of ``size``."""
    timeline, recorder = Timeline(), LineRecorder("dk1")
    dialogue = Dialogue(framed=SERIAL_MODEM.framed)
    watch = watching(SerialModemWatcher(), "dk1")
    for at in range(0, len(data), size):
        lines = dialogue.receive(data[at : at + size])
        timeline.extend(watch(recorder.drafts(lines, 1.0, seconds=0.0, secret=False)))
    return timeline.since(0)


def messages(data, *, size=1):
    found = mqtt_events(events(data, size=size), "dk1")
    return [(event.topic, event.payload) for event in found if event.kind is MqttEventKind.MESSAGE]


def header(topic, payload):
    return b"\r\n#XMQTTMSG: %d,%d\r\n" % (len(topic), len(payload))


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_one_message(size):
    data = b'+CSCON: 1\r\na/b\r\n{"x": 1}\r\n' + header(b"a/b", b'{"x": 1}') + EVENT
    assert messages(data, size=size) == [("a/b", b'{"x": 1}')]
    assert not [event for event in events(data, size=size) if event.kind is Kind.FAULT]


def test_several_messages_before_their_headers():
    pairs = [(b"a/b", b"one"), (b"a/c", b"three"), (b"a/b", b"")]
    data = b"".join(b"%s\r\n%s\r\n" % pair for pair in pairs)
    data += b"".join(header(*pair) + EVENT for pair in pairs)
    assert messages(data) == [("a/b", b"one"), ("a/c", b"three"), ("a/b", b"")]


def test_a_message_without_payload_is_read_once():
    data = b"a/b\r\n" + (header(b"a/b", b"") + EVENT) * 2
    assert messages(data) == [("a/b", b"")]
    assert [event for event in events(data) if event.kind is Kind.FAULT], "whose other header is not known"


@pytest.mark.parametrize(("between", "found"), [(14, [("a/b", b"one")]), (15, [])])
def test_the_last_lines_are_kept_again_after_each_message(between, found):
    once = b"a/b\r\none\r\n" + b"a line\r\n" * between + header(b"a/b", b"one") + EVENT
    assert messages(once) == found
    assert messages(b"c/d\r\ntwo\r\n" + header(b"c/d", b"two") + EVENT + once) == [("c/d", b"two"), *found]


def test_a_message_of_several_lines_among_others():
    data = b"a longer line\r\nx y\r\nno payload\r\na/b\r\none\r\ntwo\r\n" + header(b"a/b", b"one\r\ntwo") + EVENT
    assert messages(data) == [("a/b", b"one\r\ntwo")]
    (message,) = [event for event in mqtt_events(events(data), "dk1") if event.kind is MqttEventKind.MESSAGE]
    assert (message.t, message.result) == (1.0, 0)


@pytest.mark.parametrize(("line", "role"), [("#XTCPDATA: 5", "garbled"), ("#XMQTTMSG: 3,3", "late")])
def test_other_lines_are_no_headers(line, role):
    watcher = SerialModemWatcher()
    for text in ("a/b", "one"):
        watcher.see(1.0, Kind.RX, text, {})
    assert watcher.see(1.0, Kind.RX, line, {"role": role}) is None


def test_a_header_that_fits_nothing_is_a_message_that_could_not_be_read():
    data = b"a/b\r\nwhole\r\n" + header(b"a/b", b"longer than that") + EVENT
    assert messages(data) == []
    assert [event for event in events(data) if event.kind is Kind.FAULT]
    with pytest.raises(ValueError, match=r"^a message came that could not be read$"):
        SerialModemWatcher().see(1.0, Kind.URC, "#XMQTTEVT: 2,0", {})


def test_the_right_order_is_read_as_ever():
    data = header(b"a/b", b"one") + b"a/b\r\none\r\n" + EVENT
    assert messages(data) == [("a/b", b"one")]
