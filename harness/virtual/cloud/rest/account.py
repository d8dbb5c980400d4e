"""``GET /account``, and the two operations that need no key: ``/status`` and ``/openapi.json``."""

import uuid
from typing import Any

from aiohttp import web

from harness.virtual.cloud.rest.common import BASE, Api, read_query


class AccountRoutes:
    """Handlers about the account itself."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._user_id = str(uuid.uuid4())

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get(f"{BASE}/account", self.account),
            web.get(f"{BASE}/status", self.status),
            web.get(f"{BASE}/openapi.json", self.openapi),
        ]

    async def account(self, request: web.Request) -> web.Response:
        """FetchAccountInfo."""
        read_query(request, allowed=())
        team = self._api.team
        return web.json_response(
            {
                "mqttEndpoint": self._api.mqtt_host,
                "mqttTopicPrefix": team.prefix,
                "team": {"tenantId": team.tenant_id, "name": "local"},
                "role": "owner",
                "userId": self._user_id,
                "tags": [],
                "plan": {
                    "name": "ENTERPRISE",
                    "proxyUsageDeclarations": {"AGPS": 0, "PGPS": 0, "GROUND_FIX": 0},
                    "serviceKeys": [],
                    "currentMonthCosts": [],
                    "currentMonthTotalCost": "0",
                },
            }
        )

    async def status(self, request: web.Request) -> web.Response:
        """GetSystemStatus. UNCONFIRMED: the document does not say what the body holds."""
        return web.json_response({"status": "ok"})

    async def openapi(self, request: web.Request) -> web.Response:
        """FetchOpenApiSpec: which operations this stand-in serves, no more."""
        paths: dict[str, dict[str, Any]] = {}
        for route in request.app.router.routes():
            if route.resource and route.method != "HEAD":
                path = route.resource.canonical.removeprefix(BASE)
                paths.setdefault(path, {})[route.method.lower()] = {"responses": {"default": {"description": ""}}}
        return web.json_response(
            {"openapi": "3.0.0", "info": {"title": "nRF Cloud stand-in", "version": "1"}, "paths": paths}
        )
