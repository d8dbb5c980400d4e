"""Shared by both REST services: every request is answered, and all refusals have one form.

Facts: nRF Cloud REST API - error body ``{"code": <5 digits>, "message": <text>}``. RFC 9110 §8.4 and §15.5.16 (415 for
an unknown Content-Encoding). UNCONFIRMED, chosen here: 404 with code 40420 for a wrong path, and the status followed by
``00`` for what HTTP itself forbids.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Middleware

from harness.virtual.cloud.registry.team import RestRefused

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_ENCODINGS = ("gzip", "deflate", "identity")


def refusal(status: int, code: int, message: str) -> web.Response:
    """Return a refusal in nRF Cloud's form.

    ``status``: of HTTP. ``code``: nRF Cloud's own. ``message``: for people.
    """
    return web.json_response({"code": code, "message": message}, status=status)


def http_refusal(status: int, reason: str) -> web.Response:
    """Return a refusal with a status of HTTP: unknown path, unknown method, a body that is too large."""
    return refusal(status, 40420 if status == 404 else status * 100, reason)


def make_guard(
    authenticate: Callable[[web.Request], None],
    done: Callable[[web.Request, int, int | None], None],
) -> Middleware:
    """Return the middleware that turns an error of a handler into a refusal.

    ``authenticate``: may raise :class:`RestRefused`; the body is read only after it. ``done``: called with the request,
    the status and nRF Cloud's code (None: not refused) before the answer is sent.
    """

    @web.middleware
    async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
        code: int | None = None
        try:
            authenticate(request)
            await _read_body(request)
            response = await handler(request)
        except RestRefused as error:
            code = error.code
            response = refusal(error.status, code, str(error))
        except web.HTTPException as error:  # aiohttp's own refusals
            response = http_refusal(error.status, error.reason)
            code = 40420 if error.status == 404 else error.status * 100
            response.headers.update({name: value for name, value in error.headers.items() if name == "Allow"})
        if request.content.exception() is not None:
            response.force_close()  # it is not known where the next request begins
        done(request, response.status, code)
        return response

    return guard


async def _read_body(request: web.Request) -> None:
    """Read the body, which the request keeps, so that no handler gets a body that breaks off."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in _ENCODINGS:
        raise RestRefused(415, 41500, f"Content-Encoding must be one of {', '.join(_ENCODINGS)}")
    try:
        await request.read()
    except (web.RequestPayloadError, HttpProcessingError) as error:
        raise RestRefused(400, 40000, f"the body is not what its header fields say ({encoding})") from error
    except ConnectionError as error:
        raise RestRefused(400, 40000, "the connection ended within the body") from error
