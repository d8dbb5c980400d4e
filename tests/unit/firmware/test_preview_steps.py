"""Each step of a request by Serial Modem's own client: what is told, how long it may take, and when it is over."""

import re
import time

import pytest

from harness.at import Answer, AtError
from harness.at.syntax import FinalResult
from harness.errors import BoardLost, NoAnswer
from harness.firmware.bridge import HandleSocket
from harness.firmware.http import HttpReply, HttpRequest, HttpServer, NoReply, SocketHttp, make_http, preview_http
from harness.firmware.http.preview_http import PreviewHttp, _Command
from harness.timeline import Kind, Timeline
from tests.fake import Fake

SERVER = HttpServer("h", 443, 42)
GET = HttpRequest("GET", "/x")
OPEN, CONNECT, CLOSE = "AT#XSSOCKET=1,1,0,42", 'AT#XCONNECT=3,"h",443', "AT#XCLOSE=3"
PULL, CANCEL = "AT#XHTTPCDATA=3", "AT#XHTTPCCANCEL=3"
DONE = "#XHTTPCSTAT: 3,200,0"


class Port(Fake):
    """``head``: the line that announces the reply. ``pieces``: what each pull gives, None: it is refused. ``end``: the
    line that ends the request, once everything was pulled."""

    name = "b"

    def __init__(self, head="#XHTTPCHEAD: 3,200,3", pieces=(b"abc",), end=DONE, sent=0):
        self.timeline = Timeline()
        self.head, self.pieces, self.end, self.sent = head, list(pieces), end, sent
        self.times, self.waits = {}, []
        self.commands = []
        self.refuses = set()
        self.scripted = {}
        self.clock = 100.0

    def command(self, text, timeout=None):
        self.commands.append(text)
        self.times[text] = timeout
        if text in self.scripted:
            return self.scripted[text]
        if text in self.refuses:
            raise AtError(text, FinalResult("ERROR"))
        if text == OPEN:
            return Answer(text, ("#XSSOCKET: 3,1,258",), 0.0)
        if text == PULL:
            piece = self.pieces.pop(0) if self.pieces else b""
            if piece is None:
                raise AtError(text, FinalResult("ERROR"))
            return Answer(text, (), 0.0, piece if isinstance(piece, tuple) else (piece,))
        return Answer(text, (), 0.0)

    def send_payload(self, command, payload, timeout, *, socket_bytes, counted):
        self.commands.append(command)
        self.times[payload] = timeout
        return self.sent

    def wait_line(self, pattern, timeout, *, since):
        self.waits.append((pattern.split(":")[0], timeout))
        line = self.head if "HEAD" in pattern else ("" if self.pieces else self.end)
        if not line or not re.search(pattern, line):
            self.clock += timeout
            raise NoAnswer(f"b: no line within {timeout:g} s")
        return self.timeline.add(Kind.URC, self.name, line)


@pytest.fixture
def exchange(monkeypatch):
    def run(port, request=GET, server=SERVER, **more):
        monkeypatch.setattr(time, "monotonic", lambda: port.clock)
        return PreviewHttp(port, SocketHttp(port, HandleSocket), formatted=False).exchange(server, request, **more)

    return run


@pytest.mark.parametrize(("more", "seconds"), [({"timeout": 33.0}, 33.0), ({}, 60.0)])
def test_each_step_has_its_time(exchange, more, seconds):
    port = Port()
    assert exchange(port, **more) == HttpReply(200, b"abc")
    command = 'AT#XHTTPCREQ=3,"https://h/x",0,0,0,"Connection:close"'
    assert port.commands == [OPEN, 'AT#XSSOCKETOPT=3,1,2,"h"', CONNECT, command, PULL, CLOSE]
    assert (port.times[CONNECT], port.times[command], port.times[PULL]) == (seconds, seconds, 15.0)
    assert port.waits == [("#XHTTPC(?", seconds), ("#XHTTPCSTAT", 5.0)]


def test_a_body_has_it_too(exchange):
    port = Port()
    exchange(port, HttpRequest("POST", "/x", body=b"{}"), timeout=33.0)
    assert port.times[b"{}"] == 33.0
    with pytest.raises(NoReply, match=r"b: no reply from h to POST: the body was not sent \(#XDATAMODE: -1\)$"):
        exchange(Port(sent=-1), HttpRequest("POST", "/x", body=b"{}"))


def test_another_port_is_in_the_url(exchange):
    port = Port()
    exchange(port, server=HttpServer("h", 8443, 42))
    assert any('"https://h:8443/x"' in text for text in port.commands)


