"""The virtual Serial LTE Modem: what it does otherwise than Serial Modem, sockets, TCP client, HTTP client."""

import pytest

from harness.virtual.board.outputs import (
    CloseLink,
    LinkClosed,
    LinkData,
    LinkFailed,
    LinkOpened,
    LinkSend,
    OpenLink,
    Tls,
)
from harness.virtual.board.slm import OlderSerialLteModem, SerialLteModem
from harness.virtual.board.slm.http_client import HTTP_LINK
from tests.unit.virtual_board.bench import ERROR, OK, Bench, urcs
from tests.unit.virtual_board.test_sockets import HOST, lines


@pytest.fixture
def bench():
    """Registered."""
    bench = Bench(firmware=SerialLteModem)
    bench.end = b"\r\n"
    bench.attach()
    bench.taken()
    return bench


@pytest.fixture
def connected(bench):
    """A TLS socket that is connected."""
    assert bench.ask("AT#XSSOCKET=1,1,0,16842753") == lines("#XSSOCKET: 0,1,258")
    assert bench.ask(f'AT#XSSOCKETOPT=1,2,"{HOST}"') == OK
    assert bench.type(f'AT#XCONNECT="{HOST}",8883\r\n'.encode()) == b""
    assert bench.taken() == [OpenLink(HOST, 8883, 16842753, 1, Tls(HOST))]
    assert bench.link(LinkOpened(1)) == lines("#XCONNECT: 1")
    return bench


# -- the AT server


def test_a_command_ends_with_cr_lf(bench):
    assert bench.type(b"AT\r") == b""
    assert bench.type(b"\n") == OK
    assert bench.type(b"AT\nAT\r\n") == ERROR  # a line feed alone is a byte of the line
    assert bench.type(b'AT%CMNG=0,1,4,"a\r\nAT\r\nb"\r\n') == ERROR  # one line: it is registered, and may not write


@pytest.mark.parametrize("size", [4095, 4096, 4097, 9000])
def test_a_line_that_is_too_long_ends_all_the_same(bench, size):
    assert bench.type(b"AT" + b"x" * (size - 2) + b"\r\n") == ERROR
    assert bench.ask("AT") == OK


def test_its_own_commands(bench):
    assert bench.ask("AT#XSLMVER") == lines('#XSLMVER: "3.1.0","3.1.0"')
    for unknown in ("AT#XSMVER", "ATE1", "AT+IPR?", "AT#XCLOSE", "AT#XRECVCFG=0,1", "AT#XSLEEP=2"):
        assert bench.ask(unknown) == ERROR, unknown
    assert b"AT#XSOCKETSELECT\r\n" in bench.ask("AT#XCLAC")
    assert bench.ask("AT#XMQTTCFG?") == lines('#XMQTTCFG: "slm_default_client_id",60,1')


def test_unsolicited_results_stand_between_a_command_and_its_ok(connected):
    connected.ask("AT#XAPOLL=1,1")
    connected.ask("AT#XSOCKET=1,1,0")
    assert connected.type(b'AT#XCONNECT="h",80\r\n') == b""
    assert connected.link(LinkData(b"x", link=1)) == urcs("#XAPOLL: 0,1")
    assert connected.link(LinkFailed("no", 2)) == ERROR


def test_in_data_mode_the_modems_notifications_are_lost_and_the_errors_are_numbers(connected):
    connected.ask("AT+CSCON=1")
    connected.ask("AT#XSEND")
    assert connected.advance(60) == b""  # +CSCON: 0 would have come
    connected.link(LinkClosed(link=1))
    assert connected.type(b"x+++") == urcs("#XDATAMODE: -128")


# -- selected sockets


