"""The MQTT client as a host sees it through AT commands; the broker's side is written out as packets."""

import pytest

from harness.settings import BoardFault
from harness.virtual.board.outputs import CloseLink, LinkClosed, LinkData, LinkFailed, LinkOpened, LinkSend, OpenLink
from harness.virtual.mqtt import (
    FROM_CLIENT,
    Connack,
    Connect,
    Decoder,
    Disconnect,
    Pingreq,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
)
from tests.unit.virtual_board.bench import ERROR, OK, Bench, info, urcs

CONNECT = 'AT#XMQTTCON=1,"","","mqtt.nrfcloud.com",8883,16842753'
READ_OFF = info("#XMQTTCON: 0")


def event(kind, result):
    return b"\r\n#XMQTTEVT: %d,%d\r\n" % (kind, result)


@pytest.fixture
def online(bench):
    """Connected."""
    bench.ask('AT#XMQTTCFG="nrf-352656100000001",120,1')
    bench.type(CONNECT.encode() + b"\r")
    bench.link(LinkOpened())
    assert bench.link(LinkData(Connack().encode())) == event(0, 0)
    bench.taken()
    return bench


def sent(bench):
    """The packets the device has sent since the last look, and other actions as they are."""
    packets, decoder = [], Decoder(FROM_CLIENT)
    for action in bench.taken():
        if isinstance(action, LinkSend):
            decoder.feed(action.data)
            packets.append(decoder.next_packet())
        else:
            packets.append(action)
    return packets


def broker(bench, *packets, hangup=False):
    return bench.link(LinkData(b"".join(packet.encode() for packet in packets), hangup))


def test_the_documented_dialogue(bench):
    assert bench.ask('AT#XMQTTCFG="nrf-352656100000001",120,1') == OK
    assert bench.type(CONNECT.encode() + b"\r") == b""
    assert bench.taken() == [OpenLink("mqtt.nrfcloud.com", 8883, 16842753)]
    assert bench.link(LinkOpened()) == b"\r\nOK\r\n"
    assert sent(bench) == [Connect("nrf-352656100000001", keepalive=120)]
    assert broker(bench, Connack()) == b"\r\n#XMQTTEVT: 0,0\r\n"
    assert bench.ask('AT#XMQTTSUB="prod/x/m/d/nrf-352656100000001/c2d",1') == b"\r\nOK\r\n"
    assert sent(bench) == [Subscribe(1, (("prod/x/m/d/nrf-352656100000001/c2d", 1),))]
    assert broker(bench, Suback(1, (1,))) == b"\r\n#XMQTTEVT: 7,0\r\n"
    assert bench.ask('AT#XMQTTPUB="forbidden/topic"') == b"\r\nOK\r\n"
    assert bench.type(b'{"a":1}+++') == b"\r\n#XDATAMODE: 0\r\n"
    assert sent(bench) == [Publish("forbidden/topic", b'{"a":1}')]
    assert bench.link(LinkClosed()) == b"\r\n#XMQTTEVT: 1,-128\r\n"
    assert bench.ask("AT#XMQTTCON?") == b"\r\n#XMQTTCON: 0\r\n\r\nOK\r\n"


def test_configuration(bench):
    assert bench.ask("AT#XMQTTCFG?") == info('#XMQTTCFG: "sm_default_client_id",60,1')
    assert bench.ask('AT#XMQTTCFG="a",120,0') == OK
    assert bench.ask("AT#XMQTTCFG?") == info('#XMQTTCFG: "a",120,0')
    assert bench.ask('AT#XMQTTCFG="b"') == OK
    assert bench.ask("AT#XMQTTCFG?") == info('#XMQTTCFG: "b",60,1')  # not the values before
    assert bench.ask("AT#XMQTTCFG=?") == info("#XMQTTCFG: <client_id>,<keep_alive>,<clean_session>")
    for wrong in ("b", '"b",60,2', '"b",65536', f'"{"x" * 65}"', '"b",-1', ""):
        assert bench.ask(f"AT#XMQTTCFG={wrong}") == ERROR, wrong


