"""The phases of one attempt on a timeline to which others write too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import LabError
from harness.timeline import Event, Kind, Timeline
from harness.trial.phases import Phase, PhaseLog, attempt_of, span_of, spans


def test_what_somebody_else_writes_before_the_first_phase_is_not_of_the_attempt():
    timeline = Timeline()
    log = PhaseLog(timeline, trial=1, attempt=1)
    timeline.add(Kind.CLOUD, "observer", "a message to another board")
    with log.phase(next(iter(Phase))):
        timeline.add(Kind.RX, "b", "a line")
    events = log.events()
    assert [event.text for event in events][1:2] == ["a line"]
    assert [(event.kind, event.data.get("on")) for event in attempt_of(events)] == [
        *((Kind.PHASE, "begin"), (Kind.RX, None), (Kind.PHASE, "end")),
    ]
    assert attempt_of(events[:-1]) == (*events[:-1],), "as far as it came"


def test_a_restart_is_known_from_its_line_on_and_stays_known():
    timeline = Timeline()
    log = PhaseLog(timeline, trial=1, attempt=1)
    timeline.add(Kind.RX, "b", "Ready")  # before the attempt
    with log.phase(Phase.ATTEMPT):
        assert not log.restarted()
        timeline.add(Kind.URC, "b", "+CEREG: 1")
        assert not log.restarted()
        timeline.add(Kind.RX, "b", "Ready")
        assert log.restarted()
        timeline.add(Kind.URC, "b", "+CEREG: 1")
        assert log.restarted()


def test_a_restart_is_seen_before_the_first_phase_too():
    timeline = Timeline()
    log = PhaseLog(timeline, trial=1, attempt=1)
    assert log.restarted() is False
    timeline.add(Kind.RX, "b", "Ready")
    assert log.restarted() is True


def test_what_is_in_the_file_alone_is_counted():
    timeline = Timeline(keep=10)
    log = PhaseLog(timeline, trial=1, attempt=1)
    for _ in range(20):
        timeline.add(Kind.RX, "b", "a line")
    kept = timeline.since()
    first = kept[0].seq
    assert log.since(first) == kept
    with pytest.raises(LabError) as caught:
        log.since(first - 3)
    assert str(caught.value) == "the board said so much that 3 events of the trial are in its file alone"


def test_the_number_of_the_phase_event_that_came_last_is_known():
    timeline = Timeline()
    log = PhaseLog(timeline, trial=1, attempt=1)
    with log.phase(Phase.PLAN):
        assert log.latest == log.begun == 0
        timeline.add(Kind.RX, "b", "a line")
    assert (log.latest, log.begun) == (2, 0)


NAMED = st.tuples(st.sampled_from(["begin", "end"]), st.sampled_from(["plan", "sham", "action", "fence", "no phase"]))


@given(st.lists(NAMED, max_size=20))
def test_a_phase_reaches_to_the_first_end_of_its_name(phases):
    """However phases lie in each other: an attempt may have been cut anywhere, in a file too."""
    events = [
        Event(number, float(number), Kind.PHASE, "trial", name, {"name": name, "on": on})
        for number, (on, name) in enumerate(phases)
    ]
    found = spans(events)
    begun = [first for first, (on, name) in enumerate(phases) if on == "begin" and name != "no phase"]
    assert sorted(span.begin.seq for rows in found.values() for span in rows) == begun
    for rows in found.values():
        assert rows == [span_of(events, span.begin.seq) for span in rows]


def test_what_else_is_written_keeps_its_kind_and_source():
    timeline = Timeline()
    PhaseLog(timeline, trial=1, attempt=1).add(Kind.STEP, "b", "something")
    (event,) = timeline.since()
    assert (event.kind, event.source, event.text, event.data) == (Kind.STEP, "b", "something", {})
