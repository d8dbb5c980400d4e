import threading

import pytest

from harness.at import Urc
from harness.at.listener import QUEUE_LIMIT, Listener
from harness.errors import BoardLost, NoAnswer


def urc(args, name="+CEREG"):
    return Urc(name, args, f"{name}: {args}", 1.0)


def listener(*names):
    closed = []
    made = Listener(names or ("+CEREG",), port="board-1", heard=lambda: "last heard: +CSCON: 0", closed=closed.append)
    return made, closed


def test_in_order_and_poll():
    made, _ = listener()
    assert made.poll() is None
    made.put(urc("2"))
    made.put(urc("1"))
    assert made.next(0.0).args == "2"
    assert made.poll() == urc("1")


def test_match_passes_over():
    made, _ = listener()
    for args in ("2", "4", "1", "5"):
        made.put(urc(args))
    assert made.next(0.0, match=lambda found: found.args in ("1", "5")).args == "1"
    assert made.poll() == urc("5")


def test_time_out_says_what_and_what_was_heard():
    made, _ = listener("+CEREG", "+CSCON")
    with pytest.raises(NoAnswer, match=r"board-1: no \+CEREG or \+CSCON within 0 s; last heard: \+CSCON: 0"):
        made.next(0.0)
    with pytest.raises(NoAnswer, match=r"no registration within 0.01 s"):
        made.next(0.01, what="registration")


def test_wakes_when_one_arrives():
    made, _ = listener()
    threading.Timer(0.01, made.put, [urc("1")]).start()
    assert made.next(5.0).args == "1"


def test_loss_is_raised_at_once_after_what_was_queued():
    made, _ = listener()
    made.put(urc("1"))
    made.fail(lambda: BoardLost("gone"))
    assert made.next(10.0).args == "1"
    with pytest.raises(BoardLost, match="gone"):
        made.next(10.0)


def test_loss_wakes_a_waiter():
    made, _ = listener()
    threading.Timer(0.01, made.fail, [lambda: BoardLost("gone")]).start()
    with pytest.raises(BoardLost):
        made.next(10.0)


def test_bounded_with_a_count():
    made, _ = listener()
    for number in range(QUEUE_LIMIT + 7):
        made.put(urc(str(number)))
    assert made.dropped == 7
    assert made.next(0.0).args == "7"
    with pytest.raises(NoAnswer, match="7 URCs were dropped"):
        made.next(0.0, match=lambda found: False)


def test_context_manager_closes():
    made, closed = listener()
    with made as entered:
        assert entered is made
    assert closed == [made]
