"""Serial Modem's sockets as a host sees them through AT commands; the peer's side is written out as link events."""

import pytest

from harness.virtual.board.outputs import (
    CloseLink,
    LinkClosed,
    LinkData,
    LinkFailed,
    LinkOpened,
    LinkSend,
    OpenLink,
    PauseLink,
    Tls,
)
from tests.unit.virtual_board.bench import ERROR, OK, urcs

HOST = "mqtt.nrfcloud.com"


def lines(*texts):
    """Information lines of an application command, then OK."""
    return "".join(f"\r\n{text}\r\n" for text in texts).encode() + OK


@pytest.fixture
def connected(bench):
    """A TLS socket, polled for POLLIN."""
    assert bench.ask("AT#XSSOCKET=1,1,0,16842753") == lines("#XSSOCKET: 0,1,258")
    assert bench.ask(f'AT#XSSOCKETOPT=0,1,2,"{HOST}"') == OK
    assert bench.type(f'AT#XCONNECT=0,"{HOST}",8883\r'.encode()) == b""
    assert bench.taken() == [OpenLink(HOST, 8883, 16842753, 1, Tls(HOST))]
    assert bench.link(LinkOpened(1)) == lines("#XCONNECT: 0,1")
    assert bench.ask("AT#XAPOLL=0,1,1") == OK
    return bench


def test_a_refused_connection_is_a_bare_error(bench):
    bench.ask("AT#XSSOCKET=1,1,0,16842753")
    bench.type(f'AT#XCONNECT=0,"{HOST}",8883\r'.encode())
    assert bench.link(LinkFailed("certificate unknown", 1)) == ERROR


def test_no_name_is_verified_unless_the_option_says_which(bench):
    bench.ask("AT#XSSOCKET=1,1,0,7,0")
    bench.taken()
    bench.type(f'AT#XCONNECT=0,"{HOST}",8883\r'.encode())
    assert bench.taken() == [OpenLink(HOST, 8883, 7, 1, Tls("", verify=False))]


def test_what_sockets_there_are(bench):
    assert bench.ask("AT#XSOCKET=1,1,0") == lines("#XSOCKET: 0,1,6")
    assert bench.ask("AT#XSSOCKET=1,1,0,42") == lines("#XSSOCKET: 1,1,258")
    assert bench.ask("AT#XSOCKET=1,2,0") == lines("#XSOCKET: 2,2,17")
    assert bench.ask("AT#XSOCKET?") == lines("#XSOCKET: 0,1,0,1,0", "#XSOCKET: 2,1,0,2,0")
    assert bench.ask("AT#XSSOCKET?") == lines("#XSSOCKET: 1,1,0,1,42,0")
    assert bench.ask("AT#XCLOSE=1") == lines("#XCLOSE: 1,0")
    assert bench.ask("AT#XCLOSE") == lines("#XCLOSE: 0,0", "#XCLOSE: 2,0")
    assert bench.ask("AT#XCLOSE") == OK
    assert bench.ask("AT#XCLOSE=1") == ERROR


def test_the_modem_has_eight(bench):
    for handle in range(8):
        assert bench.ask("AT#XSOCKET=1,1,0") == lines(f"#XSOCKET: {handle},1,6")
    assert bench.ask("AT#XSOCKET=1,1,0") == ERROR


@pytest.mark.parametrize(
    ("command", "sent", "answer"),
    [
        ('AT#XSEND=0,0,0,"hello, you"', b"hello, you", "#XSEND: 0,0,10"),
        ('AT#XSEND=0,1,0,"00ff41"', b"\x00\xffA", "#XSEND: 0,0,3"),
        ('AT#XSEND=0,0,512,"x"', b"x", "#XSEND: 0,0,1"),
    ],
)
def test_send(connected, command, sent, answer):
    connected.taken()
    assert connected.ask(command) == lines(answer)
    assert connected.taken() == [LinkSend(sent, 1)]


def test_send_with_a_note_when_it_has_arrived(connected):
    assert connected.ask('AT#XSEND=0,0,8192,"x"') == lines("#XSEND: 0,1,1") + urcs("#XSENDNTF: 0,0,1")


@pytest.mark.parametrize("wrong", ['0,1,0,"0"', '0,1,0,"xx"', '0,0,0,""', '1,0,0,"x"', '0,3,0,"x"', "0,2,0,0"])
def test_send_refuses(connected, wrong):
    assert connected.ask(f"AT#XSEND={wrong}") == ERROR


