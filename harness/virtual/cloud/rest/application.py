"""The REST API as an aiohttp application: routes, authentication first, and the form of refusals.

Facts: nRF Cloud REST API - the error codes of its overview page. UNCONFIRMED, chosen here: 404 with code 40420 for a
wrong path.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from harness.virtual.cloud.registry.team import Refused
from harness.virtual.cloud.rest.account import AccountRoutes
from harness.virtual.cloud.rest.authentication import authenticate, route_path
from harness.virtual.cloud.rest.certificates import CertificateRoutes
from harness.virtual.cloud.rest.common import CALLER, Api
from harness.virtual.cloud.rest.devices import DeviceRoutes
from harness.virtual.cloud.rest.firmware import FirmwareRoutes
from harness.virtual.cloud.rest.fota import FotaRoutes
from harness.virtual.cloud.rest.location import LocationRoutes
from harness.virtual.cloud.rest.messages import MessageRoutes
from harness.virtual.cloud.rest.team import TeamDeviceRoutes
from harness.virtual.cloud.rest.uploads import BulkRoutes

_IDS = ("deviceId", "bulkOpsRequestId")
_LARGEST_BODY = 8 * 1024**2  # 1000 CSV rows with certificates of a few kB
_GROUPS = (  # in this order: literal paths like .../mqtt-team must be found before .../{deviceId}
    TeamDeviceRoutes,
    BulkRoutes,
    CertificateRoutes,
    AccountRoutes,
    DeviceRoutes,
    MessageRoutes,
    FirmwareRoutes,
    FotaRoutes,
    LocationRoutes,
)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_app(api: Api) -> web.Application:
    """Return the application that serves the API below ``/v1``."""

    @web.middleware
    async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
        code: int | None = None
        try:
            authenticate(request, api)
            response = await handler(request)
            api.save()
        except Refused as refusal:
            code = refusal.code
            response = _refusal(refusal.status, code, str(refusal))
        except web.HTTPException as error:  # aiohttp's own: no such path, no such method, body too large
            code = 40420 if error.status == 404 else error.status * 100
            response = _refusal(error.status, code, error.reason)
        about = {name: request.match_info[name] for name in _IDS if name in request.match_info}
        outcome = {} if code is None else {"code": code}
        api.journal.write(
            "rest",
            method=request.method,
            path=route_path(request),
            status=response.status,
            caller=request.get(CALLER),
            **about,
            **outcome,
        )
        return response

    app = web.Application(middlewares=[guard], client_max_size=_LARGEST_BODY)
    for group in _GROUPS:
        app.router.add_routes(group(api).routes())
    return app


def _refusal(status: int, code: int, message: str) -> web.Response:
    return web.json_response({"code": code, "message": message}, status=status)