def test_connection_state(online):
    shown = info('#XMQTTCON: 1,"nrf-352656100000001","mqtt.nrfcloud.com",8883,16842753')
    assert online.ask("AT#XMQTTCON?") == shown
    assert online.ask("AT#XMQTTCON=?") == info("#XMQTTCON: (0,1,2),<username>,<password>,<url>,<port>,<sec_tag>")
    assert online.ask(CONNECT) == ERROR
    assert online.ask('AT#XMQTTCFG="other"') == ERROR
    assert online.ask("AT#XMQTTCON?") == shown


def test_connected_before_the_broker_has_answered(bench):
    bench.type(b'AT#XMQTTCON=1,"","","broker",1883\r')
    bench.link(LinkOpened())
    assert bench.ask("AT#XMQTTCON?") == info('#XMQTTCON: 1,"sm_default_client_id","broker",1883')


def test_user_and_password(bench):
    bench.type(b'AT#XMQTTCON=1,"me","secret","broker",1883\r')
    bench.link(LinkOpened())
    assert sent(bench)[1:] == [Connect("sm_default_client_id", keepalive=60, user_name="me", password=b"secret")]


def test_a_password_without_user_is_not_sent(bench):
    bench.type(b'AT#XMQTTCON=1,"","secret","broker",1883\r')
    bench.link(LinkOpened())
    assert sent(bench)[1:] == [Connect("sm_default_client_id", keepalive=60)]


@pytest.mark.parametrize(
    "arguments",
    ["3", '1,"","","host"', '1,,"","host",1883', '1,"","",host,1883', '1,"","","host",65536', '1,"","","host","1883"',
     f'1,"{"u" * 33}","","host",1883', f'1,"","","{"h" * 129}",1883', '2,"","","host",1883', "0", ""],
)  # fmt: skip
def test_connect_refusals(bench, arguments):
    assert bench.ask(f"AT#XMQTTCON={arguments}") == ERROR
    assert bench.taken() == []


def test_not_registered():
    assert Bench().ask(CONNECT) == ERROR


def test_failure_up_to_tls_is_a_bare_error(bench):
    bench.type(CONNECT.encode() + b"\r")
    assert bench.link(LinkFailed("certificate verify failed")) == b"\r\nERROR\r\n"
    assert bench.advance(1000) == b""
    assert bench.ask("AT#XMQTTCON?") == READ_OFF
    bench.type(CONNECT.encode() + b"\r")
    assert bench.link(LinkOpened()) == OK


def test_nothing_works_without_a_connection(bench):
    for command in ('AT#XMQTTPUB="t","m"', 'AT#XMQTTSUB="t",0', 'AT#XMQTTUNSUB="t"', "AT#XMQTTCON=0"):
        assert bench.ask(command) == ERROR
    for name in ("PUB", "SUB", "UNSUB"):
        assert bench.ask(f"AT#XMQTT{name}=?") == ERROR


def test_test_forms(online):
    assert online.ask("AT#XMQTTPUB=?") == info("#XMQTTPUB: <topic>,<msg>,(0,1,2),(0,1)")
    assert online.ask("AT#XMQTTSUB=?") == info("#XMQTTSUB: <topic>,(0,1,2)")
    assert online.ask("AT#XMQTTUNSUB=?") == info("#XMQTTUNSUB: <topic>")
    assert online.ask("AT#XMQTTPUB?") == ERROR


def test_publish_inline(online):
    assert online.ask('AT#XMQTTPUB="t","m"') == OK
    assert online.ask('AT#XMQTTPUB="t","a,b",1,1') == OK
    assert sent(online) == [Publish("t", b"m"), Publish("t", b"a,b", 1, retain=True, packet_id=2)]
    assert broker(online, Puback(2)) == event(3, 0)


def test_publish_qos_2(online):
    online.ask('AT#XMQTTPUB="t","m",2')
    assert sent(online) == [Publish("t", b"m", 2, packet_id=1)]
    assert broker(online, Pubrec(1)) == event(4, 0)
    assert sent(online) == [Pubrel(1)]
    assert broker(online, Pubcomp(1)) == event(6, 0)


