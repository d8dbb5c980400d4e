"""Operations of nRF Cloud that are not built: each answers so, with its name, to every caller."""

from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from harness.virtual.cloud.registry.team import RestRefused
from harness.virtual.cloud.rest.api import BASE
from harness.virtual.cloud.rest.document import Operation

NOT_SIMULATED = "not_simulated"
"""The names of these routes begin with this."""


def not_simulated_routes(operations: Iterable[Operation]) -> list[web.RouteDef]:
    """Return a route for each of ``operations``."""
    return [
        web.route(one.method, f"{BASE}{one.path}", _refuse(one.name), name=f"{NOT_SIMULATED}.{one.name}")
        for one in operations
    ]


def _refuse(name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def refuse(request: web.Request) -> web.StreamResponse:
        raise RestRefused(501, 50100, f"{name} is not simulated: the local cloud does not have it")

    return refuse
