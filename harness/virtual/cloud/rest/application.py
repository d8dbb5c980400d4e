"""The REST API as an aiohttp application: its routes, and the journal's line for each request."""

from collections.abc import Callable
from typing import Protocol

from aiohttp import web

from harness.virtual.cloud.rest.account import AccountRoutes
from harness.virtual.cloud.rest.account_tokens import TokenRoutes
from harness.virtual.cloud.rest.account_usage import UsageRoutes
from harness.virtual.cloud.rest.alerts import AlertRoutes
from harness.virtual.cloud.rest.api import BASE, CALLER, Api
from harness.virtual.cloud.rest.assistance import AssistanceRoutes
from harness.virtual.cloud.rest.authentication import authenticate, route_path
from harness.virtual.cloud.rest.certificates import CertificateRoutes
from harness.virtual.cloud.rest.devices import DeviceRoutes
from harness.virtual.cloud.rest.disturbances import RestDisturbances, make_disturber
from harness.virtual.cloud.rest.document import not_built, serve
from harness.virtual.cloud.rest.firmware import FirmwareRoutes
from harness.virtual.cloud.rest.fota import FotaRoutes
from harness.virtual.cloud.rest.guard import make_guard
from harness.virtual.cloud.rest.location import LocationRoutes
from harness.virtual.cloud.rest.location_history import HistoryRoutes
from harness.virtual.cloud.rest.messages import MessageRoutes
from harness.virtual.cloud.rest.not_simulated import not_simulated_routes
from harness.virtual.cloud.rest.tags import TagRoutes
from harness.virtual.cloud.rest.team import TeamDeviceRoutes
from harness.virtual.cloud.rest.uploads import BulkRoutes

_IDS = ("deviceId", "bulkOpsRequestId")
_LARGEST_BODY = 8 * 1024**2  # 1000 CSV rows with certificates of a few kB
_GROUPS: tuple[Callable[[Api], "_Group"], ...] = (  # literal paths like .../mqtt-team before .../{deviceId}
    TeamDeviceRoutes,
    BulkRoutes,
    CertificateRoutes,
    TagRoutes,
    DeviceRoutes,
    MessageRoutes,
    AlertRoutes,
    FirmwareRoutes,
    FotaRoutes,
    LocationRoutes,
    HistoryRoutes,
    AssistanceRoutes,
    TokenRoutes,
    UsageRoutes,
)


class _Group(Protocol):
    def routes(self) -> list[web.RouteDef]: ...


def build_app(api: Api, disturbances: RestDisturbances | None = None) -> web.Application:
    """Return the application that serves the API below ``/v1``. ``disturbances``: faults of answers, on purpose."""

    def done(request: web.Request, status: int, code: int | None) -> None:
        if code is None:
            api.save()
        about = {name: request.match_info[name] for name in _IDS if name in request.match_info}
        outcome = {} if code is None else {"code": code}
        api.journal.write(
            "rest",
            method=request.method,
            path=route_path(request),
            status=status,
            caller=request.get(CALLER),
            **about,
            **outcome,
        )

    guard = make_guard(lambda request: authenticate(request, api), done)
    middlewares = [guard] if disturbances is None else [make_disturber(disturbances), guard]
    app = web.Application(middlewares=middlewares, client_max_size=_LARGEST_BODY)
    built: set[tuple[str, str]] = set()
    account = AccountRoutes(api, lambda: serve(built))
    for group in (*(make(api) for make in _GROUPS), account):
        for route in app.router.add_routes(group.routes()):
            if route.resource:
                built.add((route.method, route.resource.canonical.removeprefix(BASE)))
    app.router.add_routes(not_simulated_routes(not_built(built)))
    return app
