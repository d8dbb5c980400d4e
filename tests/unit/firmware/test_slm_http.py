"""The Serial LTE Modem's HTTP client: what it is told, and how its reply is read from lines."""

import re

import pytest

from harness.at import Answer, AtError
from harness.at.syntax import FinalResult, split_urc
from harness.errors import NoAnswer
from harness.firmware import NoSession
from harness.firmware.http import HttpReply, HttpRequest, HttpServer, NoReply, SlmHttp
from harness.firmware.http.slm_http import _reply
from harness.timeline import Kind, Timeline
from tests.fake import Fake

SERVER = HttpServer("api.nrfcloud.com", 443, 42)
CONNECT = 'AT#XHTTPCCON=1,"api.nrfcloud.com",443,42'
GET = HttpRequest("GET", "/v1/devices/x", {"Authorization": "Bearer t", "Accept": "*/*"})
GET_COMMAND = 'AT#XHTTPCREQ="GET","/v1/devices/x","Authorization: Bearer t\\r\\nAccept: */*\\r\\n"'
OK = ["HTTP/1.1 200 OK", "Content-Length: 9", "#XHTTPCRSP:40,0", '{"a":', "#XHTTPCRSP:5,0", '"b"}', "#XHTTPCRSP:4,1"]


class Port(Fake):
    """A board that has ``lines`` to say behind its OK."""

    name = "slm"

    def __init__(self, *lines, refuses=(), data_mode=0):
        self.timeline = Timeline()
        self.lines = lines
        self.refuses = refuses
        self.data_mode = data_mode
        self.sent = []
        self.times = {}
        self.waits = []

    def command(self, text, timeout=None):
        self.sent.append(text)
        self.times[text] = timeout
        if text in self.refuses:
            raise AtError(text, FinalResult("ERROR"))
        if text.startswith("AT#XHTTPCREQ"):
            self._say("#XHTTPCREQ: 0")
        return Answer(text, (), 0.0)

    def send_payload(self, command, payload, timeout):
        self.sent.append((command, payload))
        self.times[command] = timeout
        self._say("#XHTTPCREQ: 1")
        return self.data_mode

    def wait_line(self, pattern, timeout, *, since):
        self.waits.append(timeout)
        for event in self.timeline.since(since):
            if re.search(pattern, event.text):
                return event
        raise NoAnswer(f"slm: no line with {pattern!r}")

    def _say(self, first):
        for line in (first, *self.lines):
            self.timeline.add(Kind.URC if split_urc(line.encode()) else Kind.RX, self.name, line)


def test_a_request_without_a_body():
    port = Port(*OK)
    port.timeline.add(Kind.RX, "slm", "HTTP/1.1 500 of an earlier request")
    assert SlmHttp(port).exchange(SERVER, GET) == HttpReply(200, b'{"a":"b"}')
    assert port.sent == [CONNECT, GET_COMMAND, "AT#XHTTPCCON=0"]


def test_a_request_with_a_body():
    port = Port("HTTP/1.1 202 Accepted", "#XHTTPCRSP:30,1")
    request = HttpRequest("PATCH", "/x", {"Content-Type": "application/json", "A": "b"}, b"{}")
    assert SlmHttp(port).exchange(SERVER, request) == HttpReply(202)
    command = 'AT#XHTTPCREQ="PATCH","/x","A: b\\r\\n","application/json",2'
    assert port.sent[1] == (command, b"{}")


def test_a_body_that_was_not_sent_has_no_reply():
    port = Port("HTTP/1.1 408 Request Timeout", "#XHTTPCRSP:30,1", data_mode=-104)
    request = HttpRequest("PATCH", "/x", {"Content-Type": "application/json"}, b"{}")
    with pytest.raises(NoReply, match=r"api.nrfcloud.com to PATCH: the body was not sent \(#XDATAMODE: -104\)"):
        SlmHttp(port).exchange(SERVER, request)
    assert port.sent[-1] == "AT#XHTTPCCON=0"


def test_lines_of_others_are_not_the_body():
    port = Port(*OK[:4], "+CSCON: 0", *OK[4:])
    port.timeline.add(Kind.RX, "other", "HTTP/1.1 404")
    assert SlmHttp(port).exchange(SERVER, GET).body == b'{"a":"b"}'


