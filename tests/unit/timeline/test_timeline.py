import threading
import time

import pytest

from harness.timeline import Event, Kind, Timeline, now


def fill(timeline, *texts):
    return timeline.extend([(1.0, Kind.RX, "board-1", text, {}) for text in texts])


def test_events_are_numbered_stamped_and_in_order():
    timeline = Timeline()
    before = time.monotonic()
    first = timeline.add(Kind.TX, "board-1", "AT", redacted=False)
    second, third = fill(timeline, "a", "b")
    assert isinstance(first, Event)
    assert (first.seq, first.kind, first.source, first.text, first.data) == (
        0,
        Kind.TX,
        "board-1",
        "AT",
        {"redacted": False},
    )
    assert before <= first.t <= time.monotonic()
    assert [second.seq, third.seq] == [1, 2]
    assert (second._replace(text="c").text, second.t) == ("c", 1.0)
    assert timeline.since(0) == [first, second, third]


def test_marks():
    timeline = Timeline()
    assert timeline.mark() == 0
    fill(timeline, "a", "b")
    mark = timeline.mark()
    assert timeline.since(mark) == []
    fill(timeline, "c")
    assert [event.text for event in timeline.since(mark)] == ["c"]
    assert [event.text for event in timeline.since(1)] == ["b", "c"]
    assert timeline.extend([]) == []


def test_memory_is_bounded_by_events():
    timeline = Timeline(keep=3)
    fill(timeline, *"abcde")
    assert [event.text for event in timeline.since(0)] == ["c", "d", "e"]
    assert [event.text for event in timeline.since(4)] == ["e"]
    assert timeline.dropped == 2


def test_memory_is_bounded_by_text():
    timeline = Timeline(keep_text=10)
    fill(timeline, "aaaa", "bbbb", "cccc")
    assert [event.text for event in timeline.since(0)] == ["bbbb", "cccc"]
    fill(timeline, "d" * 11)
    assert timeline.since(0) == []
    assert timeline.dropped == 4
    fill(timeline, "e")
    assert [event.text for event in timeline.since(0)] == ["e"]


def test_wait_finds_what_is_there_already_from_the_mark_on():
    timeline = Timeline()
    fill(timeline, "x", "x")
    found = timeline.wait(lambda event: event.text == "x", since=1, timeout=0.0)
    assert found is not None
    assert found.seq == 1


def test_wait_looks_at_each_event_once():
    timeline = Timeline()
    seen = []

    def match(event):
        seen.append(event.seq)
        return event.text == "end"

    fill(timeline, "a", "b")
    threading.Timer(0.01, fill, [timeline, "c", "end", "after"]).start()
    found = timeline.wait(match, since=0, timeout=5.0)
    assert found is not None
    assert seen == [0, 1, 2, 3]


def test_wait_gives_up():
    timeline = Timeline()
    start = time.monotonic()
    assert timeline.wait(lambda event: True, since=0, timeout=0.05) is None
    assert time.monotonic() - start >= 0.05


def test_sinks_see_everything_in_order_also_what_memory_drops():
    timeline = Timeline(keep=1)
    seen = []
    with timeline.sink(seen.extend):
        fill(timeline, "a", "b")
        timeline.add(Kind.STEP, "harness", "c")
    fill(timeline, "d")
    assert [event.text for event in seen] == ["a", "b", "c"]


def test_a_failing_sink_fails_the_writer_and_still_wakes_the_waiters():
    timeline = Timeline()

    def full(events):
        raise OSError("disk full")

    def write():
        with timeline.sink(full), pytest.raises(OSError, match="disk full"):
            fill(timeline, "a")

    threading.Timer(0.01, write).start()
    found = timeline.wait(lambda event: True, since=0, timeout=5.0)
    assert found is not None
    assert found.text == "a"
    fill(timeline, "b")


