"""The preview of Serial Modem 2.0: URCs that wait, headers that come last, HTTP on a socket."""

import pytest

from harness.virtual.board.outputs import LinkClosed, LinkData, LinkOpened, LinkSend
from harness.virtual.board.serial_modem.preview import SerialModemPreview
from harness.virtual.mqtt import Connack, Puback, Publish
from tests.unit.virtual_board.bench import ERROR, OK, Bench, urcs
from tests.unit.virtual_board.test_sockets import lines


@pytest.fixture
def bench():
    """Registered."""
    bench = Bench(firmware=SerialModemPreview)
    bench.attach()
    bench.taken()
    return bench


@pytest.fixture
def connected(bench):
    """A connected socket."""
    bench.ask("AT#XSOCKET=1,1,0")
    bench.type(b'AT#XCONNECT=0,"h",80\r')
    bench.link(LinkOpened(1))
    bench.taken()
    return bench


def test_its_version(bench):
    assert bench.ask("AT#XSMVER") == lines('#XSMVER: "2.0.0-preview1","3.2.1"')


def test_results_wait_until_the_host_has_been_quiet(connected):
    connected.ask("AT#XAPOLL=0,1,1")
    assert connected.link(LinkData(b"x", link=1)) == b""
    assert connected.advance(0.05) == b""
    assert connected.ask("AT") == OK
    assert connected.advance(0.09) == b""
    assert connected.advance(0.02) == urcs("#XAPOLL: 0,1")
    connected.ask("AT#XRECV=0,0,64,1")
    connected.advance(1)
    assert connected.link(LinkClosed(link=1)) == urcs("#XAPOLL: 0,17")


def test_the_end_of_a_former_socket_is_told_of_the_next(connected):
    connected.ask("AT#XAPOLL=0,1,1")
    connected.link(LinkClosed(link=1))
    connected.ask("AT#XCLOSE=0")
    assert connected.ask("AT#XSOCKET=1,1,0") == lines("#XSOCKET: 0,1,6")
    assert connected.advance(0.2) == urcs("#XAPOLL: 0,17")


def test_a_messages_header_comes_behind_it(bench):
    bench.type(b'AT#XMQTTCON=1,"","","mqtt.nrfcloud.com",8883,1\r')
    bench.link(LinkOpened())
    bench.link(LinkData(Connack().encode()))
    bench.advance(0.2)
    bench.ask("AT")
    assert bench.link(LinkData(Publish("t", b"one", 0, False).encode())) == b"t\r\none\r\n"
    assert bench.link(LinkData(Puback(1).encode())) == b""
    assert bench.advance(0.2) == urcs("#XMQTTMSG: 1,3", "#XMQTTEVT: 2,0", "#XMQTTEVT: 3,0")


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


def test_a_request_and_its_reply(connected):
    assert connected.ask('AT#XHTTPCREQ=0,"http://h/x?y",0,1,0,"A: b"') == lines("#XHTTPCREQ: 0")
    assert connected.taken() == [LinkSend(b"GET /x?y HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n", 1)]
    assert connected.ask('AT#XHTTPCREQ=0,"http://h/",0') == ERROR
    connected.advance(0.2)
    assert connected.link(LinkData(HEAD[:20], link=1)) == b""
    heard = connected.link(LinkData(HEAD[20:] + b"he", link=1))
    assert heard == urcs("#XHTTPCHEAD: 0,200,5", "#XHTTPCDATA: 0,0,2\r\nhe")
    assert connected.link(LinkData(b"llo", link=1)) == urcs("#XHTTPCDATA: 0,2,3\r\nllo", "#XHTTPCSTAT: 0,200,5,0")


def test_a_request_with_a_body_whose_reply_is_pulled(connected):
    assert connected.ask('AT#XHTTPCREQ=0,"h",1,0,2') == lines("#XHTTPCREQ: 0")
    assert connected.type(b"{}") == urcs("#XDATAMODE: 0")
    assert [one.data for one in connected.taken()][1] == b"{}"
    connected.advance(0.2)
    assert connected.link(LinkData(HEAD + b"hello", link=1)) == urcs("#XHTTPCHEAD: 0,200,5")
    assert connected.ask("AT#XHTTPCDATA=0,3") + connected.advance(0.2) == OK + urcs("#XHTTPCDATA: 0,0,3\r\nhel")
    heard = connected.ask("AT#XHTTPCDATA=0") + connected.advance(0.2)
    assert heard == OK + urcs("#XHTTPCDATA: 0,3,2\r\nlo", "#XHTTPCSTAT: 0,200,5,0")
    assert connected.ask("AT#XHTTPCDATA=0") == ERROR


@pytest.mark.parametrize("how", ["cancelled", "closed", "silent"])
def test_requests_that_end_without_a_reply(connected, how):
    connected.ask('AT#XHTTPCREQ=0,"h",0')
    if how == "cancelled":
        assert connected.ask("AT#XHTTPCCANCEL=0") == OK
    elif how == "closed":
        connected.link(LinkClosed(link=1))
    assert connected.advance(31) == urcs("#XHTTPCSTAT: 0,-1,0,0")
    assert connected.ask("AT#XHTTPCCANCEL=0") == ERROR
