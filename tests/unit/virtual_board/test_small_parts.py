"""The route table, personalities, the outbox."""

from harness.virtual.board import PERSONALITIES, Network
from harness.virtual.board.outputs import CancelTimer, Outbox, Send, Timer
from harness.virtual.board.personality import Uart


def test_names_resolve_by_the_table_only():
    network = Network({("mqtt.nrfcloud.com", 8883): ("127.0.0.1", 1)})
    assert network.resolve("MQTT.nrfcloud.com", 8883) == ("127.0.0.1", 1)
    assert network.resolve("mqtt.nrfcloud.com", 443) is None
    network.unroute("mqtt.nrfcloud.com", 8883)
    assert network.resolve("mqtt.nrfcloud.com", 8883) is None


def test_personalities_by_name():
    assert {name: kind.uart for name, kind in PERSONALITIES.items()} == {
        "nrf9160": Uart.ALIVE,
        "nrf9160-1.2": Uart.ALIVE,
        "nrf9161": Uart.ALIVE,
        "nrf9151": Uart.ALIVE,
        "mute": Uart.MUTE,
        "garbage": Uart.GARBAGE,
    }


def test_outbox_joins_bytes_and_keeps_timers():
    outbox, fired = Outbox(), []
    outbox.emit(Send(b"a"))
    outbox.emit(Send(b"b"))
    first = outbox.after(1, lambda: fired.append(1))
    second = outbox.after(2, lambda: fired.append(2), real=True)
    outbox.cancel(first)
    outbox.cancel(first)
    outbox.cancel(None)
    assert outbox.take() == [Send(b"ab"), Timer(first, 1), Timer(second, 2, real=True), CancelTimer(first)]
    outbox.fire(first)
    outbox.fire(second)
    outbox.fire(second)
    assert fired == [2]
    assert outbox.take() == []