def test_a_piece_may_come_in_several_blobs(exchange):
    assert exchange(Port(pieces=[(b"a", b"b"), b"c"])).body == b"abc"


# -- how a request ends


@pytest.mark.parametrize("length", [0, -1])
def test_where_it_knows_no_length_the_client_is_told_that_it_is_over(exchange, length):
    """Unless it says so by itself."""
    pieces = [b"3\r\nabc\r\n0\r\n\r\n"] if length else []
    port = Port(f"#XHTTPCHEAD: 3,200,{length}", pieces, end="")
    assert exchange(port).body == (b"abc" if length else b"")
    assert port.commands[-2:] == [CANCEL, CLOSE]
    assert port.waits[1:] == [("#XHTTPCSTAT", 0.2), ("#XHTTPCSTAT", 5.0)]
    knows = Port(f"#XHTTPCHEAD: 3,200,{length}", [b"3\r\nabc\r\n0\r\n\r\n"] if length else [])
    exchange(knows)
    assert CANCEL not in knows.commands


@pytest.mark.parametrize("length", [1, 3])
def test_where_it_knows_the_length_it_is_not_told(exchange, length):
    port = Port(f"#XHTTPCHEAD: 3,200,{length}", [b"abc"[:length]], end="")
    exchange(port)
    assert CANCEL not in port.commands


def test_a_client_that_has_found_out_meanwhile_may_refuse(exchange):
    port = Port("#XHTTPCHEAD: 3,200,0", [], end="")
    port.refuses = {CANCEL}
    assert exchange(port) == HttpReply(200)


def test_a_reply_that_is_none_is_cancelled(exchange):
    port = Port("#XHTTPCSTAT: 3,-1,0")
    with pytest.raises(NoReply, match=r"^b: no reply from h to GET: #XHTTPCSTAT: 3,-1,0$"):
        exchange(port)
    assert port.commands[-2:] == [CANCEL, CLOSE]


def test_a_board_that_is_gone_then_hides_no_reason(exchange):
    class Gone(Port):
        def command(self, text, timeout=None):
            if text == CANCEL:
                raise BoardLost("b: unplugged")
            return super().command(text, timeout)

    with pytest.raises(NoReply, match="to GET: #XHTTPCSTAT"):
        exchange(Gone("#XHTTPCSTAT: 3,-1,0"))


@pytest.mark.parametrize("head", ["#XHTTPCHEAD: 3,200", "#XHTTPCHEAD: 3,200,1,2", "#XHTTPCSTAT: 3,200,3"])
def test_a_head_of_another_form_is_none(exchange, head):
    with pytest.raises(NoReply, match=re.escape(head)):
        exchange(Port(head))


@pytest.mark.parametrize(("status", "has_body"), [(200, True), (204, False), (304, False), (100, False), (199, False)])
def test_which_replies_have_no_body(exchange, status, has_body):
    port = Port(f"#XHTTPCHEAD: 3,{status},3")
    assert exchange(port) == HttpReply(status, b"abc" if has_body else b"")
    assert (PULL in port.commands) is has_body
    head = Port()
    exchange(head, HttpRequest("HEAD", "/"))
    assert PULL not in head.commands


def test_a_length_of_nothing_is_known(exchange):
    chunks = b"1\r\na\r\n0\r\n\r\n"
    assert exchange(Port(f"#XHTTPCHEAD: 3,200,{len(chunks)}", [chunks])).body == chunks
    assert exchange(Port("#XHTTPCHEAD: 3,200,0", [])) == HttpReply(200)


# -- pulling


def test_bytes_that_do_not_come_in_time_are_counted(exchange):
    port = Port("#XHTTPCHEAD: 3,200,9", [b"abc"], end="")
    with pytest.raises(NoReply, match=r"to GET: 3 of 9 bytes came in time$"):
        exchange(port, timeout=1.0)
    assert [seconds for name, seconds in port.waits[1:] if seconds < 5.0] == [0.2] * 5
    with pytest.raises(NoReply, match=r"to GET: 3 of 0 bytes came in time$"):
        exchange(Port("#XHTTPCHEAD: 3,200,-1", [b"abc"], end=""), timeout=1.0)


def test_the_time_is_over_when_it_is_over(exchange):
    class Slow(Port):
        def wait_line(self, pattern, timeout, *, since):
            self.clock += 1.0
            return super().wait_line(pattern, timeout, since=since)

    port = Slow()
    with pytest.raises(NoReply, match="0 of 3 bytes came in time"):
        exchange(port, timeout=1.0)
    assert PULL not in port.commands