def test_data_mode_of_counted_bytes_knows_no_terminator(connected):
    connected.taken()
    assert connected.ask("AT#XSEND=0,2,0,9") == OK
    assert connected.type(b"a+++b\r\n") == b""
    assert connected.type(b"+\x00AT\r") == urcs("#XDATAMODE: 0") + OK
    assert connected.taken() == [LinkSend(b"a+++b\r\n+\x00", 1)]


def test_data_mode_takes_any_number_of_bytes_in_pieces(connected):
    connected.taken()
    data = bytes(range(256)) * 40
    connected.ask(f"AT#XSEND=0,2,0,{len(data)}")
    assert connected.type(data) == urcs("#XDATAMODE: 0")
    sent = connected.taken()
    assert [len(one.data) for one in sent] == [4096, 4096, 2048]
    assert b"".join(one.data for one in sent) == data


def test_data_mode_until_the_terminator(connected):
    connected.taken()
    assert connected.ask("AT#XSEND=0,2,0") == OK
    assert connected.type(b"x" * 5000 + b"+++") == urcs("#XDATAMODE: 0")
    assert b"".join(one.data for one in connected.taken()) == b"x" * 5000


def test_a_peer_that_goes_while_data_mode_is_open(connected):
    connected.ask("AT#XSEND=0,2,0")
    assert connected.link(LinkClosed(link=1)) == b"+++"
    assert connected.type(b"lost") == b""
    assert connected.type(b"+++") == urcs("#XDATAMODE: -1", "#XAPOLL: 0,17")


def test_counted_bytes_are_counted_also_when_nobody_takes_them(connected):
    connected.ask("AT#XSEND=0,2,0,5")
    assert connected.link(LinkClosed(link=1)) == b"+++"
    assert connected.type(b"lost!AT") == urcs("#XDATAMODE: -1", "#XAPOLL: 0,17")
    assert connected.type(b"\r") == OK


def test_receive(connected):
    assert connected.link(LinkData(b"a\r\nOK\r\nb\x00", link=1)) == urcs("#XAPOLL: 0,1")
    assert connected.link(LinkData(b"more", link=1)) == b""  # told once until it is received
    assert connected.ask("AT#XRECV=0,0,0,1,8") == b"\r\n#XRECV: 0,0,8\r\na\r\nOK\r\nb" + OK + urcs("#XAPOLL: 0,1")
    assert connected.ask("AT#XRECV=0,1,0,1") == b"\r\n#XRECV: 0,1,5\r\n006D6F7265" + OK


def test_peek_and_do_not_wait(connected):
    connected.link(LinkData(b"abc", link=1))
    assert connected.ask("AT#XRECV=0,0,2,1") == b"\r\n#XRECV: 0,0,3\r\nabc" + OK + urcs("#XAPOLL: 0,1")
    assert connected.ask("AT#XRECV=0,0,64,0") == b"\r\n#XRECV: 0,0,3\r\nabc" + OK
    assert connected.ask("AT#XRECV=0,0,64,0") == ERROR


def test_receive_waits(connected):
    assert connected.type(b"AT#XRECV=0,0,0,0\r") == b""
    assert connected.advance(3600) == b""
    assert connected.link(LinkData(b"x", link=1)) == b"\r\n#XRECV: 0,0,1\r\nx" + OK
    assert connected.type(b"AT#XRECV=0,0,0,2\r") == b""
    assert connected.advance(3) == ERROR
    assert connected.link(LinkData(b"y", link=1)) == urcs("#XAPOLL: 0,1")


def test_receive_all(connected):
    assert connected.type(b"AT#XRECV=0,0,256,0,4\r") == b""
    assert connected.link(LinkData(b"ab", link=1)) == b""
    assert connected.link(LinkData(b"cde", link=1)).startswith(b"\r\n#XRECV: 0,0,4\r\nabcd" + OK)


@pytest.mark.parametrize(("events", "told"), [(1, 17), (5, 17), (0, 16), (4, 16)])
def test_the_peers_end(connected, events, told):
    connected.ask(f"AT#XAPOLL=0,1,{events}")
    assert connected.link(LinkClosed(link=1)) == urcs(f"#XAPOLL: 0,{told}")
    assert connected.link(LinkClosed(link=1)) == b""
    assert connected.ask("AT#XRECV=0,0,0,1") == OK  # the end of the stream
    assert connected.ask('AT#XSEND=0,0,0,"x"') == b"\r\n#XSEND: 0,0,0\r\n" + ERROR


def test_the_peers_end_behind_its_last_bytes(connected):
    assert connected.link(LinkData(b"bye", True, 1)) == urcs("#XAPOLL: 0,17")
    assert connected.link(LinkClosed(link=1)) == b""
    assert connected.ask("AT#XRECV=0,0,64,0") == b"\r\n#XRECV: 0,0,3\r\nbye" + OK + urcs("#XAPOLL: 0,1")
    assert connected.ask("AT#XRECV=0,0,64,0") == OK


