"""The team's usage. Facts: nRF Cloud REST API, ListApiUsage (both bounds are required) and FetchApiUsageSummary."""

from aiohttp import web

from harness.virtual.cloud.rest.api import BASE, Api
from harness.virtual.cloud.rest.request import PAGING, answer_page, invalid, read_moment, read_query


class UsageRoutes:
    """Handlers about usage."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get(f"{BASE}/account/usage", self.list, allow_head=False),
            web.get(f"{BASE}/account/usage/summary", self.summary, allow_head=False),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """ListApiUsage."""
        query = read_query(request, allowed=("inclusiveStart", "exclusiveEnd", *PAGING))
        start, end = read_moment(query, "inclusiveStart"), read_moment(query, "exclusiveEnd")
        if start is None or end is None:
            raise invalid("inclusiveStart and exclusiveEnd are required")
        numbered = enumerate(self._api.usage.items(start, end))
        return answer_page(query, numbered, number=lambda pair: pair[0], show=lambda pair: pair[1])

    async def summary(self, request: web.Request) -> web.Response:
        """FetchApiUsageSummary."""
        read_query(request, allowed=())
        kinds = [record.device_type for record in self._api.team.devices()]
        gateways = kinds.count("Gateway")
        devices = {
            "generic": len(kinds) - gateways,
            "gateway": gateways,
            "bluetoothLE": 0,
            "total": len(kinds),
        }
        return web.json_response({"currentDevices": devices, "services": self._api.usage.summary()})