def test_time_that_is_over_is_none():
    port = Port()
    port.clock = 200.0
    made = preview_http._Exchange(port, 3, SERVER, GET)
    assert made._head(100.0) == (200, 3)
    assert port.waits[0][1] <= 0.0


def test_a_pull_that_is_refused_brings_nothing(exchange):
    assert exchange(Port(pieces=[None, b"ab", None, b"c"], end=""), timeout=9.0).body == b"abc"


@pytest.mark.parametrize("end", [DONE, "#XHTTPCSTAT: 3,-1,0", "#XHTTPCSTAT: 3,200,0,1"])
def test_a_reply_that_is_cut_short_is_none(exchange, end):
    with pytest.raises(NoReply, match=re.escape(f"to GET: 1 of 3 bytes came, then {end}")):
        exchange(Port(pieces=[b"a"], end=end))
    with pytest.raises(NoReply, match=re.escape(f"to GET: 0 of 1 bytes came, then {end}")):
        exchange(Port("#XHTTPCHEAD: 3,200,1", [], end=end))


def test_a_reply_of_unknown_length_ends_with_the_request_unless_that_failed(exchange):
    assert exchange(Port("#XHTTPCHEAD: 3,200,-1", [b"abc"])).body == b"abc"
    with pytest.raises(NoReply, match=re.escape("to GET: 3 of 0 bytes came, then #XHTTPCSTAT: 3,-1,0")):
        exchange(Port("#XHTTPCHEAD: 3,200,-1", [b"abc"], end="#XHTTPCSTAT: 3,-1,0"))


# -- what the client can send


def too_much(request, host="h"):
    return _Command(HttpServer(host, 443, 42), request, formatted=False).too_much()


@pytest.mark.parametrize(("size", "fits"), [(4096, True), (4097, False)])
def test_the_longest_body(size, fits):
    assert (too_much(HttpRequest("POST", "/", body=b"x" * size)) == "") is fits


@pytest.mark.parametrize(("size", "fits"), [(255, True), (256, False)])
def test_the_longest_target(size, fits):
    assert (too_much(HttpRequest("GET", "x" * size)) == "") is fits


@pytest.mark.parametrize(("size", "fits"), [(511, True), (512, False)])
def test_the_longest_url(size, fits):
    assert (too_much(HttpRequest("GET", "/"), "h" * (size - len("https:///"))) == "") is fits


@pytest.mark.parametrize(("size", "closes"), [(492, True), (493, True), (494, False), (495, False)])
def test_the_end_of_the_connection_is_asked_for_where_there_is_room(size, closes):
    """511 bytes: each header with its line end."""
    request = HttpRequest("GET", "/", {"A": "x" * (size - len("A:") - 2)})
    command = _Command(SERVER, request, formatted=False)
    assert ("Connection:close" in command.text(3)) is closes
    assert command.too_much() == ""


def test_what_goes_another_way_goes_with_all_that_was_given(monkeypatch):
    asked = []

    class Other(Fake):
        def exchange(self, server, request, *, timeout):
            asked.append((server, request, timeout))
            return HttpReply(299)

    port, request = Port(), HttpRequest("PATCH", "/x")
    assert PreviewHttp(port, Other(), formatted=False).exchange(SERVER, request, timeout=33.0) == HttpReply(299)
    assert asked == [(SERVER, request, 33.0)]
    (event,) = port.timeline.since()
    assert (event.kind, event.source, event.text) == (
        *(Kind.STEP, "b", "the firmware's HTTP client cannot send this (PATCH); it goes through a socket"),
    )


def test_the_client_is_found_by_its_commands_test_form():
    port = Port()
    port.refuses = {"AT#XHTTPCREQ=?"}
    through = make_http(port)
    assert isinstance(through, SocketHttp)
    assert (through.port, through._make_socket) == (port, HandleSocket)
    for syntax, formatted in (("0,<url>,<format>,<length>", True), ("0,<url>,<length>", False)):
        port = Port()
        said = Answer("AT#XHTTPCREQ=?", (f"#XHTTPCREQ: {syntax}",), 0.0)
        port.scripted = {said.command: said}
        made = make_http(port)
        assert isinstance(made, PreviewHttp)
        assert made._formatted is formatted
        other = made._otherwise
        assert isinstance(other, SocketHttp)
        assert (other.port, other._make_socket) == (port, HandleSocket)