@pytest.mark.parametrize(
    "arguments",
    ['"t","{"a":1}"', '"t","m",3', '"t","m",0,2', "t", '""', '"t",m', f'"{"x" * 129}","m"', '"t","m",', '"\xff","m"'],
)
def test_publish_refusals(online, arguments):
    assert online.ask(f"AT#XMQTTPUB={arguments}") == ERROR
    assert online.taken() == []


def test_subscribe_takes_exactly_two(online):
    for wrong in ('"t"', '"t",3', '"t",1,1', "t,1", '"",1'):
        assert online.ask(f"AT#XMQTTSUB={wrong}") == ERROR
    assert online.ask('AT#XMQTTUNSUB="t",1') == ERROR
    assert online.taken() == []


def test_a_refused_subscription_looks_like_any_other(online):
    online.ask('AT#XMQTTSUB="t",1')
    assert broker(online, Suback(1, (0x80,))) == event(7, 0)
    assert online.ask('AT#XMQTTUNSUB="t"') == OK
    assert sent(online) == [Subscribe(1, (("t", 1),)), Unsubscribe(2, ("t",))]
    assert broker(online, Unsuback(2)) == event(8, 0)


def test_messages(online):
    payload = b'{"x":\r\n"\xe2\x82\xac"}'
    head = b"\r\n#XMQTTMSG: 3,%d\r\n" % len(payload)
    assert broker(online, Publish("a/b", payload)) == head + b"a/b\r\n" + payload + b"\r\n" + event(2, 0)
    assert sent(online) == []
    assert broker(online, Publish("a/b", b"", 1, packet_id=9)) == b"\r\n#XMQTTMSG: 3,0\r\na/b\r\n\r\n" + event(2, 0)
    assert sent(online) == [Puback(9)]
    assert broker(online, Publish("a/b", b"", 2, packet_id=9)).endswith(event(2, 0))
    assert broker(online, Pubrel(9)) == event(5, 0)
    assert sent(online) == [Pubrec(9), Pubcomp(9)]


def test_data_mode_holds_events_back(online):
    online.ask('AT#XMQTTPUB="t","",1')
    assert broker(online, Publish("c", b"x")) == b""
    assert online.type(b"payload++") == b""
    assert online.type(b"+AT\r") == b"\r\n#XDATAMODE: 0\r\n" + OK + b"\r\n#XMQTTMSG: 1,1\r\nc\r\nx\r\n" + event(2, 0)
    assert sent(online) == [Publish("t", b"payload", 1, packet_id=1)]


def test_data_mode_limits(online):
    online.ask('AT#XMQTTPUB="t"')
    assert online.type(b"x" * 4096 + b"+++") == b"\r\n#XDATAMODE: 0\r\n"
    assert sent(online) == [Publish("t", b"x" * 4096)]
    online.ask('AT#XMQTTPUB="t"')
    assert online.type(b"x" * 4097) == b""
    assert online.type(b"AT\r+++") == b"\r\n#XDATAMODE: -1\r\n"
    assert online.taken() == []
    assert online.ask("AT") == OK


def test_a_pause_in_data_mode_sends_a_message(online):
    online.ask('AT#XMQTTPUB="t","",1')
    online.type(b"one")
    online.advance(0.031)
    assert sent(online) == []
    online.type(b"two+")
    online.advance(0.033)
    online.type(b"three+++")
    assert sent(online) == [Publish("t", b"onetwo+", 1, packet_id=1), Publish("t", b"three", 1, packet_id=1)]


def test_the_connection_ends_in_data_mode(online):
    online.ask('AT#XMQTTPUB="t"')
    assert online.link(LinkClosed()) == b""
    assert online.type(b"lost+++") == b"\r\n#XDATAMODE: 0\r\n" + event(1, -128)
    assert sent(online) == [CloseLink(abrupt=True)]


