"""The HTTP server of both REST services. Bytes that are not HTTP are refused in nRF Cloud's form too.

aiohttp answers such bytes in plain text and logs a traceback. Here the client gets a refusal in nRF Cloud's form, and
the journal gets one line. The bytes themselves are not written down, because they may hold a key.
"""

import asyncio
import ssl

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod, InvalidURLError, LineTooLong
from aiohttp.web_protocol import RequestHandler

from harness.virtual.cloud.broker.interfaces import Journal
from harness.virtual.cloud.rest.guard import http_refusal, refusal

_BY_KIND: tuple[tuple[type[Exception], str], ...] = (
    (BadHttpMethod, "the method is not one of HTTP's, or the bytes are not HTTP"),
    (LineTooLong, "a line is too long"),
    (InvalidURLError, "the request target is not a URL path"),
)
# The parser tells most errors in words only. The words are recognised here, and never passed on.
_BY_WORD = (
    ("content-length", "the Content-Length is not a length"),
    ("transfer-encoding", "the Transfer-Encoding is not chunked"),
    ("chunk", "the body's chunks are malformed"),
    ("header", "a header field is malformed"),
    ("url", "the request target is not a URL path"),
    ("method", "the method is not one of HTTP's, or the bytes are not HTTP"),
)
_SHUTDOWN_TIMEOUT = 0.5


class JsonProtocol(RequestHandler):
    """A client's connection. ``server``, ``loop``: see RequestHandler. ``journal``: gets refusals."""

    __slots__ = ("_journal",)

    def __init__(self, server: web.Server, loop: asyncio.AbstractEventLoop, journal: Journal) -> None:
        super().__init__(server, loop=loop, access_log=None)  # type: ignore[arg-type]  # None is how it is left out
        self._journal = journal

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer in nRF Cloud's form. An error of the server (500) is logged with its traceback. See RequestHandler."""
        if status >= 500:
            self.log_exception("Error handling a request", exc_info=exc)
            answer = refusal(status, 50010, "the stand-in failed; its standard error says where")
        else:
            fault = _fault(exc)
            self._journal.write("http_refused", source_ip=request.remote, status=status, reason=fault)
            answer = http_refusal(status, fault)
        answer.force_close()
        return answer

    def log_exception(self, *args: object, **kw: object) -> None:
        """Log an error of the server. aiohttp also calls this for a body that broke off after the answer."""
        if not isinstance(kw.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **kw)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """See RequestHandler. A refusal of aiohttp itself (for an unknown ``Expect``) gets nRF Cloud's form."""
        if isinstance(resp, web.HTTPException):
            self._journal.write("http_refused", source_ip=request.remote, status=resp.status, reason=resp.reason)
            resp = http_refusal(resp.status, resp.reason)
        return await super().finish_response(request, resp, start_time)


def _fault(exc: BaseException | None) -> str:
    for kind, text in _BY_KIND:
        if isinstance(exc, kind):
            return text
    said = getattr(exc, "message", "").partition("\n")[0].lower()
    return next((text for word, text in _BY_WORD if word in said), "the request is not HTTP/1.1")


class RestServer:
    """``app`` on a port of its own. ``context``: TLS of the server. ``journal``: of malformed requests."""

    def __init__(self, app: web.Application, context: ssl.SSLContext, journal: Journal) -> None:
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_TIMEOUT)
        self._context = context
        self._journal = journal
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port (``port`` 0: the system chooses)."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connect, host, port, ssl=self._context)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening and end every connection."""
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()

    def _connect(self) -> JsonProtocol:
        server = self._runner.server
        if server is None:
            raise RuntimeError("the server has been stopped")
        return JsonProtocol(server, asyncio.get_running_loop(), self._journal)
