"""The REST API as an aiohttp application: routes, the API key, and the form of refusals.

Facts: nRF Cloud REST API - ``Authorization: Bearer <40 hex digits>``; the error codes of its overview page.
UNCONFIRMED, chosen here: 401 with code 40100 for a missing and for a wrong key, 404 with code 40420 for a wrong path.
"""

import hmac
from collections.abc import Awaitable, Callable

from aiohttp import web

from harness.virtual.cloud.rest_account import AccountRoutes
from harness.virtual.cloud.rest_bulk import RESULTS, BulkRoutes
from harness.virtual.cloud.rest_common import BASE, Api
from harness.virtual.cloud.rest_devices import DeviceRoutes
from harness.virtual.cloud.rest_messages import MessageRoutes
from harness.virtual.cloud.rest_team import TeamDeviceRoutes
from harness.virtual.cloud.team import Refused

_WITHOUT_KEY = (f"{BASE}/status", f"{BASE}/openapi.json")
_IDS = ("deviceId", "bulkOpsRequestId")
_LARGEST_BODY = 8 * 1024**2  # 1000 CSV rows with certificates of a few kB
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_app(api: Api) -> web.Application:
    """Return the application that serves the API below ``/v1``."""

    @web.middleware
    async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
        code: int | None = None
        try:
            _check_key(request, api.api_key)
            response = await handler(request)
        except Refused as refusal:
            code = refusal.code
            response = _refusal(refusal.status, code, str(refusal))
        except web.HTTPException as error:  # aiohttp's own: no such path, no such method, body too large
            code = 40420 if error.status == 404 else error.status * 100
            response = _refusal(error.status, code, error.reason)
        about = {name: request.match_info[name] for name in _IDS if name in request.match_info}
        outcome = {} if code is None else {"code": code}
        api.journal.write(
            "rest", method=request.method, path=_path(request), status=response.status, **about, **outcome
        )
        return response

    app = web.Application(middlewares=[guard], client_max_size=_LARGEST_BODY)
    # The literal path .../mqtt-team must be found before .../{deviceId}.
    for group in (TeamDeviceRoutes(api), AccountRoutes(api), DeviceRoutes(api), BulkRoutes(api), MessageRoutes(api)):
        app.router.add_routes(group.routes())
    return app


def _check_key(request: web.Request, api_key: str) -> None:
    path = _path(request)
    if path in _WITHOUT_KEY or path.startswith(RESULTS):
        return
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), api_key.encode()):
        raise Refused(401, 40100, "access denied: the Authorization header must be Bearer and a valid API key")


def _path(request: web.Request) -> str:
    """Return the route's pattern: unlike the path it holds nothing that a caller made up, and no capability."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "(unknown)"


def _refusal(status: int, code: int, message: str) -> web.Response:
    return web.json_response({"code": code, "message": message}, status=status)
