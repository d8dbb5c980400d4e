"""What became of a reconnect of a firmware's own connection: from a few events."""

import pytest

from harness.firmware.cloud_library.cause import LogCause
from harness.firmware.cloud_library.chain import chain_in
from harness.firmware.cloud_library.evidence import LogClass
from harness.firmware.cloud_library.numbers import Generation
from harness.firmware.cloud_library.watcher import log_watch
from harness.timeline import Event, Kind
from harness.trial.own_attempt import OwnAttempt, own_attempt, own_attempts
from harness.trial.phases import Phase, spans

READY = "[00:00:01.000,000] <inf> cloud_connection: Connected to nRF Cloud"
KICK = "[00:00:01.100,000] <err> nrf_cloud_transport: MQTT input error: -128"
LOST = "Network connectivity lost!"
KEEPALIVE = "<err> nrf_cloud_transport: MQTT ping error: -128"


class Reconnect:
    """A reconnect whose events are a second apart, the first at 10 s."""

    def __init__(self, phase="right", generation="current"):
        self.events = []
        self._phase = phase
        self._watch = log_watch("b", Generation(generation))
        self._add(Kind.PHASE, "trial", "", name=phase, on="begin", board="b", generation=generation)

    def _add(self, kind, source, text, /, **data):
        number = len(self.events)
        self.events.append(Event(number, 10.0 + number, kind, source, text, data))
        return self

    def line(self, text, source="b", kind=Kind.RX, **data):
        for _, found, at, said, more in self._watch([(0.0, kind, source, text, data)]):
            self._add(found, at, said, **more)
        return self

    def reported(self):
        return self._add(Kind.PHASE, "trial", "", name="witness", on="end", reported=True)

    def other(self, kind=Kind.STEP, **data):
        return self._add(kind, "b", "", **data)

    def end(self):
        return self._add(Kind.PHASE, "trial", "", name=self._phase, on="end")

    def found(self):
        (span,) = spans(self.events)[Phase(self._phase)]
        return own_attempt(span)


def test_a_log_that_says_so_shows_a_connection():
    assert Reconnect().line(READY).end().found() == OwnAttempt(
        True, LogCause(LogClass.CONNECTED), 2.0, because="its log says so", refs=(2,)
    )


def test_a_report_shows_it_too():
    assert Reconnect().line("hello").reported().end().found() == OwnAttempt(
        True,
        LogCause(LogClass.CONNECTED),
        3.0,
        because="its log does not show it at this level; its shadow has a new report",
        refs=(3,),
    )


@pytest.mark.parametrize("kind", [Kind.STEP, Kind.CLOUD])
def test_only_a_witness_reports(kind):
    assert Reconnect().other(kind, reported=True).end().found().connected is False
    assert Reconnect().end().found().connected is False


def test_an_end_behind_it_ends_it():
    found = Reconnect().line("+CEREG: 1", kind=Kind.URC).line(READY).line(KICK).end().found()
    assert (found.connected, found.cause.what, found.seconds, found.refs) == (False, LogClass.KICKED, 5.0, (5,))
    assert found.chain is not None
    assert str(found) == f"{found.cause}; {found.chain}"
    assert found.chain == chain_in([KICK])
    lost = Reconnect().line(READY).line(LOST).end().found()
    assert (lost.connected, lost.cause.what, lost.chain) == (False, LogClass.LINK_LOST, None)
    assert str(lost) == str(lost.cause)


@pytest.mark.parametrize("line", ["#XMQTTEVT: 0,0#XMQTTEVT: 1,-128", f"{LOST}#XMQTTEVT: 0,0"])
def test_of_lines_that_are_run_together_the_later_one_counts(line):
    assert Reconnect().line(line).end().found().connected is line.endswith("0,0")


@pytest.mark.parametrize(("lines", "what"), [(1, None), (7, LogClass.KICKED)])
def test_a_link_that_is_lost_long_after_the_hang_up_did_not_cause_it(lines, what):
    reconnect = Reconnect().line(READY).line(KICK)
    for _ in range(lines):
        reconnect.line("hello")
    assert reconnect.line(LOST).end().found().cause.what is what


@pytest.mark.parametrize(("generation", "what"), [("ncs 1", LogClass.KICKED), ("current", None)])
def test_the_numbers_are_of_the_firmwares_generation(generation, what):
    found = Reconnect(generation=generation).line("nrf_cloud_event: 8, status: 1").line(KEEPALIVE).end().found()
    assert found.cause.what is (what or LogClass.KEEPALIVE)


def test_what_ended_before_it_came_up_is_of_the_connection_before():
    assert Reconnect().line(LOST).line(READY).end().found().connected is True


def test_behind_a_late_report_a_hang_up_counts_and_a_link_that_is_searched_for_does_not():
    assert Reconnect().line(LOST).reported().end().found().connected is True
    found = Reconnect().line(KEEPALIVE).reported().end().found()
    assert (found.connected, found.cause.what) == (False, LogClass.KEEPALIVE)


def test_a_refusal_is_one_without_a_connection():
    found = Reconnect().line(KICK).end().found()
    assert (found.connected, found.cause.what, found.seconds, found.refs) == (False, LogClass.KICKED, 2.0, (2,))


def test_without_evidence_the_end_of_the_phase_decides_or_its_begin():
    ended = Reconnect().line("hello").end().found()
    assert (ended.connected, ended.cause.what, ended.seconds, ended.refs) == (False, None, 2.0, (2,))
    cut = Reconnect().line("hello").found()
    assert (cut.seconds, cut.refs) == (0.0, (0,))


def test_only_what_the_board_said_by_itself_since_it_was_registered_counts():
    found = (
        Reconnect()
        .line(LOST)
        .line("+CEREG: 5", kind=Kind.URC)
        .line(KICK, role="answer")
        .line(KICK, source="other")
        .end()
        .found()
    )
    assert found.cause == LogCause(None, "there are no lines")
    assert Reconnect().line("+CEREG: 1", kind=Kind.URC).line(LOST).end().found().cause.what is LogClass.LINK_LOST


def test_reconnects_are_in_order():
    first, second = Reconnect("right").line(READY).end(), Reconnect("action").line(KICK).end()
    events = [*first.events, *(event._replace(seq=event.seq + len(first.events)) for event in second.events)]
    third = [event._replace(seq=event.seq + len(events)) for event in first.events]
    found = own_attempts([*events, *third])
    assert [(provoked, attempt.connected) for provoked, attempt in found] == [
        (False, True),
        (True, False),
        (False, True),
    ]
    assert own_attempts([]) == []
