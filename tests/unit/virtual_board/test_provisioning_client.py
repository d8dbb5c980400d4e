"""The provisioning client with a service that is written out as bytes."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.board.commands import Refused
from harness.virtual.board.outputs import (
    CloseLink,
    LinkClosed,
    LinkData,
    LinkFailed,
    LinkOpened,
    LinkSend,
    OpenLink,
    Outbox,
)
from harness.virtual.board.provisioning import HOST, ROOT_CA_TAG, ProvisioningClient
from harness.virtual.board.provisioning.http_response import HttpResponse, NoResponse


class Lab:
    """A client with a modem that answers at once: ``answers`` by command, else OK."""

    def __init__(self):
        self.outbox, self.asked, self.said = Outbox(), [], []
        self.answers = {"AT%JWT": '%JWT: "a.b.c"'}
        self.registered = True
        self.client = ProvisioningClient(
            self.outbox, ask=self._ask, registered=lambda: self.registered, log=self.said.append, modem_version="mfw_1"
        )

    def _ask(self, line, then):
        self.asked.append(line)
        name = line.partition("=")[0]
        then(self.answers.get(line, self.answers.get(name)))

    def request(self):
        """Open the link; return the request that the client sends."""
        opened = [output for output in self.outbox.take() if not isinstance(output, CloseLink)]
        assert opened == [OpenLink(HOST, 443, ROOT_CA_TAG)]
        self.client.link(LinkOpened())
        (sent,) = self.outbox.take()
        assert isinstance(sent, LinkSend)
        return sent.data

    def answer(self, status, body=b""):
        self.client.link(LinkData(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body))

    def commands(self, *commands):
        self.answer(200, cbor2.dumps(list(commands)))

    def report(self):
        """Return what the client reports."""
        head, _, body = self.request().partition(b"\r\n\r\n")
        assert head.startswith(b"POST /v1/provisioning/response HTTP/1.1\r\n")
        assert b"\r\nContent-Type: application/cbor\r\n" in head
        return cbor2.loads(body)


@pytest.fixture
def lab():
    lab = Lab()
    lab.client.start()
    return lab


def test_a_run(lab):
    request = lab.request()
    assert request.startswith(b"GET /v1/provisioning/commands?after=&rxMaxSize=4096")
    assert b"mver=mfw_1" in request
    assert b"\r\nAuthorization: Bearer a.b.c\r\n" in request
    lab.answers["AT%KEYGEN"] = '%KEYGEN: "x.y"'
    lab.commands(["one", 0, "AT%KEYGEN", '1,2,0,"CN=d"', []], ["two", 0, "AT%CMNG", '0,1,1,"pem"', []], ["three", 2])
    assert lab.report() == [["one", 100, '%KEYGEN: "x.y"'], ["two", 100, ""], ["three", 102]]
    lab.answer(200)
    assert b"commands?after=three&" in lab.request()
    lab.answer(204)
    assert lab.said == ["No more commands to process on server side"]


def test_credentials_are_written_with_lte_off(lab):
    lab.request()
    lab.commands(["one", 0, "AT%CMNG", '0,1,1,"pem"', []])
    assert lab.asked == [
        "AT+CFUN=1",
        'AT%JWT=0,600,"",""',
        "AT+CFUN=4",
        'AT%CMNG=0,1,1,"pem"',
        "AT+CFUN=1",
        'AT%JWT=0,600,"",""',
    ]


@pytest.mark.parametrize(
    ("ignored", "answer"),
    [([], ["one", 99, 519, "ERROR"]), ([513], ["one", 99, 519, "ERROR"]), ([519], ["one", 100, ""])],
)
def test_what_the_modem_refuses(lab, ignored, answer):
    lab.request()
    lab.answers["AT%KEYGEN"] = Refused(519)
    lab.commands(["one", 0, "AT%KEYGEN", "1,2,0", ignored])
    assert lab.report() == [answer]


def test_it_waits_for_the_network():
    lab = Lab()
    lab.registered = False
    lab.client.start()
    lab.client.start()  # one run at a time
    lab.client.poke()
    assert lab.outbox.take() == []
    assert lab.asked == ["AT+CFUN=1"]
    lab.registered = True
    lab.client.poke()
    assert lab.request()


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (lambda lab: lab.answer(403), "the service answers 403"),
        (lambda lab: lab.answer(200, b"\xff"), "the service answers 200"),
        (lambda lab: lab.commands(["one", 7]), "the service answers 200"),
        (lambda lab: lab.client.link(LinkClosed()), "cannot be reached"),
        (lambda lab: lab.client.link(LinkData(b"SSH-2.0\r\n\r\n")), "makes no sense"),
        (lambda lab: lab.client.lost(), "data connection has ended"),
    ],
)
def test_it_stops_and_can_be_started_again(lab, happens, said):
    lab.request()
    happens(lab)
    assert said in lab.said[-1]
    lab.outbox.take()
    lab.client.start()
    assert lab.request()


def test_a_modem_that_makes_no_token_and_a_service_that_is_not_there(lab):
    lab.outbox.take()
    lab.client.link(LinkFailed("no route"))
    assert "cannot be reached" in lab.said[-1]
    lab.answers["AT%JWT"] = Refused(525)
    lab.client.start()
    assert "no token" in lab.said[-1]


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_no_bytes_bring_the_response_down(pieces):
    response = HttpResponse()
    try:
        for piece in pieces:
            response.feed(piece)
    except NoResponse:
        pass


@given(st.integers(1, 60))
def test_a_response_in_pieces(size):
    data = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nX: y\r\n\r\nhello"
    response = HttpResponse()
    done = [response.feed(data[start : start + size]) for start in range(0, len(data), size)]
    assert done[-1]
    assert not any(done[:-1])
    assert (response.status, response.body) == (200, b"hello")
