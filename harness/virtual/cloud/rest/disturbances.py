"""REST answers that go wrong on purpose: another status, silence, a connection that ends before or in the answer."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from harness.settings.cloud_faults import DisturbRest
from harness.virtual.cloud.rest.answering import refusal


class RestDisturbances:
    """At most one kind at a time; the requests that it strikes are counted."""

    def __init__(self) -> None:
        self._said: DisturbRest | None = None
        self._left: int | None = 0

    def expect(self, said: DisturbRest | None) -> None:
        """Disturb as told; None: nothing any more."""
        self._said = said
        self._left = 0 if said is None else said.count

    def next_for(self, method: str, path: str) -> DisturbRest | None:
        """Return how a request is disturbed; None: it is not."""
        said = self._said
        if said is None or self._left == 0 or said.path not in path or said.method not in ("", method):
            return None
        if self._left is not None:
            self._left -= 1
        return said


def make_disturber(disturbances: RestDisturbances) -> Middleware:
    """Return the middleware: the first one, so that a disturbed request is not carried out unless it is cut."""

    @web.middleware
    async def disturb(request: web.Request, handler: Handler) -> web.StreamResponse:
        said = disturbances.next_for(request.method, request.path)
        if said is None:
            return await handler(request)
        if said.how == "status":
            answer = refusal(said.status, said.status * 100, "asked for by disturb-rest")
            if said.status == 429:
                answer.headers["Retry-After"] = f"{said.seconds:g}"
            return answer
        if said.how == "timeout":
            await asyncio.sleep(said.seconds)  # the silence is what is simulated
            return await handler(request)
        if said.how == "cut":
            await _half(request, await handler(request))
        if request.transport is not None:
            request.transport.abort()
        return web.Response()  # goes nowhere

    return disturb


async def _half(request: web.Request, whole: web.StreamResponse) -> None:
    """Send the first half of an answer whose header promises all of it."""
    body = whole.body if isinstance(whole, web.Response) and isinstance(whole.body, bytes) else b""
    half = web.StreamResponse(status=whole.status, headers={"Content-Type": "application/json"})
    half.content_length = max(len(body), 2)
    await half.prepare(request)
    await half.write(body[: half.content_length // 2])
