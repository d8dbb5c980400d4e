"""The preview of Serial Modem 2.0: URCs that wait, headers that come last, HTTP on a socket."""

import pytest

from harness.virtual.board.outputs import LinkClosed, LinkData, LinkOpened, LinkSend
from harness.virtual.board.serial_modem.preview import SerialModemMain, SerialModemPreview
from harness.virtual.mqtt import Connack, Puback, Publish
from tests.unit.virtual_board.bench import ERROR, OK, Bench, urcs
from tests.unit.virtual_board.test_sockets import lines


def registered(firmware):
    bench = Bench(firmware=firmware)
    bench.attach()
    bench.taken()
    return bench


def with_socket(bench):
    """Open a socket and connect it."""
    bench.ask("AT#XSOCKET=1,1,0")
    bench.type(b'AT#XCONNECT=0,"h",80\r')
    bench.link(LinkOpened(1))
    bench.taken()
    return bench


@pytest.fixture
def bench():
    return registered(SerialModemPreview)


@pytest.fixture
def main():
    return registered(SerialModemMain)


@pytest.fixture
def connected(bench):
    return with_socket(bench)


@pytest.fixture
def main_connected(main):
    return with_socket(main)


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


def test_main_writes_a_message_as_one(main):
    main.type(b'AT#XMQTTCON=1,"","","mqtt.nrfcloud.com",8883,1\r')
    main.link(LinkOpened())
    main.link(LinkData(Connack().encode()))
    main.advance(0.2)
    main.ask("AT")
    assert main.link(LinkData(Publish("t", b"one", 0, False).encode())) == b"\r\n#XMQTTMSG: 1,3\r\nt\r\none\r\n"
    assert main.advance(0.2) == urcs("#XMQTTEVT: 2,0")


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
TEST = "#XHTTPCREQ: <socket_fd>,<url>,<method>[,<auto_reception>[,<body_len>[,<header>]...]]"
TEST_OF_MAIN = "#XHTTPCREQ: <handle>,<url>,<method>[,<auto_reception>[,<format>[,<body_len>[,<header>]...]]]"


def test_each_release_has_its_own_request(bench, main):
    assert bench.ask("AT#XHTTPCREQ=?") == lines(TEST)
    assert main.ask("AT#XHTTPCREQ=?") == lines(TEST_OF_MAIN)
    assert main.ask("AT#XSMVER") == lines('#XSMVER: "1.99.0","3.2.1"')


def asked(target=b"/x?y", method=b"GET", more=b""):
    fixed = b"User-Agent: nRF91-Serial-Modem\r\nAccept: */*\r\n"
    return b"%s %s HTTP/1.1\r\nHost: h\r\n%s%s\r\n" % (method, target, fixed, more)


def test_a_request_and_its_reply_that_comes_by_itself(connected):
    """The lines wait for a quiet UART, and the bytes do not."""
    assert connected.ask('AT#XHTTPCREQ=0,"http://h:80/x?y",0,1,0,"A: b",,"C: d"') == lines("#XHTTPCREQ: 0")
    assert connected.taken() == [LinkSend(asked(more=b"A: b\r\nC: d\r\n"), 1)]
    assert connected.ask('AT#XHTTPCREQ=0,"http://h/",0') == ERROR
    assert connected.link(LinkData(HEAD[:20], link=1)) == b""
    assert connected.link(LinkData(HEAD[20:] + b"he", link=1)) == b"he"
    assert connected.link(LinkData(b"llo", link=1)) == b"llo"
    assert connected.advance(0.2) == urcs(
        "#XHTTPCHEAD: 0,200,5", "#XHTTPCDATA: 0,0,2", "#XHTTPCDATA: 0,2,3", "#XHTTPCSTAT: 0,200,5"
    )


def test_main_writes_a_reply_s_line_and_bytes_as_one(main_connected):
    assert main_connected.ask('AT#XHTTPCREQ=0,"http://h/x?y",0,1,0,0,"A: b"') == lines("#XHTTPCREQ: 0")
    assert main_connected.taken() == [LinkSend(asked(more=b"A: b\r\n"), 1)]
    assert main_connected.link(LinkData(HEAD + b"hello", link=1)) == b"\r\n#XHTTPCDATA: 0,0,5\r\nhello\r\n"
    assert main_connected.advance(0.2) == urcs("#XHTTPCHEAD: 0,200,5", "#XHTTPCSTAT: 0,200,5,0")