def test_the_newest_socket_is_selected_and_then_the_next_newest(bench):
    bench.ask("AT#XSOCKET=1,1,0")
    bench.ask("AT#XSSOCKET=1,1,0,42")
    bench.ask("AT#XSOCKET=1,2,0")
    assert bench.ask("AT#XSOCKET?") == lines("#XSOCKET: 2,1,0,2,0")
    assert bench.ask("AT#XSOCKETSELECT=0") == lines("#XSOCKETSELECT: 0")
    assert bench.ask("AT#XSOCKETSELECT?") == lines(
        "#XSOCKETSELECT: 0,1,0,1,-1,1,0",
        "#XSOCKETSELECT: 1,1,0,1,42,2,0",
        "#XSOCKETSELECT: 2,1,0,2,-1,3,0",
        "#XSOCKETSELECT: 0",
    )
    assert bench.ask("AT#XSOCKET=0") == lines('#XSOCKET: 0,"closed"')
    assert bench.ask("AT#XSOCKET?") == lines("#XSOCKET: 2,1,0,2,0")
    assert bench.ask("AT#XSOCKET=0") == lines('#XSOCKET: 0,"closed"')
    assert bench.ask("AT#XSSOCKET?") == lines("#XSSOCKET: 1,1,0,1,42,0")
    assert bench.ask("AT#XSSOCKET=0") == lines('#XSOCKET: 0,"closed"')
    assert bench.ask("AT#XSOCKETSELECT=1") == ERROR
    assert bench.ask("AT#XSEND") == ERROR


def test_send_and_receive(connected):
    connected.taken()
    assert connected.ask('AT#XSEND="a,+++"') == lines("#XSEND: 5")
    assert connected.ask("AT#XSEND") == OK
    assert connected.type(b"\0b\r\n+++") == urcs("#XDATAMODE: 0")
    assert connected.taken() == [LinkSend(b"a,+++", 1), LinkSend(b"\0b\r\n", 1)]
    connected.link(LinkData(b"x\r\ny", link=1))
    assert connected.ask("AT#XRECV=1") == b"\r\n#XRECV: 4\r\nx\r\ny" + OK
    assert connected.ask("AT#XRECV=1,64") == ERROR
    connected.link(LinkClosed(link=1))
    assert connected.ask("AT#XRECV=1") == OK
    assert connected.ask('AT#XSEND="x"') == b"\r\n#XSEND: 0\r\n" + ERROR


def test_poll_says_pollin_and_pollhup(connected):
    assert connected.ask("AT#XPOLL=0") == OK
    assert connected.type(b"AT#XPOLL=-1\r\n") == b""
    assert connected.link(LinkData(b"x", link=1)) == lines('#XPOLL: 0,"0x0001"')
    connected.link(LinkClosed(link=1))
    assert connected.ask("AT#XPOLL=0,0") == lines('#XPOLL: 0,"0x0011"')
    assert connected.ask("AT#XPOLL=0,7") == ERROR


def test_poll_ends_after_its_time(connected):
    assert connected.type(b"AT#XPOLL=1500\r\n") == b""
    assert connected.advance(1.4) == b""
    assert connected.advance(0.2) == OK


def test_asynchronous_polling(connected):
    assert connected.ask("AT#XAPOLL?") == lines("#XAPOLL: 0,0")
    assert connected.ask("AT#XAPOLL=1,1") == OK
    assert connected.ask("AT#XPOLL=0") == ERROR
    assert connected.ask("AT#XAPOLL?") == lines("#XAPOLL: 1,1")
    assert connected.link(LinkData(b"x", link=1)) == urcs("#XAPOLL: 0,1")
    assert connected.ask("AT#XRECV=1") == b"\r\n#XRECV: 1\r\nx" + OK
    assert connected.link(LinkClosed(link=1)) == urcs("#XAPOLL: 0,17")
    assert connected.ask("AT#XSOCKET=0") == lines('#XSOCKET: 0,"closed"')


def test_the_own_end_of_a_polled_socket_is_told(connected):
    connected.ask("AT#XAPOLL=1,1,0")
    assert connected.ask("AT#XAPOLL?") == lines("#XAPOLL: 1,1,0")
    assert connected.ask("AT#XSOCKET=0") == urcs("#XAPOLL: 0,32") + lines('#XSOCKET: 0,"closed"')


# -- TCP client


@pytest.fixture
def client(bench):
    """A TLS client that is connected."""
    assert bench.type(f'AT#XTCPCLI=1,"{HOST}",8883,42\r\n'.encode()) == b""
    assert bench.taken() == [OpenLink(HOST, 8883, 42, 1, Tls(HOST))]
    assert bench.link(LinkOpened(1)) == lines('#XTCPCLI: 0,"connected"')
    bench.taken()
    return bench


