"""Trials of a firmware that connects by itself, on a board that is played: no port, no cloud."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import NoAnswer, Party
from harness.firmware import FACTS, OwnSetup
from harness.firmware.cloud_library.evidence import LogClass
from harness.firmware.cloud_library.watcher import log_watch
from harness.firmware.own_connection import OwnConnection
from harness.run.own_trials import OwnTrials
from harness.settings import Sample
from harness.timeline import Kind, Timeline, now
from harness.trial import Outcome, Unproved, WrongVerdict
from harness.trial.attempt_facts import facts_of
from harness.trial.own_attempt import own_attempts
from harness.trial.phases import attempt_of
from harness.trial.rejudge import rejudge
from tests.unit.trial.fakes import through_json

READY = "[00:00:01.000,000] <inf> cloud_connection: Connected to nRF Cloud"
KICK = "[00:00:01.100,000] <err> nrf_cloud_transport: MQTT input error: -128"


class Board:
    """What the firmware says when it is made to connect: ``says(provoked)`` returns its lines."""

    name = "b"
    failure = None

    def __init__(self, says, sample=Sample.MULTI_SERVICE):
        self.timeline = Timeline()
        self.wait = self.timeline.wait
        self.settings = SimpleNamespace(at_shell=False)
        self.provoked = False
        self.report = False
        self.late: list[str] = []
        self.recorded = []
        self._says = says
        self._watch = log_watch(self.name)
        setup = OwnSetup(str(sample), FACTS[sample])
        modem: Any = SimpleNamespace(register=lambda: None)
        port: Any = self
        self.own = OwnConnection(port, setup)
        record = self.recorded.append
        make = partial(OwnTrials, self.own, modem, self.timeline, reported=self._reported)
        self.trials = make(patience=0.05, hold=0.02, record=record)

    def command(self, text, timeout=None):
        lines = (
            [*self.late, "+CEREG: 2", "+CEREG: 1", *self._says(self.provoked)] if text == "AT+CFUN=1" else ["+CEREG: 0"]
        )
        t = now()  # what comes in one go has one time
        kinds = [Kind.URC if line.startswith("+") else Kind.RX for line in lines]
        drafts = [(t, kind, self.name, line, {}) for kind, line in zip(kinds, lines, strict=True)]
        self.timeline.extend(self._watch(drafts))

    def last_heard(self):
        return "last heard: nothing of it"

    def wait_line(self, pattern, timeout, *, since):
        raise NoAnswer("no line")

    def _reported(self):
        return lambda timeout: self.report

    def experiment(self):
        return self.trials.experiment("x", lambda: self.provoke(True), lambda: self.provoke(False))

    def provoke(self, on):
        self.provoked = on


def test_a_provocation_that_alone_costs_the_connection_is_proved():
    board = Board(lambda provoked: [KICK] if provoked else [READY])
    verdict = board.experiment()
    assert verdict.expect(Outcome.POLICY_DISCONNECT) is verdict
    assert board.recorded == [verdict.verdict]
    assert {(on, attempt.cause.what) for on, attempt in verdict.attempts} == {
        (True, LogClass.KICKED),
        (False, LogClass.CONNECTED),
    }
    assert "POLLHUP: not visible at this log level" in str(verdict)


def test_a_provocation_that_is_tolerated_is_said():
    verdict = Board(lambda provoked: [READY]).experiment()
    with pytest.raises(WrongVerdict, match="expected policy disconnect, got tolerated: x") as caught:
        verdict.expect(Outcome.POLICY_DISCONNECT)
    assert caught.value.party is Party.CLOUD


def test_a_link_that_fails_by_itself_proves_nothing():
    verdict = Board(lambda provoked: [KICK]).experiment()
    with pytest.raises(Unproved, match="expected policy disconnect, got inconclusive"):
        verdict.expect(Outcome.POLICY_DISCONNECT)


@pytest.mark.parametrize("ends", [1, 2])
def test_a_connection_that_was_ended_once_or_twice_and_then_stays_was_cut(ends):
    """One end of a connection that nobody provoked was called the cloud's doing."""
    lines = iter([[READY, KICK]] * ends)
    board = Board(lambda provoked: next(lines, [READY]))
    verdict = board.trials.connect().expect(Outcome.TOLERATED)
    assert [attempt.connected for _, attempt in verdict.attempts] == [False] * ends + [True]
    assert "Before that it did not stay" in str(verdict)
    assert rejudge(through_json(board.timeline.since()))[-1].same


def test_three_ends_in_a_row_are_the_clouds():
    board = Board(lambda provoked: [READY, KICK])
    verdict = board.trials.connect()
    assert verdict.verdict.outcome is Outcome.NOTHING_ALLOWED
    assert len(verdict.attempts) == 3


@pytest.mark.parametrize(
    ("says", "error", "party"),
    [
        ([KICK], WrongVerdict, Party.CLOUD),
        ([READY, KICK], WrongVerdict, Party.CLOUD),
        (["NRF_CLOUD_EVT_TRANSPORT_CONNECT_ERROR: -9"], WrongVerdict, Party.CLOUD),
        (["Modem has crashed, reason 0x11, PC: 0x688de"], WrongVerdict, Party.MODEM),
        ([READY, "Network connectivity lost!"], Unproved, Party.RADIO),
        ([READY, "<err> nrf_cloud_transport: MQTT ping error: -128"], Unproved, Party.UNCLEAR),
    ],
)
def test_a_connection_that_does_not_stay_is_whose_doing_its_log_shows(says, error, party):
    verdict = Board(lambda provoked: says).trials.connect()
    with pytest.raises(error, match="expected tolerated, got ") as caught:
        verdict.expect(Outcome.TOLERATED)
    assert caught.value.party is party


