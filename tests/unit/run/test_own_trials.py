"""Trials of a firmware that connects by itself, on a board that is played: no port, no cloud."""

from __future__ import annotations

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

READY = "[00:00:01.000,000] <inf> cloud_connection: Connected to nRF Cloud"
KICK = "[00:00:01.100,000] <err> nrf_cloud_transport: MQTT input error: -128"


class Board:
    """What the firmware says when it is made to connect: ``says(provoked)`` returns its lines."""

    name = "b"
    failure = None

    def __init__(self, says, sample=Sample.MULTI_SERVICE):
        self.timeline = Timeline()
        self.settings = SimpleNamespace(at_shell=False)
        self.provoked = False
        self.report = False
        self._says = says
        self._watch = log_watch(self.name)
        setup = OwnSetup(str(sample), FACTS[sample])
        modem: Any = SimpleNamespace(register=lambda: None)
        port: Any = self
        self.own = OwnConnection(port, setup)
        self.trials = OwnTrials(self.own, modem, self.timeline, reported=self._reported, patience=0.05, hold=0.02)

    def command(self, text, timeout=None):
        lines = ["+CEREG: 2", "+CEREG: 1", *self._says(self.provoked)] if text == "AT+CFUN=1" else ["+CEREG: 0"]
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
    verdict = Board(lambda provoked: [KICK] if provoked else [READY]).experiment()
    assert verdict.expect(Outcome.POLICY_DISCONNECT) is verdict
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


@pytest.mark.parametrize(
    ("says", "error", "party"),
    [
        ([KICK], WrongVerdict, Party.CLOUD),
        (["NRF_CLOUD_EVT_TRANSPORT_CONNECT_ERROR: -9"], WrongVerdict, Party.CLOUD),
        (["Modem has crashed, reason 0x11, PC: 0x688de"], Unproved, Party.UNCLEAR),
    ],
)
def test_a_connection_that_does_not_come_up_is_the_clouds_or_the_labs(says, error, party):
    attempt = Board(lambda provoked: says).trials.connect()
    with pytest.raises(error, match="expected connected, got ") as caught:
        attempt.expect_connected()
    assert caught.value.party is party


def test_a_lost_link_is_not_the_provocations():
    verdict = Board(lambda provoked: ["Network connectivity lost!", KICK] if provoked else [READY]).experiment()
    assert verdict.outcome is Outcome.INCONCLUSIVE


def test_a_log_that_does_not_show_ready_is_helped_by_the_shadow():
    board = Board(lambda provoked: [], Sample.ASSET_TRACKER_2)
    board.report = True
    attempt = board.trials.connect()
    assert attempt.connected
    assert "its shadow has a new report" in attempt.because


def test_a_hang_up_that_came_before_the_report_was_seen_counts():
    board = Board(lambda provoked: [KICK], Sample.ASSET_TRACKER_2)
    board.report = True
    attempt = board.trials.connect()
    assert not attempt.connected
    assert attempt.cause.what is LogClass.KICKED


def test_a_silent_firmware_is_the_labs_trouble_with_what_was_heard():
    with pytest.raises(
        NoAnswer, match=r"nrf_cloud_multi_service says nothing of its connection within 0.05 s; last heard"
    ):
        Board(lambda provoked: []).trials.connect()


def test_the_network_comes_back_with_the_sims_pin():
    board = Board(lambda _provoked: [READY])
    done = []
    port: Any = SimpleNamespace(
        name="b", timeline=board.timeline, settings=board.settings, command=lambda text, timeout: done.append(text)
    )
    setup = OwnSetup("x", FACTS[Sample.MULTI_SERVICE])
    own = OwnConnection(port, setup, switch_on=lambda: done.append("with PIN"))
    own.end()
    own.begin()
    assert done == ["AT+CFUN=4", "with PIN"]
