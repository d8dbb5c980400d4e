"""Trials of the connection that #XNRFCLOUD makes, on a board that is played."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.errors import NoAnswer
from harness.run.nrf_cloud_trials import NrfCloudTrials
from harness.timeline import Kind, Timeline
from harness.trial import Outcome, Unproved, WrongVerdict
from harness.trial.rejudge import rejudge
from tests.fake import Fake
from tests.unit.trial.fakes import through_json


class Connection(Fake):
    """``ends(foreign)``: whether the connection ends behind a message. ``ready``: whether it becomes ready."""

    def __init__(self, ends, *, ready=True):
        self.timeline, self.foreign, self.up = Timeline(), False, False
        self._ends, self._becomes = ends, ready

    def state(self):
        return SimpleNamespace(ready=self.up)

    def connect(self, *, timeout):
        assert not self.up
        if not self._becomes:
            raise NoAnswer("b: no line with '#XNRFCLOUD: 1,' within 1 s")
        self.up = True
        self.timeline.add(Kind.URC, "b", "#XNRFCLOUD: 1,0")

    def send(self, payload):
        if self._ends(self.foreign):
            self.up = False
            self.timeline.add(Kind.URC, "b", "#XNRFCLOUD: 0,0")

    def wait_ended(self, *, since, timeout):
        for event in self.timeline.since(since):
            if event.text.startswith("#XNRFCLOUD: 0,"):
                return event
        raise NoAnswer("b: no line")

    def disconnect(self):
        self.up = False


def tried(ends, **options):
    connection, recorded = Connection(ends, **options), []
    trials = NrfCloudTrials(
        connection, connection.timeline, patience=1.0, hold=0.1, check=lambda: None, record=recorded.append
    )

    def pair(foreign):
        assert not connection.up
        connection.foreign = foreign

    verdict = trials.message("a message", b"{}", lambda: pair(True), lambda: pair(False))
    assert recorded == [verdict]
    (judged,) = rejudge(through_json(connection.timeline.since()))
    assert judged.same
    assert not connection.up
    return verdict


def test_a_message_that_alone_costs_the_connection_is_proved():
    verdict = tried(lambda foreign: foreign).expect(Outcome.POLICY_DISCONNECT)
    assert "and never why" in verdict.evidence


def test_a_message_that_is_tolerated_is_said():
    with pytest.raises(WrongVerdict, match="got tolerated: a message"):
        tried(lambda foreign: False).expect(Outcome.POLICY_DISCONNECT)


def test_a_connection_that_ends_by_itself_proves_nothing():
    with pytest.raises(Unproved, match="got inconclusive: a message"):
        tried(lambda foreign: True).expect(Outcome.POLICY_DISCONNECT)


def test_one_that_does_not_come_up_is_the_labs_trouble():
    with pytest.raises(Unproved, match=r"got inconclusive: a message. b: no line with '#XNRFCLOUD: 1,'"):
        tried(lambda foreign: foreign, ready=False).expect(Outcome.POLICY_DISCONNECT)