def test_a_client_that_cannot_connect(bench):
    bench.type(f'AT#XTCPCLI=1,"{HOST}",8883,42,2,0\r\n'.encode())
    assert bench.taken() == [OpenLink(HOST, 8883, 42, 1, Tls(""))]
    assert bench.link(LinkFailed("refused", 1)) == b'\r\n#XTCPCLI: -111,"not connected"\r\n' + ERROR
    assert bench.ask("AT#XTCPCLI?") == lines("#XTCPCLI: -1,1")
    bench.type(b'AT#XTCPCLI=1,"h",80\r\n')  # nothing has to be closed first
    assert bench.link(LinkOpened(1)) == lines('#XTCPCLI: 0,"connected"')


def test_a_clients_data_come_by_themselves(client):
    assert client.ask("AT#XTCPCLI?") == lines("#XTCPCLI: 0,1")
    assert client.ask("AT#XSOCKETSELECT?") == OK
    assert client.ask('AT#XTCPSEND="x"') == lines("#XTCPSEND: 1")
    assert client.link(LinkData(b"a\r\n", link=1)) == b"\r\n#XTCPDATA: 3\r\na\r\n"
    assert client.ask(f'AT#XTCPCLI=1,"{HOST}",8883') == ERROR
    assert client.ask("AT#XTCPCLI=0") == urcs('#XTCPCLI: 0,"disconnected"') + OK
    assert client.ask('AT#XTCPSEND="x"') == ERROR


def test_a_client_that_was_never_connected(bench):
    assert bench.ask("AT#XTCPCLI?") == lines("#XTCPCLI: -1,0")
    assert bench.ask("AT#XTCPCLI=0") == OK


def test_what_comes_at_once_is_written_in_pieces(client):
    data = bytes(range(256)) * 20
    pieces = [data[at : at + 2048] for at in range(0, len(data), 2048)]
    assert client.link(LinkData(data, link=1)) == b"".join(b"\r\n#XTCPDATA: %d\r\n%s" % (len(p), p) for p in pieces)


def test_an_older_one_has_no_asynchronous_polling():
    bench = Bench(firmware=OlderSerialLteModem)
    bench.end = b"\r\n"
    assert bench.ask("AT#XSLMVER") == lines('#XSLMVER: "2.6.1","2.6.1"')
    for command in ("AT#XAPOLL=?", "AT#XAPOLL=1,1"):
        assert bench.ask(command) == ERROR
    assert b"AT#XPOLL\r\n" in bench.ask("AT#XCLAC")


@pytest.mark.parametrize("reset", [False, True])
def test_a_hang_up_is_cause_104(client, reset):
    assert client.link(LinkData(b"bye", True, 1)) == b"\r\n#XTCPDATA: 3\r\nbye" + urcs('#XTCPCLI: -104,"disconnected"')
    assert client.link(LinkClosed(reset, 1)) == b""
    assert client.ask('AT#XTCPSEND="x"') == ERROR
    # Data mode is entered without a connection, and what it gets is dropped without a word.
    assert client.ask("AT#XTCPSEND") == OK
    client.taken()
    assert client.type(b"x+++") == urcs("#XDATAMODE: 0")
    assert client.taken() == []


def test_after_a_hang_up_the_client_connects_once_it_was_closed(client):
    client.link(LinkClosed(link=1))
    assert client.ask(f'AT#XTCPCLI=1,"{HOST}",8883') == ERROR
    assert client.ask("AT#XTCPCLI=0") == OK
    client.type(f'AT#XTCPCLI=1,"{HOST}",8883\r\n'.encode())
    assert client.link(LinkOpened(1)) == lines('#XTCPCLI: 0,"connected"')


def test_a_lost_network_is_cause_5_and_a_restarted_modem_115(bench, client):
    assert urcs('#XTCPCLI: -5,"disconnected"') in client.ask("AT+CFUN=4") + client.advance(5)
    bench.attach()
    assert bench.ask("AT#XTCPCLI=0") == OK
    bench.type(f'AT#XTCPCLI=1,"{HOST}",8883\r\n'.encode())
    bench.link(LinkOpened(1))
    assert urcs('#XTCPCLI: -115,"disconnected"') in bench.ask("AT#XMODEMRESET") + bench.advance(5)


