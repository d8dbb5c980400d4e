"""What the cloud says of a hang-up: read once where it is there, waited for where it is late, and never for long."""

import pytest

from harness.cloud.connection_state import ConnectionState
from harness.errors import CloudUnreachable
from harness.run.witnesses import CloudWord
from harness.timeline import Kind, Timeline
from tests.unit.trial.diagnosis.made import Record


def record(status, reason=None, version=1):
    why = {"disconnectReason": reason, "clientInitiatedDisconnect": False} if reason else {}
    connection = {"status": status, **why}
    metadata = {"reported": {"connection": {"status": {"timestamp": 1676372384}}}}
    return {"state": {"reported": {"connection": connection}, "metadata": metadata, "version": version}}


class World:
    """A clock that runs while somebody pauses, and a cloud that answers one record after the other."""

    def __init__(self, *answers):
        self.now = 0.0
        self.answers = list(answers)
        self.looks = 0
        self.timeline = Timeline()
        self.word = CloudWord(
            self.read, self.timeline, patience=1.0, gap=0.25, clock=lambda: self.now, pause=self.pause
        )

    def read(self):
        self.looks += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def pause(self, seconds):
        self.now += seconds


def test_a_word_that_is_there_costs_one_look():
    world = World(record("disconnected", "AUTH_ERROR", 7))
    found = world.word()
    assert (found["disconnectReason"], found["clientInitiatedDisconnect"], found["version"]) == ("AUTH_ERROR", False, 7)
    assert found["stamp"] == 1676372384
    assert (world.looks, world.now) == (1, 0.0)
    (event,) = world.timeline.since()
    assert event.text == "the cloud says disconnected, disconnectReason AUTH_ERROR"
    assert Record([event]).reason == ("AUTH_ERROR", event)


def test_a_late_word_is_waited_for_and_the_delay_is_learned():
    late = record("disconnected", "CONNECTION_LOST", 2)
    world = World(record("connected"), record("connected"), late, record("connected", version=3))
    assert world.word()["waited"] == 0.5
    world.word()
    assert world.now == 0.5 + 2 * 0.5 + 0.25  # twice the longest delay, and a gap


def test_a_word_of_an_earlier_end_is_not_taken_for_this_one():
    world = World(record("disconnected", "AUTH_ERROR", 7))
    world.word()
    assert "disconnectReason" not in world.word()
    assert world.timeline.since()[-1].text == "the cloud says still disconnected of the connection"


@pytest.mark.parametrize("silence", [None, {}, {"state": "?"}, record("connected")])
def test_a_silent_cloud_is_waited_for_twice_and_then_asked_once(silence):
    world = World(silence)
    for looks in (5, 5, 1, 1):
        before = world.looks
        assert "disconnectReason" not in world.word()
        assert world.looks - before == looks


def test_a_cloud_that_cannot_be_asked_breaks_nothing():
    world = World(CloudUnreachable("REST is down"))
    assert world.word() == {"status": None, "waited": 0.0, "error": "REST is down"}
    (event,) = world.timeline.since()
    assert event.kind is Kind.FAULT


def test_the_first_proved_refusal_calibrates_the_word():
    world = World(*(record("disconnected", "CLIENT_ERROR", version) for version in range(9)))
    world.word.calibrate()  # nothing was heard
    assert world.word.for_refusal is None
    world.word()
    world.word()
    world.word.calibrate()
    assert world.word.for_refusal == "CLIENT_ERROR"
    assert world.timeline.since()[-1].data == {"word": "CLIENT_ERROR"}
    assert world.word()["calibrated"] == "CLIENT_ERROR"


def test_different_words_calibrate_nothing():
    world = World(*(record("disconnected", word, n) for n, word in enumerate(["AUTH_ERROR", "CONNECTION_LOST"])))
    world.word()
    world.word()
    world.word.calibrate()
    assert world.word.for_refusal is None


@pytest.mark.parametrize(
    "odd",
    [
        {"state": {"reported": {"connection": "yes"}, "version": True}},
        {"state": {"reported": {"connection": {"status": 1, "disconnectReason": "", "clientInitiatedDisconnect": 0}}}},
        {"state": {"reported": [], "metadata": {"reported": {"connection": {"status": {"timestamp": "x"}}}}}},
    ],
)
def test_what_has_another_form_says_nothing(odd):
    assert ConnectionState.of(odd) == ConnectionState(None)
