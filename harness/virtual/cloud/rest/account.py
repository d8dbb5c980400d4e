"""``GET /account``, and the two operations without authorisation: ``/status`` and ``/openapi.json``.

Facts: nRF Cloud REST API, FetchAccountInfo and ListInvoices.
"""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from harness.virtual.cloud.formats import iso
from harness.virtual.cloud.rest.api import BASE, Api
from harness.virtual.cloud.rest.request import answer_page, read_query


class AccountRoutes:
    """Handlers about the account itself. ``document``: returns the OpenAPI document to serve."""

    def __init__(self, api: Api, document: Callable[[], dict[str, Any]]) -> None:
        self._api = api
        self._document = document

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get(f"{BASE}/account", self.account, allow_head=False),
            web.get(f"{BASE}/account/invoices", self.invoices, allow_head=False),
            web.get(f"{BASE}/status", self.status, allow_head=False),
            web.get(f"{BASE}/openapi.json", self.openapi, allow_head=False),
        ]

    async def account(self, request: web.Request) -> web.Response:
        """FetchAccountInfo."""
        read_query(request, allowed=())
        team = self._api.team
        service = self._api.tokens.service
        keys = [{"service": "ALL", "enabled": True, "createdAt": iso(service.made_at)}] if service else []
        return web.json_response(
            {
                "mqttEndpoint": self._api.mqtt_host,
                "mqttTopicPrefix": team.prefix,
                "team": {"tenantId": team.tenant_id, "name": "local"},
                "role": "owner",
                "userId": self._api.user_id,
                "tags": team.tags(),
                "plan": {
                    "name": "ENTERPRISE",
                    "proxyUsageDeclarations": {"AGPS": 0, "PGPS": 0, "GROUND_FIX": 0},
                    "serviceKeys": keys,
                    "currentMonthCosts": [],
                    "currentMonthTotalCost": 0,
                    "overages": {"type": "C2C"},
                },
            }
        )

    async def invoices(self, request: web.Request) -> web.Response:
        """ListInvoices: there are none."""
        query = read_query(request, allowed=("pageLimit", "pageNextToken"))
        return answer_page(query, (), number=lambda nothing: 0, show=lambda nothing: {})

    async def status(self, request: web.Request) -> web.Response:
        """GetSystemStatus. UNCONFIRMED: the document does not say what the body holds."""
        return web.json_response({"status": "ok"})

    async def openapi(self, request: web.Request) -> web.Response:
        """FetchOpenApiSpec: nRF Cloud's operations; those that the stand-in does not serve are marked."""
        return web.json_response(self._document())