@pytest.mark.parametrize(
    ("happening", "heard"),
    [
        (LinkClosed(), event(1, -128)),
        (LinkClosed(reset=True), event(1, -104)),
        (LinkData(Puback(1).encode(), hangup=True), event(3, 0) + event(1, -113)),
        (LinkData(Puback(1).encode() * 2, hangup=True), event(3, 0) + event(1, -113)),
        (LinkData(b"\x40", hangup=True), event(1, -113)),
        (LinkData(b"\x00\x00"), event(1, -22)),
    ],
)
def test_ends(online, happening, heard):
    assert online.link(happening) == heard
    assert online.ask("AT#XMQTTCON?") == READ_OFF
    assert online.ask('AT#XMQTTPUB="t","m"') == ERROR
    assert online.ask('AT#XMQTTSUB="t",1') == ERROR
    online.type(CONNECT.encode() + b"\r")
    assert online.link(LinkOpened()) == OK


def test_refused_by_the_broker(bench):
    bench.type(CONNECT.encode() + b"\r")
    bench.link(LinkOpened())
    assert broker(bench, Connack(5)) == event(0, 5) + event(1, -111)
    assert CloseLink(abrupt=True) in bench.taken()
    assert bench.link(LinkClosed()) == b""


def test_closed_instead_of_an_answer(bench):
    bench.type(CONNECT.encode() + b"\r")
    assert bench.link(LinkOpened()) == OK
    assert bench.link(LinkClosed()) == event(1, -128)


def test_the_host_disconnects(online):
    assert online.ask("AT#XMQTTCON=0") == OK + event(1, 0)
    assert sent(online) == [Disconnect(), CloseLink(abrupt=False)]
    assert online.advance(1000) == b""
    assert online.ask("AT#XMQTTCON=0") == ERROR


@pytest.mark.parametrize("mode", [0, 4, 20])
def test_the_network_goes_away(online, mode):
    online.ask("AT+CEREG=1")
    online.type(f"AT+CFUN={mode}\r".encode())
    assert online.advance(1) == OK + urcs("+CEREG: 0") + event(1, -113)
    assert sent(online) == [CloseLink(abrupt=True)]


def test_keep_alive(online):
    assert online.advance(119) == b""
    online.ask('AT#XMQTTPUB="t","m"')
    assert online.advance(119) == b""
    assert sent(online) == [Publish("t", b"m")]
    online.advance(2)
    assert sent(online) == [Pingreq()]
    assert broker(online, Pingresp()) == event(9, 0)


def test_a_broker_that_falls_silent(online):
    assert online.advance(359) == b""
    assert sent(online) == [Pingreq(), Pingreq()]
    assert online.advance(2) == event(1, -113)


def test_a_broker_that_never_answers(bench):
    bench.type(CONNECT.encode() + b"\r")
    bench.link(LinkOpened())
    assert bench.advance(59) == b""
    assert bench.advance(2) == event(1, -113)


def test_traffic_wakes_the_radio(online):
    online.ask("AT+CSCON=1")
    assert online.advance(20) == urcs("+CSCON: 0")
    assert online.ask('AT#XMQTTPUB="t","m"') == OK + urcs("+CSCON: 1")
    assert online.advance(20) == urcs("+CSCON: 0")


def test_passwords_do_not_show_in_what_gets_printed(bench):
    bench.type(b'AT#XMQTTCON=1,"me","secret","broker",1883\r')
    bench.link(LinkOpened())
    assert "secret" not in repr(bench.core._mqtt.broker)


@pytest.mark.parametrize(("asked", "between"), [("+CSCON=1", "+CSCON: 1"), ("+CEREG=1", "+CEREG: 1"), (None, None)])
def test_older_firmware_lets_a_result_stand_behind_the_header(online, asked, between):
    online.faults.add(BoardFault.INTERLEAVED_MESSAGES)
    if asked:
        online.ask(f"AT{asked}")
    heard = broker(online, Publish("a/b", b"hello"))
    expected = urcs(between) if between else b""
    assert heard.endswith(b"\r\n#XMQTTMSG: 3,5\r\n" + expected + b"a/b\r\nhello\r\n" + event(2, 0))
