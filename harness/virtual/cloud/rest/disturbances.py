"""REST answers that go wrong on purpose: another status, silence, a connection that ends before or in an answer."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from harness.settings.cloud_faults import DisturbRest
from harness.virtual.cloud.rest.guard import refusal


class RestDisturbances:
    """At most one kind of disturbance at a time. It counts the requests that it affects."""

    def __init__(self) -> None:
        self._said: DisturbRest | None = None
        self._left: int | None = 0

    def expect(self, said: DisturbRest | None) -> None:
        """Set the disturbance; None: stop."""
        self._said = said
        self._left = 0 if said is None else said.count

    def next_for(self, method: str, path: str) -> DisturbRest | None:
        """Return the disturbance of this request, or None."""
        said = self._said
        if said is None or self._left == 0 or said.path not in path or said.method not in ("", method):
            return None
        if self._left is not None:
            self._left -= 1
        return said


def make_disturber(disturbances: RestDisturbances) -> Middleware:
    """Return the middleware. It must be the first, so that a disturbed request is not carried out unless it is cut."""

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
        return web.Response()  # the connection is closed, so this answer is never sent

    return disturb


async def _half(request: web.Request, whole: web.StreamResponse) -> None:
    """Send the header of an answer and the first half of its body."""
    body = whole.body if isinstance(whole, web.Response) and isinstance(whole.body, bytes) else b""
    half = web.StreamResponse(status=whole.status, headers={"Content-Type": "application/json"})
    half.content_length = max(len(body), 2)
    await half.prepare(request)
    await half.write(body[: half.content_length // 2])