def test_many_writers_and_one_reader_lose_nothing():
    timeline = Timeline()
    threads = [
        threading.Thread(target=lambda: [timeline.add(Kind.RX, "board-1", "x") for _ in range(500)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    found = timeline.wait(lambda event: event.seq == 1999, since=0, timeout=10.0)
    for thread in threads:
        thread.join(10)
    assert found is not None
    assert [event.seq for event in timeline.since(0)] == list(range(2000))


def test_memory_counts_payloads_too():
    timeline = Timeline(keep_text=1000)
    for _ in range(4):
        timeline.add(Kind.URC, "board-1", "u", blobs=[{"payload": "topic"}, {"payload": "x" * 400}])
    assert timeline.dropped == 2
    timeline.add(Kind.MQTT, "board-1", "m", payload="x" * 990)
    assert [event.text for event in timeline.since(0)] == ["m"]
    fill(timeline, "y" * 9)
    assert [event.text for event in timeline.since(0)] == ["m", "y" * 9]


def test_stamps_are_whole_microseconds():
    stamp = now()
    assert stamp == round(stamp, 6)


def test_who_waits_need_not_wait_for_the_sinks():
    timeline = Timeline()
    seen = []
    with timeline.sink(seen.extend):
        timeline.append([(1.0, Kind.RX, "board-1", "a", {})])
        found = timeline.wait(lambda event: True, since=0, timeout=0.0)
        assert (found is not None, seen) == (True, [])
        timeline.add(Kind.RX, "board-1", "b")
        assert [event.text for event in seen] == ["a", "b"]
        timeline.append([(1.0, Kind.RX, "board-1", "c", {})])
    assert [event.text for event in seen] == ["a", "b", "c"]
    timeline.flush()
    assert len(seen) == 3


def test_what_is_written_together_stays_apart_for_those_who_appended_it():
    timeline, seen = Timeline(), []
    with timeline.sink(seen.append):
        first = timeline.append([(1.0, Kind.RX, "board-1", "a", {})])
        second = timeline.append([(1.0, Kind.RX, "board-1", "b", {})])
        timeline.flush()
    assert [[event.text for event in batch] for batch in (first, second, *seen)] == [["a"], ["b"], ["a", "b"]]


def test_a_sink_sees_nothing_from_before_it():
    timeline = Timeline()
    first, second = [], []
    with timeline.sink(first.extend):
        timeline.append([(1.0, Kind.RX, "board-1", "a", {})])
        with timeline.sink(second.extend):
            fill(timeline, "b")
    assert [event.text for event in first] == ["a", "b"]
    assert [event.text for event in second] == ["b"]


def test_flushing_waits_for_what_another_thread_is_just_writing():
    """Whoever has an answer finds it in the files, although somebody else's thread writes them."""
    timeline = Timeline()
    writing, go_on, flushed = threading.Event(), threading.Event(), threading.Event()

    def slow(_events):
        writing.set()
        assert go_on.wait(10.0)

    def flush():
        timeline.flush()
        flushed.set()

    with timeline.sink(slow):
        threads = [
            threading.Thread(target=timeline.add, args=(Kind.RX, "board-1", "a")),
            threading.Thread(target=flush),
        ]
        threads[0].start()
        assert writing.wait(10.0)
        threads[1].start()
        too_early = flushed.wait(0.1)
        go_on.set()
        assert flushed.wait(10.0)
        for thread in threads:
            thread.join(10.0)
    assert not too_early


def test_a_slow_sink_keeps_nobody_from_appending_or_waiting():
    """Even while another sink comes or goes, which writes what is still unwritten."""
    timeline = Timeline()
    writing, go_on = threading.Event(), threading.Event()

    def slow(_events):
        writing.set()
        assert go_on.wait(10.0)

    def come_and_go():
        with timeline.sink(slow):
            timeline.append([(1.0, Kind.RX, "board-1", "a", {})])

    thread = threading.Thread(target=come_and_go)
    thread.start()
    assert writing.wait(10.0)
    appended = threading.Thread(target=timeline.append, args=([(1.0, Kind.RX, "board-1", "b", {})],))
    appended.start()
    appended.join(10.0)
    stuck = appended.is_alive()
    go_on.set()
    thread.join(10.0)
    assert not stuck
    assert [event.text for event in timeline.since()] == ["a", "b"]


def test_sinks_keep_the_order_of_many_writers():
    timeline = Timeline()
    seen = []
    with timeline.sink(seen.extend):
        threads = [
            threading.Thread(target=lambda: [timeline.add(Kind.RX, "board-1", "x") for _ in range(200)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert [event.seq for event in seen] == list(range(800))


def test_who_interrupts_a_sink_takes_nothing_from_the_next_one():
    """Ctrl-C, or the time limit of a test that waits in the first sink."""
    timeline, seen = Timeline(), []

    def interrupted(events):
        if events[0].text == "a":
            raise KeyboardInterrupt

    with timeline.sink(interrupted), timeline.sink(seen.extend):
        with pytest.raises(KeyboardInterrupt):
            fill(timeline, "a", "b")
        fill(timeline, "c")
    assert [event.text for event in seen] == ["a", "b", "c"]


def test_a_failing_sink_takes_nothing_from_the_next_one():
    timeline, seen = Timeline(), []

    def full(batch):
        raise OSError("disk full")

    with timeline.sink(full), timeline.sink(seen.extend), pytest.raises(OSError, match="disk full"):
        timeline.extend([(1.0, Kind.STEP, "a", "kept", {})])
    assert [event.text for event in seen] == ["kept"]
