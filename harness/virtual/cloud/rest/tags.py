"""The tags of the team's devices. A group of devices is a tag.

Facts: nRF Cloud REST API, ListDeviceTags and ListTags. UNCONFIRMED, chosen here: they are in alphabetical order.
"""

from aiohttp import web

from harness.virtual.cloud.rest.api import BASE, Api
from harness.virtual.cloud.rest.request import answer_page, read_query


class TagRoutes:
    """Handlers about tags."""

    def __init__(self, api: Api) -> None:
        self._team = api.team

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get(f"{BASE}/devices/tags", self.of_devices, allow_head=False),
            web.get(f"{BASE}/account/tags", self.of_account, allow_head=False),
        ]

    async def of_devices(self, request: web.Request) -> web.Response:
        """ListDeviceTags."""
        query = {"pageSort": ["asc"], **read_query(request, allowed=("pageLimit", "pageNextToken"))}
        return answer_page(query, enumerate(self._team.tags()), number=lambda pair: pair[0], show=lambda pair: pair[1])

    async def of_account(self, request: web.Request) -> web.Response:
        """ListTags."""
        read_query(request, allowed=())
        tags = self._team.tags()
        return web.json_response({"items": tags, "total": len(tags)})