def test_a_lost_link_is_not_the_provocations():
    verdict = Board(lambda provoked: ["Network connectivity lost!", KICK] if provoked else [READY]).experiment()
    assert verdict.outcome is Outcome.NETWORK_LOST


def test_what_is_said_late_of_the_link_that_was_taken_away_is_none_of_the_chain():
    late, own = "<inf> asset_tracker: CLOUD_EVT_DISCONNECTED: 2", "<inf> asset_tracker: CLOUD_EVT_DISCONNECTED: 1"
    board = Board(lambda provoked: [own, "+CEREG: 5"] if provoked else ["CLOUD_EVT_READY"], Sample.ASSET_TRACKER)
    board.late = [late]
    verdict = board.experiment().expect(Outcome.POLICY_DISCONNECT)
    assert verdict.chains
    for chain in verdict.chains:
        assert chain.order
        assert set(chain.seen.values()) == {own}


def test_a_log_that_does_not_show_ready_is_helped_by_the_shadow():
    board = Board(lambda provoked: [], Sample.ASSET_TRACKER_2)
    board.report = True
    verdict = board.trials.connect().expect(Outcome.TOLERATED)
    assert "its shadow has a new report" in str(verdict)


def test_a_hang_up_that_came_before_the_report_was_seen_counts():
    board = Board(lambda provoked: [KICK], Sample.ASSET_TRACKER_2)
    board.report = True
    *_, (_, attempt) = board.trials.connect().attempts
    assert not attempt.connected
    assert attempt.cause.what is LogClass.KICKED


def test_a_silent_firmware_is_the_labs_trouble_with_what_was_heard():
    verdict = Board(lambda provoked: []).trials.connect()
    with pytest.raises(
        Unproved, match=r"nrf_cloud_multi_service says nothing of its connection within 0.05 s; last heard"
    ):
        verdict.expect(Outcome.TOLERATED)
    verdict = Board(lambda provoked: []).experiment()
    with pytest.raises(Unproved, match=r"got inconclusive: x. b: nrf_cloud_multi_service says nothing"):
        verdict.expect(Outcome.POLICY_DISCONNECT)


STORIES = {
    "kicked": (lambda provoked: [KICK] if provoked else [READY], Sample.MULTI_SERVICE),
    "kicked later": (lambda provoked: [READY, KICK] if provoked else [READY], Sample.MULTI_SERVICE),
    "tolerated": (lambda provoked: [READY], Sample.MULTI_SERVICE),
    "fails by itself": (lambda provoked: [KICK], Sample.MULTI_SERVICE),
    "link lost": (lambda provoked: ["Network connectivity lost!", KICK] if provoked else [READY], Sample.MULTI_SERVICE),
    "modem fault": (lambda provoked: ["Modem has crashed, reason 0x11, PC: 0x688de"], Sample.MULTI_SERVICE),
    "silent": (lambda provoked: [], Sample.MULTI_SERVICE),
    "reported": (lambda provoked: [KICK] if provoked else [], Sample.ASSET_TRACKER_2),
}


@pytest.mark.parametrize("story", STORIES)
def test_a_saved_timeline_is_judged_as_the_live_one_was(story):
    says, sample = STORIES[story]
    board = Board(says, sample)
    board.report = sample is Sample.ASSET_TRACKER_2
    board.experiment()
    board.provoke(False)
    board.trials.connect()
    judged = rejudge(through_json(board.timeline.since()))
    assert [one.same for one in judged] == [True, True], [(one.evidence, one.anew.evidence) for one in judged]
    assert [(one.outcome, one.evidence) for one in judged] == [
        (verdict.outcome, verdict.evidence) for verdict in board.recorded
    ]


@pytest.mark.parametrize("story", ["kicked later", "reported"])
def test_an_attempt_can_be_read_as_far_as_it_came(story):
    """A run may be killed anywhere: what it wrote is read, and nothing is made up."""
    says, sample = STORIES[story]
    board = Board(says, sample)
    board.report = sample is Sample.ASSET_TRACKER_2
    board.experiment()
    events = through_json(board.timeline.since())
    seen = [len(own_attempts(events[:count])) for count in range(1, len(events) + 1)]
    assert seen == sorted(seen)
    for count in range(1, len(events) + 1):
        assert facts_of(attempt_of(events[:count])).own == ()  # of connections that nobody provokes alone


def test_another_log_gets_another_verdict():
    board = Board(lambda provoked: [KICK] if provoked else [READY])
    board.experiment()
    events = [
        event._replace(text=event.text.replace("-128", "-22"), data=_without_class(event.data))
        if "-128" in event.text
        else event
        for event in through_json(board.timeline.since())
    ]
    (judged,) = rejudge(events)
    assert judged.outcome is Outcome.POLICY_DISCONNECT
    assert judged.anew.outcome is not Outcome.POLICY_DISCONNECT


def _without_class(data):
    return {name: value for name, value in data.items() if name != "class"}


def test_the_network_comes_back_with_the_sims_pin():
    board = Board(lambda _provoked: [READY])
    done = []
    port: Any = SimpleNamespace(
        name="b", wait=board.wait, settings=board.settings, command=lambda text, timeout: done.append(text)
    )
    port.timeline = board.timeline
    setup = OwnSetup("x", FACTS[Sample.MULTI_SERVICE])
    own = OwnConnection(port, setup, switch_on=lambda: done.append("with PIN"))
    own.end()
    own.begin()
    assert done == ["AT+CFUN=4", "with PIN"]