def test_main_writes_bytes_in_hex_where_it_is_asked_to(main_connected):
    main_connected.ask('AT#XHTTPCREQ=0,"http://h/",0,1,1')
    assert main_connected.link(LinkData(HEAD + b"hello", link=1)).endswith(b"#XHTTPCDATA: 0,0,5\r\n68656c6c6f\r\n")


def test_main_knows_the_last_chunk_and_a_server_that_will_close(main_connected):
    main_connected.ask('AT#XHTTPCREQ=0,"http://h/",0')
    reply = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    assert main_connected.link(LinkData(reply, link=1)).startswith(b"\r\n#XHTTPCDATA: 0,0,12\r\n")
    assert main_connected.advance(0.2) == urcs("#XHTTPCHEAD: 0,200,-1", "#XHTTPCSTAT: 0,200,12,1")


def test_a_reply_is_pulled_line_and_bytes_together(connected):
    assert connected.ask('AT#XHTTPCREQ=0,"http://h",1,0,2') == lines("#XHTTPCREQ: 0")
    assert connected.type(b"{}") == urcs("#XDATAMODE: 0")
    sent = [one.data for one in connected.taken()]
    assert sent == [asked(b"/", b"POST", b"Content-Length: 2\r\n"), b"{}"]
    connected.advance(0.2)
    assert connected.ask("AT#XHTTPCDATA=0") == ERROR  # there is no reply yet
    connected.advance(0.2)
    assert connected.link(LinkData(HEAD + b"hell", link=1)) == urcs("#XHTTPCHEAD: 0,200,5")
    assert connected.ask("AT#XHTTPCDATA=0,3") == b"\r\n#XHTTPCDATA: 0,0,3\r\nhel" + OK
    assert connected.ask("AT#XHTTPCDATA=0") == b"\r\n#XHTTPCDATA: 0,3,1\r\nl" + OK
    assert connected.ask("AT#XHTTPCDATA=0") == lines("#XHTTPCDATA: 0,4,0")
    connected.link(LinkData(b"o", link=1))
    heard = connected.ask("AT#XHTTPCDATA=0") + connected.advance(0.2)
    assert heard == b"\r\n#XHTTPCDATA: 0,4,1\r\no" + OK + urcs("#XHTTPCSTAT: 0,200,5")
    assert connected.ask("AT#XHTTPCDATA=0") == ERROR


@pytest.mark.parametrize(
    "request_",
    [
        *('0,"h",0', '0,"http://h/",5', '0,"http://h/",0,2', '0,"http://h/",0,1,2', '1,"http://h/",0'),
        *(f'0,"http://h/{"x" * 255}",0', '0,"http://h/",1,1,4097', f'0,"http://h/",0,1,0,"A: {"x" * 510}"'),
    ],
)
def test_requests_that_are_refused(connected, request_):
    assert connected.ask(f"AT#XHTTPCREQ={request_}") == ERROR


@pytest.mark.parametrize("how", ["cancelled", "closed", "silent"])
def test_requests_that_end_without_a_reply(connected, how):
    connected.ask('AT#XHTTPCREQ=0,"http://h",0')
    if how == "cancelled":
        assert connected.ask("AT#XHTTPCCANCEL=0") == OK
    elif how == "closed":
        connected.link(LinkClosed(link=1))
    assert connected.advance(31) == urcs("#XHTTPCSTAT: 0,-1,0")
    assert connected.ask("AT#XHTTPCCANCEL=0") == ERROR


def test_main_ends_the_request_of_a_socket_that_is_closed(main_connected):
    main_connected.ask('AT#XHTTPCREQ=0,"http://h",0')
    assert main_connected.ask("AT#XCLOSE=0") == lines("#XCLOSE: 0,0")
    assert main_connected.advance(0.2) == urcs("#XHTTPCSTAT: 0,-1,0,0")
