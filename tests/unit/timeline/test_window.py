import threading

from harness.timeline import Kind, Timeline, Window


def texts(events):
    return [event.text for event in events]


def test_a_window_is_what_lies_between_its_marks():
    timeline = Timeline()
    timeline.add(Kind.STEP, "harness", "before")
    window = Window(timeline)
    first = window.add(Kind.STEP, "harness", "first")
    timeline.add(Kind.RX, "board-1", "second")
    assert (window.begin, window.end, window.mark()) == (1, None, 3)
    window.close()
    timeline.add(Kind.RX, "board-1", "after")
    window.close()
    assert texts(window.since()) == texts(window.since(0)) == ["first", "second"]
    assert texts(window.since(first.seq + 1)) == ["second"]
    assert (window.end, window.mark()) == (3, 3)
    assert texts(timeline.since(0)) == ["before", "first", "second", "after"]


def test_waiting_does_not_look_at_what_was_before():
    timeline = Timeline()
    timeline.add(Kind.RX, "board-1", "x")
    window = Window(timeline)
    assert window.wait(lambda event: True, since=0, timeout=0.0) is None
    threading.Timer(0.01, timeline.add, [Kind.RX, "board-1", "x"]).start()
    found = window.wait(lambda event: event.text == "x", since=0, timeout=5.0)
    assert found is not None
    assert found.seq == 1
