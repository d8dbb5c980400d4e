"""Why a connection ended; the recorded disconnects of real devices; the page's chain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.firmware.cloud_library.cause import CANNOT_BE_TOLD, LogCause, Timed, cause_of
from harness.firmware.cloud_library.chain import Link, chain_in
from harness.firmware.cloud_library.evidence import Evidence, LogClass
from harness.firmware.cloud_library.numbers import Generation

TRACES = json.loads((Path(__file__).parents[3] / "data" / "disconnect-traces.json").read_text())
# What each recorded cause may be called. Nothing: only "cannot be told" is right.
KNOWN = {
    "sm-own-disconnect-late-urc": LogClass.USER_DISCONNECT,
    "ncs-attach-with-cell-change": LogClass.CONNECTED,
    "ncs-missing-credentials": LogClass.REFUSED,
    "modem-crash-0x11": LogClass.MODEM_FAULT,
    "modem-crash-at-dead": LogClass.MODEM_FAULT,
}


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace["id"])
def test_a_recorded_disconnect_is_called_by_its_cause_or_cannot_be_told(trace):
    lines = [Timed(line.get("t"), line["text"]) for line in trace["lines"] if line["dir"] == "rx"]
    cause = cause_of(lines)
    assert cause.what is KNOWN.get(trace["id"])
    assert (CANNOT_BE_TOLD in str(cause)) is (trace["id"] not in KNOWN)


KICK = "<err> nrf_cloud_transport: MQTT input error: -128"
LOST = "Network connectivity lost!"
KICKED = Evidence(LogClass.KICKED, -128, KICK)


def test_a_hang_up_after_the_action_is_the_other_sides():
    lines = [Timed(1.0, "CLOUD_EVT_READY"), Timed(10.0, KICK)]
    for since in (None, 9.5, 10.0):
        assert cause_of(lines, since=since) == LogCause(LogClass.KICKED, evidence=KICKED)


def test_a_line_that_may_have_been_near_the_hang_up_takes_the_verdict_away():
    for lost, kicked in ((5.0, 10.0), (None, 10.0), (5.0, None)):
        cause = cause_of([Timed(kicked, KICK), Timed(lost, LOST)], up=True)
        assert cause == LogCause(None, f"the link was lost within 5 s of the hang-up: {LOST}", KICKED)


def test_a_modem_that_searches_before_it_is_up_has_lost_nothing_and_afterwards_it_has():
    searching = [Timed(1.0, "+CEREG: 2")]
    assert str(cause_of(searching)) == "cannot be told (no line says why)"
    ready, lost = Timed(2.0, "CLOUD_EVT_READY"), Timed(3.0, LOST)
    found = cause_of([*searching, ready, lost])
    assert found == LogCause(LogClass.LINK_LOST, evidence=Evidence(LogClass.LINK_LOST, 0, LOST))


def test_a_connection_of_which_no_end_is_told_is_up():
    assert cause_of([Timed(1.0, "CLOUD_EVT_READY"), Timed(2.0, "CLOUD_EVT_READY")]).what is LogClass.CONNECTED


def test_a_generations_numbers_decide():
    event = [Timed(1.0, "nrf_cloud_event: 8, status: 1")]
    assert cause_of(event).what is None
    assert cause_of(event, generation=Generation.NCS_1).what is LogClass.KICKED


@pytest.mark.parametrize("at", [6.0, 14.0])
def test_a_link_that_was_lost_near_the_hang_up_takes_the_verdict_away(at):
    lines = sorted([Timed(1.0, "CLOUD_EVT_READY"), Timed(10.0, KICK), Timed(at, "Network connectivity lost!")])
    cause = cause_of(lines, up=True)
    assert cause.what is not LogClass.KICKED


def test_a_link_that_was_lost_long_after_the_hang_up_does_not():
    lines = [Timed(10.0, KICK), Timed(15.5, "Network connectivity lost!")]
    assert cause_of(lines, up=True).what is LogClass.KICKED


def test_a_hang_up_long_after_the_action_is_not_the_actions():
    cause = cause_of([Timed(30.0, KICK)], since=10.0, up=True)
    assert cause == LogCause(None, "the hang-up came 20.0 s after the action, more than 15 s", KICKED)
    assert cause_of([Timed(25.0, KICK)], since=10.0, up=True).what is LogClass.KICKED


def test_what_came_before_the_action_does_not_count():
    assert cause_of([Timed(1.0, KICK), Timed(5.0, "CLOUD_EVT_READY")], since=2.0).what is LogClass.CONNECTED


def test_the_first_evidence_decides():
    lines = [Timed(1.0, "CLOUD_EVT_DISCONNECTED: 0"), Timed(1.1, KICK)]
    assert cause_of(lines, up=True).what is LogClass.USER_DISCONNECT


def test_no_lines_tell_nothing():
    assert cause_of([]) == LogCause(None, "there are no lines")


def test_the_chain_of_the_page_literally():
    chain = chain_in(["Socket error: POLLHUP", "Connection was closed by the cloud.", "CLOUD_EVT_DISCONNECTED"])
    assert chain.missing == []
    assert chain.stood_for == {}
    assert chain.order
    assert str(chain) == (
        "POLLHUP: 'Socket error: POLLHUP'; CLOSED_BY_REMOTE: 'Connection was closed by the cloud.'; "
        "TRANSPORT_DISCONNECTED or CLOUD_EVT_DISCONNECTED: 'CLOUD_EVT_DISCONNECTED'"
    )


def test_a_chain_as_far_as_the_log_level_shows_it():
    chain = chain_in(["x", KICK, "<inf> cloud_connection: Connecting to nRF Cloud", "Connection closed."])
    assert chain.missing == [Link.CLOSED_BY_REMOTE, Link.DISCONNECTED]
    assert chain.order
    assert "POLLHUP: not visible at this log level, '<err> nrf_cloud_transport: MQTT input error: -128'" in str(chain)


def test_a_chain_in_another_order_is_told():
    chain = chain_in(["CLOUD_EVT_DISCONNECTED: 1", "Socket error: POLLHUP"])
    assert not chain.order
    assert str(chain).endswith("'CLOUD_EVT_DISCONNECTED: 1'; NOT in this order")
    assert str(chain_in([])).startswith("POLLHUP: not visible at this log level; ")
