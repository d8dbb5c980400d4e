"""The HTTP client of Serial Modem 2.0: the driver on the byte-true core of each form, in simulated time."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from harness.at import AtError
from harness.at.answer import answer_of
from harness.at.dialogue import Dialogue, Role
from harness.at.syntax import FinalResult, parse_command
from harness.errors import NoAnswer
from harness.firmware.http import (
    HttpReply,
    HttpRequest,
    HttpServer,
    NoReply,
    PreviewHttp,
    SocketHttp,
    make_http,
    preview_http,
)
from harness.firmware.http.preview_http import without_chunks
from harness.firmware.serial_modem import SERIAL_MODEM
from harness.timeline import Kind, Timeline
from harness.virtual.board.outputs import LinkClosed, LinkData, LinkOpened, LinkSend, OpenLink
from harness.virtual.board.serial_modem.preview import SerialModemMain, SerialModemPreview
from harness.virtual.board.serial_modem.server import SerialModem
from tests.fake import Fake
from tests.unit.virtual_board.bench import Bench

SERVER = HttpServer("api.nrfcloud.com", 443, 42)
GET = HttpRequest("GET", "/v1/devices/x?y=1", {"Authorization": "Bearer t", "Accept": "*/*", "User-Agent": "us"})
POST = HttpRequest("POST", "/v1/location", {"Content-Type": "application/json"}, b'{"a":"+++"}')
STEP = 0.05
BOTH = pytest.mark.parametrize("core", [SerialModemPreview, SerialModemMain])


class BoardPort(Fake):
    """An AT port that leads to a core. ``replies``: what the server sends to a request, in pieces; None: it closes."""

    name = "preview"

    def __init__(self, core, *replies):
        self.timeline = Timeline()
        self.replies = replies
        self.asked = b""
        self.sent = []
        self._bench = Bench(firmware=core)
        self._bench.attach()
        self._bench.taken()
        self._dialogue = Dialogue(framed=SERIAL_MODEM.framed)

    def command(self, text, timeout=None):
        command = parse_command(text)
        self.sent.append(text)
        return self._done(command, self._bench.type(self._dialogue.begin(command)))

    def send_payload(self, command, payload, timeout, *, socket_bytes, counted):
        assert socket_bytes
        assert counted
        self.command(command)
        parsed = parse_command(command)
        wire = self._dialogue.begin_payload(parsed, payload, counted=True)
        return self._outcome(self._bench.type(wire)).final.code

    def wait_line(self, pattern, timeout, *, since):
        for _ in range(2 + int(timeout / STEP)):
            for event in self.timeline.since(since):
                if re.search(pattern, event.text):
                    return event
            self._hear(self._play() + self._bench.advance(STEP))
        raise NoAnswer(f"{self.name}: no line with {pattern!r}")

    def _done(self, command, heard):
        outcome = self._outcome(heard)
        return answer_of(command, outcome.final, outcome.lines, outcome.blobs, 0.0)

    def _outcome(self, heard):
        while (outcome := self._hear(heard)) is None:
            heard = self._play() + self._bench.advance(0.5)
        return outcome

    def _hear(self, data):
        outcome = None
        for heard in self._dialogue.receive(data):
            kind = Kind.URC if heard.role is Role.URC else Kind.RX
            self.timeline.add(kind, self.name, heard.line.decode())
            outcome = heard.outcome or outcome
        return outcome

    def _play(self):
        said = b""
        for action in self._bench.taken():
            match action:
                case OpenLink(link=link):
                    said += self._bench.link(LinkOpened(link))
                case LinkSend(data=data, link=link):
                    said += self._serve(data, link)
        return said

    def _serve(self, data, link):
        self.asked += data
        head, _, body = self.asked.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        if not self.asked.endswith(b"\r\n\r\n" + body) or len(body) < int(length[1] if length else 0):
            return b""
        pieces = [LinkClosed(link=link) if piece is None else LinkData(piece, link=link) for piece in self.replies]
        return b"".join(map(self._bench.link, pieces))


def replied(body, length=None, status=200, more=b""):
    announced = b"" if length == -1 else b"Content-Length: %d\r\n" % (len(body) if length is None else length)
    return b"HTTP/1.1 %d X\r\n%s%s\r\n%s" % (status, announced, more, body)


@pytest.fixture
def exchange():
    def run(core, request, *replies):
        port = BoardPort(core, *replies)
        return make_http(port).exchange(SERVER, request, timeout=5.0), port

    return run


@BOTH
def test_the_client_is_found_by_its_test_command(core):
    assert isinstance(make_http(BoardPort(core)), PreviewHttp)
    assert isinstance(make_http(BoardPort(SerialModem)), SocketHttp)


@BOTH
def test_a_reply_of_any_bytes(core, exchange):
    body = b'\r\nOK\r\n#XHTTPCSTAT: 0,-1,0\r\n{"a":"\xff\0"}\r\n'
    reply, port = exchange(core, GET, replied(body))
    assert reply == HttpReply(200, body)
    assert port.asked == (
        b"GET /v1/devices/x?y=1 HTTP/1.1\r\nHost: api.nrfcloud.com\r\nUser-Agent: nRF91-Serial-Modem\r\nAccept: */*\r\n"
        b"Authorization:Bearer t\r\nConnection:close\r\n\r\n"
    )


def test_each_form_gets_its_own_command(exchange):
    _, port = exchange(SerialModemPreview, GET, replied(b"{}"))
    assert 'AT#XHTTPCREQ=0,"https://api.nrfcloud.com/v1/devices/x?y=1",0,0,0,"Authorization:Bearer t","Connection:' in (
        "".join(port.sent)
    )
    _, port = exchange(SerialModemMain, GET, replied(b"{}"))
    assert '/v1/devices/x?y=1",0,0,0,0,"Authorization' in "".join(port.sent)


@BOTH
def test_a_request_with_a_body(core, exchange):
    reply, port = exchange(core, POST, replied(b"{}", status=201))
    assert reply == HttpReply(201, b"{}")
    headers = b"Content-Length: 11\r\nContent-Type:application/json\r\nConnection:close\r\n\r\n"
    assert port.asked.endswith(headers + POST.body)


@BOTH
def test_a_reply_in_pieces_longer_than_one_pull(core, exchange):
    body = bytes(range(256)) * 20
    whole = replied(body)
    reply, _ = exchange(core, GET, whole[:30], whole[30:2500], whole[2500:])
    assert reply.body == body


@BOTH
def test_replies_without_a_body(core, exchange):
    assert exchange(core, GET, replied(b"", status=204, length=-1))[0] == HttpReply(204)
    assert exchange(core, GET, replied(b"", status=202))[0] == HttpReply(202)
    assert exchange(core, HttpRequest("HEAD", "/"), replied(b"", length=5))[0] == HttpReply(200)


@BOTH
def test_a_reply_without_a_length_ends_with_the_connection(core, exchange):
    assert exchange(core, GET, replied(b"abc", length=-1), None)[0] == HttpReply(200, b"abc")
    chunked = replied(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", length=-1, more=b"Transfer-Encoding: chunked\r\n")
    assert exchange(core, GET, chunked, None)[0] == HttpReply(200, b"abcde")


@BOTH
@pytest.mark.parametrize(
    ("replies", "why"),
    [
        ([None], "#XHTTPCSTAT: 0,-1,"),
        ([replied(b"abc", length=9), None], "3 of 9 bytes came, then #XHTTPCSTAT: 0,200,"),
    ],
)
def test_a_server_that_hangs_up(core, replies, why, exchange):
    with pytest.raises(NoReply, match=rf"no reply from api.nrfcloud.com to GET: {re.escape(why)}"):
        exchange(core, GET, *replies)


@BOTH
def test_two_requests_one_after_the_other_on_one_handle(core):
    port = BoardPort(core, replied(b"{}"))
    http = make_http(port)
    assert http.exchange(SERVER, GET) == HttpReply(200, b"{}")
    port.asked = b""
    assert http.exchange(SERVER, GET) == HttpReply(200, b"{}")


@BOTH
@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (HttpRequest("PATCH", "/v1/devices/x/state", body=b"{}"), "(PATCH)"),
        (HttpRequest("DELETE", "/", body=b"{}"), "(DELETE with a body)"),
        (HttpRequest("GET", "/" + "x" * 255), "(a URL of 280 bytes)"),
        (HttpRequest("GET", "/", {"A": "x" * 508}), "(512 bytes of headers, of 511 at most)"),
        (HttpRequest("GET", "/", {"A": '"'}), "(a character that no quoted argument may have)"),
        (HttpRequest("POST", "/", body=b"x" * 4097), "(a body of 4097 bytes, of 4096 at most)"),
    ],
    ids=["PATCH", "DELETE", "long URL", "long headers", "quotation mark", "long body"],
)
def test_what_the_client_cannot_send_goes_another_way(core, request_, why):
    class Other(Fake):
        def exchange(self, server, request, *, timeout):
            return HttpReply(299, request.method.encode())

    port = BoardPort(core)
    http = PreviewHttp(port, Other(), formatted=core is SerialModemMain)
    assert http.exchange(SERVER, request_).status == 299
    assert why in port.timeline.since()[-1].text


@BOTH
def test_headers_that_just_fit_leave_no_room_for_the_end_of_the_connection(core, exchange):
    fits = HttpRequest("GET", "/", {"A": "x" * 507})
    reply, port = exchange(core, fits, replied(b"{}"))
    assert reply == HttpReply(200, b"{}")
    assert b"Connection" not in port.asked
    chunked = replied(b"2\r\nde\r\n0\r\n\r\n", length=-1, more=b"Transfer-Encoding: chunked\r\n")
    assert exchange(core, fits, chunked)[0] == HttpReply(200, b"de")


@pytest.mark.parametrize(
    "body", [b"", b"abc", b"12", b"3\r\nab", b"3\r\nabcX\r\n0\r\n\r\n", b'{"a":1}\r\n', b"zz\r\n0\r\n\r\n"]
)
def test_a_body_that_is_not_in_chunks_stays_as_it_is(body):
    assert without_chunks(body) == body


class Refusing(BoardPort):
    """Answers ERROR to commands that begin with ``refused``."""

    refused = "AT#XHTTPCREQ=0"

    def command(self, text, timeout=None):
        if text.startswith(self.refused):
            raise AtError(text, FinalResult("ERROR"))
        return super().command(text, timeout)


def test_a_refused_request_is_no_reply():
    with pytest.raises(NoReply, match=r"to GET: .*answered ERROR"):
        make_http(Refusing(SerialModemPreview)).exchange(SERVER, GET)


def test_a_client_that_has_found_out_meanwhile_that_a_reply_is_over_is_believed():
    port = Refusing(SerialModemPreview, replied(b"", status=202))
    port.refused = "AT#XHTTPCCANCEL"
    assert make_http(port).exchange(SERVER, GET) == HttpReply(202)


def test_a_body_that_the_board_did_not_send_is_no_reply():
    class Broken(BoardPort):
        def send_payload(self, command, payload, timeout, *, socket_bytes, counted):
            super().send_payload(command, payload, timeout, socket_bytes=socket_bytes, counted=counted)
            return -104

    with pytest.raises(NoReply, match=r"to POST: the body was not sent \(#XDATAMODE: -104\)"):
        make_http(Broken(SerialModemPreview, replied(b"{}"))).exchange(SERVER, POST, timeout=5.0)


def test_a_reply_that_goes_on_for_ever_ends_with_the_time(monkeypatch):
    """Each pull brings a piece, so nothing else would end it; and what the head took is no longer there."""
    seconds = iter(range(1000))
    monkeypatch.setattr(preview_http, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))
    waits = []

    class Endless(BoardPort):
        def wait_line(self, pattern, timeout, *, since):
            waits.append(timeout)
            return super().wait_line(pattern, timeout, since=since)

        def command(self, text, timeout=None):
            answer = super().command(text, timeout)
            return answer._replace(blobs=(b"x",)) if text.startswith("AT#XHTTPCDATA") else answer

    with pytest.raises(NoReply, match=r"to GET: [34] of 1000 bytes came in time"):
        make_http(Endless(SerialModemPreview, replied(b"", length=1000))).exchange(SERVER, GET, timeout=5.0)
    assert waits[0] == 4.0


@pytest.mark.parametrize("size", [10, 12, 16, 17, 26, 171])
@pytest.mark.parametrize("form", ["{:x}", "{:X}", "{:04x}", "{:x};name=value"])
def test_a_chunks_size_is_hexadecimal(size, form):
    piece = bytes(range(65, 91)) * 7
    body = form.format(size).encode() + b"\r\n" + piece[:size] + b"\r\n" + b"2\r\nde\r\n0\r\n\r\n"
    assert without_chunks(body) == piece[:size] + b"de"


@pytest.mark.parametrize("body", [b"4\r\nabc\r\n", b"3\r\nabc", b"3\r\nabcde\r\n0\r\n\r\n", b"3\r\nabcde0\r\n\r\n"])
def test_a_chunk_that_is_cut_short_or_too_long_is_none(body):
    assert without_chunks(body) == body
