"""Modem Shell's own connection: what ``cloud connect`` and an end print, with the numbers of their statuses."""

from __future__ import annotations

import pytest

from harness.virtual.board.outputs import LinkClosed, LinkData, LinkFailed, LinkOpened, OpenLink
from harness.virtual.board.shell import ModemShell
from harness.virtual.mqtt import Connack
from tests.unit.virtual_board.bench import Bench

EVENT = "nRF Cloud event: NRF_CLOUD_EVT_"
AGAIN = "Reconnecting in 10 seconds...\r\n"


@pytest.fixture
def bench():
    """Registered."""
    bench = Bench(firmware=ModemShell)
    bench.type(b"at AT+CFUN=1\r")
    bench.advance(5)
    bench.taken()
    return bench


def typed(bench, line):
    return bench.type(line.encode() + b"\r").decode()


def opened(bench):
    return [action for action in bench.taken() if isinstance(action, OpenLink)]


def accepted(bench):
    """Connect, as far as CONNACK."""
    said = typed(bench, "cloud connect")
    bench.link(LinkOpened())
    bench.taken()
    return said + bench.link(LinkData(Connack().encode())).decode()


def test_what_connecting_prints(bench):
    said = accepted(bench)
    lines = ("Endpoint: mqtt.nrfcloud.com", "Connecting to nRF Cloud...", f"{EVENT}TRANSPORT_CONNECTED")
    places = [said.index(line) for line in lines]
    assert places == sorted(places)
    assert "already established" in typed(bench, "cloud connect")


def test_a_hang_up_has_status_1_and_is_followed_by_another_connect(bench):
    accepted(bench)
    said = bench.link(LinkClosed()).decode()
    assert f"{EVENT}TRANSPORT_DISCONNECTED, status: 1\r\nConnection to nRF Cloud disconnected\r\n" in said
    assert AGAIN in said
    bench.taken()
    bench.advance(9)
    assert not opened(bench)
    bench.advance(2)
    assert len(opened(bench)) == 1


def test_a_lost_link_has_status_2(bench):
    accepted(bench)
    said = typed(bench, "at AT+CFUN=4") + bench.advance(1).decode()
    assert f"{EVENT}TRANSPORT_DISCONNECTED, status: 2\r\n" in said


@pytest.mark.parametrize("before", ["connected", "hung up"])
def test_an_end_that_was_asked_for_has_status_0_and_stays_one(bench, before):
    accepted(bench)
    if before == "hung up":
        bench.link(LinkClosed())
    said = typed(bench, "cloud disconnect")
    assert AGAIN not in said
    assert (f"{EVENT}TRANSPORT_DISCONNECTED, status: 0\r\n" in said) is (before == "connected")
    bench.taken()
    bench.advance(20)
    assert not opened(bench)
    assert "Not connected to nRF Cloud" in typed(bench, "cloud disconnect")


def test_a_refused_tls_session_has_its_result(bench):
    typed(bench, "cloud connect")
    said = bench.link(LinkFailed("no")).decode()
    assert f"{EVENT}TRANSPORT_CONNECT_ERROR, status: -9\r\nConnecting to nRF Cloud failed\r\n" in said