def test_a_board_that_cannot_connect():
    port = Port(refuses=[CONNECT])
    with pytest.raises(NoSession, match=r"slm: no TLS session with api.nrfcloud.com:443 using sec_tag 42"):
        SlmHttp(port).exchange(SERVER, GET)
    assert port.sent == [CONNECT]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["HTTP/1.1 200 OK", "#XHTTPCRSP: 0,-104"], "hung up before its reply was complete"),
        (["HTTP/1.1 200 OK", "#XHTTPCRSP:20,0"], "no reply from api.nrfcloud.com to GET: no line"),
        (["nonsense", "#XHTTPCRSP:8,1"], "expected the status line of api.nrfcloud.com, got .*nonsense"),
    ],
)
def test_replies_that_are_none(lines, message):
    port = Port(*lines)
    with pytest.raises(NoReply, match=message):
        SlmHttp(port).exchange(SERVER, GET)
    assert port.sent[-1] == "AT#XHTTPCCON=0"


def test_a_refused_request_and_a_connection_that_is_gone():
    port = Port(refuses=[GET_COMMAND, "AT#XHTTPCCON=0"])
    with pytest.raises(NoReply, match="no reply from"):
        SlmHttp(port).exchange(SERVER, GET)


# -- how long each step may take


@pytest.mark.parametrize(("asked", "seconds"), [({"timeout": 33.0}, 33.0), ({}, 60.0)])
def test_connecting_asking_and_each_wait_have_the_time_that_is_given(asked, seconds):
    port = Port(*OK)
    SlmHttp(port).exchange(SERVER, GET, **asked)
    assert port.times == {CONNECT: seconds, GET_COMMAND: seconds, "AT#XHTTPCCON=0": 15.0}
    assert port.waits == [seconds, seconds]


def test_a_body_has_it_too():
    port = Port("HTTP/1.1 202 Accepted", "#XHTTPCRSP:30,1")
    SlmHttp(port).exchange(SERVER, HttpRequest("PATCH", "/x", {}, b"{}"), timeout=33.0)
    assert port.times['AT#XHTTPCREQ="PATCH","/x","","application/json",2'] == 33.0


# -- what is sent, and what belongs to a reply


@pytest.mark.parametrize(
    ("headers", "kind", "sent"),
    [
        ({"CONTENT-type": "text/plain", "A": "b"}, "text/plain", "A: b\\r\\n"),
        ({"A": "b"}, "application/json", "A: b\\r\\n"),
    ],
)
def test_a_bodys_type_has_a_place_of_its_own(headers, kind, sent):
    port = Port("HTTP/1.1 202 Accepted", "#XHTTPCRSP:30,1")
    SlmHttp(port).exchange(SERVER, HttpRequest("PUT", "/x", headers, b"abc"))
    assert port.sent[1] == (f'AT#XHTTPCREQ="PUT","/x","{sent}","{kind}",3', b"abc")


def test_only_what_the_board_said_by_itself_is_of_a_reply():
    class Answering(Port):
        def _say(self, first):
            self.timeline.add(Kind.URC, self.name, first)
            for kind, source, text, data in (
                (Kind.URC, "other", "HTTP/1.1 404 Not Found", {}),
                (Kind.TX, "slm", "HTTP/1.1 405 No", {}),
                (Kind.RX, "slm", "HTTP/1.1 406 No", {"role": "info"}),
                (Kind.RX, "slm", "HTTP/1.1 200 OK", {}),
                (Kind.URC, "slm", "#XHTTPCRSP:17,0", {}),
                (Kind.RX, "slm", "HTTP/1.1 500 in the body", {}),
                (Kind.RX, "slm", "OK", {"role": "final"}),
                (Kind.URC, "slm", "%CESQ: 1", {}),
                (Kind.URC, "slm", "#XAPOLL: 1", {}),
                (Kind.URC, "slm", "#XHTTPCRSP:24,1", {}),
            ):
                self.timeline.add(kind, source, text, **data)

    assert SlmHttp(Answering()).exchange(SERVER, GET) == HttpReply(200, b"HTTP/1.1 500 in the body")


def test_what_came_instead_of_a_status_line_is_told():
    with pytest.raises(NoReply) as caught:
        SlmHttp(Port("a", "b", "#XHTTPCRSP:8,1")).exchange(SERVER, GET)
    assert str(caught.value) == (
        "slm: expected the status line of api.nrfcloud.com, got #XHTTPCREQ: 0 | a | b | #XHTTPCRSP:8,1"
    )
    with pytest.raises(NoReply, match=r"^slm: expected the status line of api.nrfcloud.com, got nothing$"):
        _reply([], SERVER, "slm")


def test_a_reply_in_many_pieces():
    lines = ["HTTP/1.1 200 OK", "#XHTTPCRSP:1,0"] + [line for n in range(3) for line in (str(n), "#XHTTPCRSP:1,0")]
    assert _reply(lines, SERVER, "slm") == HttpReply(200, b"012")
