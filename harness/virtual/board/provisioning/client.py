"""Fetches provisioning commands, carries them out on the modem, reports how they went. No I/O.

Sources: nRF Connect SDK, nRF Device provisioning library over HTTP (paths and parameters; a JWT signed with the device
identity key; CBOR: commands ``[id, 0, AT command, parameters, [CME errors to ignore]]`` and ``[id, 2]``, answers
``[id, 99, CME error, text]``, ``[id, 100, text]`` and ``[id, 102]``; 204 when there are none; credentials are written
with LTE off). Not simulated: commands that set configuration, intervals, CoAP. After a failure the client waits until
it is started again.
"""

import re
from collections.abc import Callable
from enum import Enum
from typing import Any, Final

import cbor2

from harness.virtual.board.commands import Lines, Refused
from harness.virtual.board.outputs import (
    CloseLink,
    LinkClosed,
    LinkData,
    LinkEvent,
    LinkFailed,
    LinkOpened,
    LinkSend,
    OpenLink,
    Outbox,
)
from harness.virtual.board.provisioning.http_response import HttpResponse, NoResponse

HOST: Final = "provisioning-http.nrfcloud.com"
PORT: Final = 443
ROOT_CA_TAG: Final = 42
"""sec_tag of the service's root CA, which is compiled into the firmware."""
_PATH = "/v1/provisioning"
_AT, _FINISHED = 0, 2
_AT_ERROR, _AT_DONE, _FINISHED_DONE = 99, 100, 102
_AT_ONCE = 5  # commands in one response
_TOKEN = re.compile(r'%JWT: "([^"]+)"')
Result = Lines | Refused
Ask = Callable[[str, Callable[[Result], None]], None]


class _Stage(Enum):
    IDLE = "idle"
    ATTACHING = "attaching"  # until the network is there
    BUSY = "busy"


class ProvisioningClient:
    """One run at a time: until the service has no more commands, or something fails.

    ``outbox``: takes what goes to the network. ``ask``: gives the modem a command and hands over its result, now or
    later. ``registered``: whether the network is there. ``log``: takes a line for people. ``modem_version``: the modem
    firmware's, which the service is told.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        ask: Ask,
        registered: Callable[[], bool],
        log: Callable[[str], None],
        modem_version: str,
    ) -> None:
        self._outbox = outbox
        self._ask = ask
        self._registered = registered
        self._log = log
        self._modem_version = modem_version
        self._stage = _Stage.IDLE
        self._online: Callable[[], None] = self._fetch
        self._after = ""
        self._request = b""
        self._response = HttpResponse()
        self._answered: Callable[[HttpResponse], None] = self._take_commands
        self._waiting: list[Any] = []
        self._answers: list[Any] = []

    def start(self) -> None:
        """Begin a run, unless one is going on."""
        if self._stage is _Stage.IDLE:
            self._after = ""
            self._attach(self._fetch)

    def poke(self) -> None:
        """Check whether the network is there by now."""
        if self._stage is _Stage.ATTACHING and self._registered():
            self._stage = _Stage.BUSY
            self._ask('AT%JWT=0,600,"",""', self._take_token)

    def link(self, event: LinkEvent) -> None:
        """Take what happened on the link."""
        match event:
            case LinkOpened():
                self._outbox.emit(LinkSend(self._request))
            case LinkData(data):
                self._received(data)
            case LinkFailed() | LinkClosed() if self._stage is _Stage.BUSY:
                self._stop("the service cannot be reached")

    def lost(self) -> None:
        """The data connection has ended."""
        if self._stage is _Stage.BUSY and self._request:
            self._stop("the data connection has ended")

    # one request after the other

    def _attach(self, then: Callable[[], None]) -> None:
        """Bring the modem into the network, then do ``then`` with a token."""
        self._stage, self._online = _Stage.ATTACHING, then
        self._ask("AT+CFUN=1", lambda _: self.poke())

    def _take_token(self, result: Result) -> None:
        found = _TOKEN.search(str(result))
        if found is None:
            self._stop("the modem makes no token")
            return
        self._token = found[1]
        self._online()

    def _fetch(self) -> None:
        query = f"after={self._after}&rxMaxSize=4096&txMaxSize=4096&mver={self._modem_version}&cver=1&limit={_AT_ONCE}"
        self._send("GET", f"/commands?{query}", b"", self._take_commands)

    def _report(self) -> None:
        self._send("POST", "/response", cbor2.dumps(self._answers), self._reported)

    def _send(self, method: str, target: str, body: bytes, then: Callable[[HttpResponse], None]) -> None:
        head = (
            f"{method} {_PATH}{target} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {self._token}\r\n"
            "Accept: application/cbor\r\nConnection: close\r\n"
        )
        if body:
            head += f"Content-Type: application/cbor\r\nContent-Length: {len(body)}\r\n"
        self._request, self._response, self._answered = f"{head}\r\n".encode() + body, HttpResponse(), then
        self._outbox.emit(OpenLink(HOST, PORT, ROOT_CA_TAG))

    def _received(self, data: bytes) -> None:
        try:
            complete = self._response.feed(data)
        except NoResponse:
            self._stop("the service makes no sense")
            return
        if complete:
            self._request = b""
            self._outbox.emit(CloseLink())
            self._answered(self._response)

    def _take_commands(self, response: HttpResponse) -> None:
        if response.status == 204:
            self._stage = _Stage.IDLE
            self._log("No more commands to process on server side")
            return
        commands = _read_commands(response.body) if response.status == 200 else None
        if not commands:
            self._stop(f"the service answers {response.status}")
            return
        self._waiting, self._answers = commands, []
        self._ask("AT+CFUN=4", lambda _: self._next())  # credentials are written with LTE off

    def _reported(self, response: HttpResponse) -> None:
        if response.status != 200:
            self._stop(f"the service answers {response.status} to a report")
            return
        self._attach(self._fetch)

    # commands

    def _next(self) -> None:
        if not self._waiting:
            self._attach(self._report)
            return
        self._after, kind, *rest = self._waiting.pop(0)
        if kind == _FINISHED:
            self._answers.append([self._after, _FINISHED_DONE])
            self._next()
            return
        name, parameters, ignored = rest
        command = f"{name}={parameters}" if parameters else name
        self._ask(command, lambda result: self._note(result, ignored))

    def _note(self, result: Result, ignored: list[int]) -> None:
        if isinstance(result, Refused) and (result.code or 0) not in ignored:
            self._answers.append([self._after, _AT_ERROR, result.code or 0, "ERROR"])
        else:
            lines = [result] if isinstance(result, str) else result
            text = "\r\n".join(lines) if isinstance(lines, list | tuple) else ""
            self._answers.append([self._after, _AT_DONE, text])
        self._next()

    def _stop(self, reason: str) -> None:
        self._stage, self._request = _Stage.IDLE, b""
        self._outbox.emit(CloseLink(abrupt=True))
        self._log(f"Provisioning ends: {reason}")


def _read_commands(body: bytes) -> list[Any] | None:
    """Return the commands in a response; None if it holds anything else, or commands that this client does not know."""
    try:
        commands = cbor2.loads(body)
    except (cbor2.CBORDecodeError, RecursionError):
        return None
    if not isinstance(commands, list) or not all(map(_is_command, commands)):
        return None
    return commands


def _is_command(command: object) -> bool:
    match command:
        case [str(), 0, str(), str(), list()] | [str(), 2]:
            return True
    return False
