"""The phases of one attempt on a timeline to which others write too."""

from harness.timeline import Kind, Timeline
from harness.trial.phases import Phase, PhaseLog, attempt_of


def test_what_somebody_else_writes_before_the_first_phase_is_not_of_the_attempt():
    timeline = Timeline()
    log = PhaseLog(timeline, trial=1, attempt=1)
    timeline.add(Kind.CLOUD, "observer", "a message to another board")
    with log.phase(next(iter(Phase))):
        timeline.add(Kind.RX, "b", "a line")
    events = log.events()
    assert [event.text for event in events][1:2] == ["a line"]
    assert attempt_of(events)[0].kind is Kind.PHASE