def test_a_reset_fails_one_receive(connected):
    assert connected.link(LinkClosed(True, 1)) == urcs("#XAPOLL: 0,17")
    assert connected.ask("AT#XRECV=0,0,0,1") == ERROR
    assert connected.ask("AT#XRECV=0,0,0,1") == OK


def test_the_network_goes(connected):
    connected.taken()
    heard = connected.ask("AT+CFUN=4") + connected.advance(5)
    assert urcs("#XAPOLL: 0,9") in heard
    assert CloseLink(abrupt=True, link=1) in connected.taken()
    assert connected.ask("AT#XRECV=0,0,0,1") == ERROR


def test_the_network_goes_while_connecting(bench):
    bench.ask("AT#XSSOCKET=1,1,0,7")
    bench.type(f'AT#XCONNECT=0,"{HOST}",8883\rAT#XCLOSE=0\r'.encode())
    assert bench.link(LinkFailed("gone", 1)) == ERROR + lines("#XCLOSE: 0,0")


def test_own_end_is_not_told(connected):
    connected.taken()
    assert connected.ask("AT#XCLOSE=0") == lines("#XCLOSE: 0,0")
    assert connected.taken() == [CloseLink(link=1)]
    assert connected.link(LinkClosed(link=1)) == b""


def test_polling_of_all_present_and_future_sockets(bench):
    bench.ask("AT#XSOCKET=1,1,0")
    assert bench.ask("AT#XAPOLL=,1,5") == OK
    bench.ask("AT#XSOCKET=1,1,0")
    assert bench.ask("AT#XAPOLL?") == lines("#XAPOLL: 0,5", "#XAPOLL: 1,5")
    assert bench.ask("AT#XAPOLL=1,0") == OK
    assert bench.ask("AT#XAPOLL?") == lines("#XAPOLL: 0,5")
    assert bench.ask("AT#XAPOLL=0,1,2") == ERROR


def test_pollout_is_told_once_until_the_next_send(connected):
    assert connected.ask("AT#XAPOLL=0,1,4") == OK + urcs("#XAPOLL: 0,4")
    assert connected.ask('AT#XSEND=0,0,0,"x"') == lines("#XSEND: 0,0,1") + urcs("#XAPOLL: 0,4")


def test_reception_by_itself(connected):
    assert connected.ask("AT#XRECVCFG=0,1") == OK
    assert connected.link(LinkData(b"a\r\nb", link=1)) == b"\r\n#XRECV: 0,0,4\r\na\r\nb\r\n"


def test_a_peer_that_sends_more_than_is_received_is_held_back(connected):
    connected.taken()
    connected.link(LinkData(b"x" * 40000, link=1))
    assert connected.taken() == [PauseLink(True, 1)]
    for _ in range(4):
        connected.ask("AT#XRECV=0,0,64,0")
    assert connected.taken() == [PauseLink(False, 1)]


def test_options(connected):
    assert connected.ask("AT#XSSOCKETOPT=0,0,2") == lines(f"#XSSOCKETOPT: 0,{HOST}")
    assert connected.ask("AT#XSSOCKETOPT=0,0,4") == lines("#XSSOCKETOPT: 0,0xc02b")
    assert connected.ask("AT#XSSOCKETOPT=0,1,2,NULL") == OK
    assert connected.ask("AT#XSSOCKETOPT=0,1,5,1") == OK
    assert connected.ask("AT#XSSOCKETOPT=0,0,5") == lines("#XSSOCKETOPT: 0,1")
    assert connected.ask("AT#XSOCKETOPT=0,0,21") == lines("#XSOCKETOPT: 0,30")
    assert connected.ask("AT#XSOCKETOPT=0,1,21,5") == OK
    assert connected.ask("AT#XSOCKETOPT=0,0,21") == lines("#XSOCKETOPT: 0,5")
    for refused in ("#XSOCKETOPT=0,0,40", "#XSSOCKETOPT=0,1,4,1", "#XSOCKETOPT=0,0,3", "#XSSOCKETOPT=0,0,99"):
        assert connected.ask(f"AT{refused}") == ERROR


def test_a_reset_closes_everything(connected):
    connected.taken()
    connected.ask("AT#XRESET")
    connected.advance(3)
    assert CloseLink(link=1) in connected.taken()
    connected.attach()
    assert connected.ask("AT#XSSOCKET?") == OK
