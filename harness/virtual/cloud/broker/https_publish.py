"""Publishing by HTTPS with a client certificate: ``POST /topics/<topic>?qos=<0|1>``, and JITP without an MQTT client.

Facts: AWS IoT Core Developer Guide, "HTTPS" (port 8443, the topic URL-encoded, 200 ``{"message":"OK","traceId":...}``;
a request has no client id, so thing policy variables have no value); nRF Connect SDK, nrf_cloud_rest_jitp (a connection
that closes without any answer: provisioning has started; 403 with ``"message":null``: provisioned, and not allowed to
publish to ``jitp``; anything else: rejected).
UNCONFIRMED, chosen here: the answers to a certificate that may not be used, and to a malformed request.
"""

import asyncio
import json
import uuid
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from harness.settings import CloudSettings
from harness.virtual.cloud.broker.authorizer import Authorizer, Presented
from harness.virtual.cloud.broker.http_request import BadRequest, HttpDecoder, HttpRequest
from harness.virtual.cloud.broker.interfaces import Directory, Journal
from harness.virtual.cloud.broker.rules import ClientError, check_message, check_offered
from harness.virtual.cloud.tls.stream import TlsStream
from harness.virtual.mqtt import Malformed, Publish, check_topic

_TOPICS = "/topics/"
_REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}


class HttpsHub(Protocol):
    """The part of the broker that takes published messages."""

    profile: CloudSettings
    directory: Directory
    journal: Journal

    def accept(self, client_id: str, message: Publish) -> None:
        """Take an authorised message."""


class _Refused(Exception):
    def __init__(self, status: int, message: str | None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class HttpsPublisher:
    """One connection. It runs on a :class:`TlsStream` as its application."""

    def __init__(self, hub: HttpsHub) -> None:
        self._hub = hub
        self._decoder = HttpDecoder(hub.profile.limits.payload)
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False

    def started(self, stream: TlsStream) -> None:
        self._stream = stream
        self._watch_silence()

    def received(self, data: bytes) -> None:
        self._watch_silence()
        self._decoder.feed(data)
        try:
            while not self._ended and (request := self._decoder.next_request()) is not None:
                self._answer(request)
        except BadRequest as error:
            self._send(400, str(error))
            self._close()

    def writable(self) -> None:
        """Do nothing: no data is held back for a client that reads slowly."""

    def ended(self) -> None:
        self._close()

    def _answer(self, request: HttpRequest) -> None:
        objection = self._stream.objection
        if objection is not None:
            self._hub.journal.write("https_refused", target=request.target[:300], reason=objection.reason)
            if not objection.provisioning:
                self._send(403, "Forbidden")
            self._close()
            return
        status, message = self._outcome(request)
        self._hub.journal.write("https", method=request.method, target=request.target[:300], status=status)
        self._send(status, message, keep_alive=request.keep_alive)
        if not request.keep_alive:
            self._close()

    def _outcome(self, request: HttpRequest) -> tuple[int, str | None]:
        try:
            self._publish(request)
        except _Refused as refusal:
            return refusal.status, refusal.message
        return 200, "OK"

    def _publish(self, request: HttpRequest) -> None:
        message = _message(request)
        stream, profile = self._stream, self._hub.profile
        presented = Presented(stream.peer_certificate, None, stream.source_ip, stream.server_name, None, False)
        authorizer = Authorizer(
            presented, self._hub.directory, self._hub.journal, policy_refresh=profile.policy_refresh
        )
        admission = authorizer.admission
        tolerated = profile.on_violation == "tolerate" and admission.refused is None
        if authorizer.refuses_publish(message) and not tolerated:
            raise _Refused(403, None)
        try:
            check_message(message, profile.limits)
            check_offered(message)
        except ClientError as error:
            raise _Refused(400, str(error)) from error
        self._hub.accept(admission.thing or "", message)

    def _send(self, status: int, message: str | None, *, keep_alive: bool = False) -> None:
        document: dict[str, Any] = {"message": message, "traceId": str(uuid.uuid4())}
        body = json.dumps(document, separators=(",", ":")).encode()
        head = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: {'keep-alive' if keep_alive else 'close'}\r\n\r\n"
        )
        self._stream.write(head.encode() + body)

    def _close(self) -> None:
        if self._ended:
            return
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        self._stream.close()

    def _watch_silence(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._hub.profile.limits.first_packet, self._close)


def _message(request: HttpRequest) -> Publish:
    """Return what the request asks to publish. Raises :class:`_Refused`."""
    try:
        parts = urlsplit(request.target)
    except ValueError as error:
        raise _Refused(400, "the request target is not a URL path") from error
    if not parts.path.startswith(_TOPICS) or parts.path == _TOPICS:
        raise _Refused(404, f"no such path; publish by POST {_TOPICS}TOPIC?qos=1")
    if request.method != "POST":
        raise _Refused(405, "only POST is offered")
    qos = parse_qs(parts.query).get("qos", ["0"])[-1]
    if qos not in ("0", "1"):
        raise _Refused(400, "qos must be 0 or 1")
    try:
        topic = check_topic(unquote(parts.path.removeprefix(_TOPICS), errors="strict"))
        if "\0" in topic:
            raise Malformed("U+0000 in the topic")
    except (UnicodeDecodeError, Malformed) as error:
        raise _Refused(400, f"the topic cannot be used: {error}") from error
    return Publish(topic, request.body, qos=int(qos), packet_id=1 if qos == "1" else None)