def test_a_hang_up_in_data_mode(client):
    assert client.ask("AT#XTCPSEND") == OK
    assert client.link(LinkData(b"raw", link=1)) == b"raw"
    assert client.type(b"payload") == b""
    assert client.link(LinkClosed(link=1)) == b"+++"
    assert client.type(b"lost") == b""
    assert client.type(b"+++") == urcs("#XDATAMODE: -104")
    assert client.ask("AT#XTCPCLI?") == lines("#XTCPCLI: -1,1")


# -- HTTP client

REQUEST = 'AT#XHTTPCREQ="GET","/v1/account","Authorization: Bearer x\\r\\n"'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"


@pytest.fixture
def http(bench):
    """Connected."""
    assert bench.type(b'AT#XHTTPCCON=1,"api.nrfcloud.com",443,42\r\n') == b""
    assert bench.taken() == [OpenLink("api.nrfcloud.com", 443, 42, HTTP_LINK, Tls("api.nrfcloud.com"))]
    assert bench.link(LinkOpened(HTTP_LINK)) == lines("#XHTTPCCON: 1")
    bench.taken()
    return bench


def response(size, state):
    return b"\r\n#XHTTPCRSP:%d,%d\r\n" % (size, state)


def test_an_http_connection_that_fails(bench):
    bench.type(b'AT#XHTTPCCON=1,"api.nrfcloud.com",443,42\r\n')
    assert bench.link(LinkFailed("no", HTTP_LINK)) == urcs("#XHTTPCCON: 0") + ERROR
    assert bench.ask(REQUEST) == ERROR
    assert bench.ask("AT#XHTTPCCON?") == lines("#XHTTPCCON: 0")


def test_a_request_without_a_body(http):
    assert http.ask("AT#XHTTPCCON?") == lines('#XHTTPCCON: 1,"api.nrfcloud.com",443,42')
    assert http.type(REQUEST.encode() + b"\r\n") + http.advance(0) == OK + urcs("#XHTTPCREQ: 0")
    head = b"GET /v1/account HTTP/1.1\r\nHost: api.nrfcloud.com\r\nAuthorization: Bearer x\r\n\r\n"
    assert http.taken() == [LinkSend(head, HTTP_LINK)]
    assert http.link(LinkData(HEAD[:9], link=HTTP_LINK)) == b""
    assert http.link(LinkData(HEAD[9:], link=HTTP_LINK)) == HEAD + response(len(HEAD), 0)
    assert http.link(LinkData(b'{"a":', link=HTTP_LINK)) == b'{"a":' + response(5, 0)
    assert http.link(LinkData(b"12}\r\n", link=HTTP_LINK)) == b"12}\r\n" + response(5, 1)
    assert http.ask("AT#XHTTPCCON=0") == lines("#XHTTPCCON: 0")
    assert http.taken() == [CloseLink(link=HTTP_LINK)]


def test_a_request_with_a_body(http):
    request = b'AT#XHTTPCREQ="PATCH","/x","A: b\\r\\n","application/json",2\r\n'
    assert http.type(request) + http.advance(0) == OK + urcs("#XHTTPCREQ: 1")
    assert http.type(b"{}+++") == urcs("#XDATAMODE: 0")
    head = b"PATCH /x HTTP/1.1\r\nHost: api.nrfcloud.com\r\nA: b\r\n"
    head += b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    assert http.taken() == [LinkSend(head, HTTP_LINK), LinkSend(b"{}", HTTP_LINK)]
    gone = b"HTTP/1.1 202 Accepted\r\n\r\n"
    assert http.link(LinkData(gone, link=HTTP_LINK)) == gone + response(len(gone), 1)


def test_a_chunked_answer(http):
    http.type(REQUEST.encode() + b"\r\n")
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert http.link(LinkData(head, link=HTTP_LINK)).endswith(response(len(head), 0))
    assert http.link(LinkData(b"2\r\n{}\r\n0\r\n", link=HTTP_LINK)).endswith(response(10, 0))
    assert http.link(LinkData(b"\r\n", link=HTTP_LINK)) == b"\r\n" + response(2, 1)


def test_a_server_that_hangs_up(http):
    http.type(REQUEST.encode() + b"\r\n")
    http.advance(0)
    assert http.link(LinkClosed(link=HTTP_LINK)) == urcs("#XHTTPCRSP: 0,-104", "#XHTTPCCON: 0")
    assert http.ask("AT#XHTTPCCON=0") == ERROR
