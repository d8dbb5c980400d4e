"""Where the team's devices were. Facts: nRF Cloud REST API, GetLocationHistory and DeleteLocationHistory.

UNCONFIRMED, chosen here: ``latest=true`` lists the newest location of each device; ``end`` and ``inclusiveEnd`` both
include the moment itself.
"""

from aiohttp import web

from harness.virtual.cloud.registry.team import RestRefused
from harness.virtual.cloud.rest.api import BASE, Api
from harness.virtual.cloud.rest.request import (
    PAGING,
    accepted,
    answer_page,
    invalid,
    read_flag,
    read_moment,
    read_query,
)

_ALLOWED = ("deviceId", "deviceIdentifier", "latest", "start", "inclusiveStart", "end", "inclusiveEnd", *PAGING)


class HistoryRoutes:
    """Handlers about the history of locations."""

    def __init__(self, api: Api) -> None:
        self._team = api.team
        self._locations = api.locations

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get(f"{BASE}/location/history", self.list, allow_head=False),
            web.delete(f"{BASE}/location/history/{{deviceId}}/{{id}}", self.delete),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """GetLocationHistory."""
        query = read_query(request, allowed=_ALLOWED, repeatable=("tags",))
        if "deviceId" in query and "deviceIdentifier" in query:
            raise invalid("deviceId and deviceIdentifier mean the same; give one of them")
        wanted = query.get("deviceId") or query.get("deviceIdentifier")
        start, end = read_moment(query, "start", "inclusiveStart"), read_moment(query, "end", "inclusiveEnd")
        tagged = {record.device_id for record in self._team.devices() if set(record.tags) & set(query.get("tags", ()))}
        found = [
            place
            for place in self._locations.all()
            if (wanted is None or place.device_id in wanted)
            and ("tags" not in query or place.device_id in tagged)
            and (start is None or place.at >= start)
            and (end is None or place.at <= end)
        ]
        if read_flag(query, "latest", default=False):
            found = list({place.device_id: place for place in found}.values())
        return answer_page(query, found, number=lambda place: place.number, show=lambda place: place.item())

    async def delete(self, request: web.Request) -> web.Response:
        """DeleteLocationHistory."""
        if not self._locations.remove(request.match_info["deviceId"], request.match_info["id"]):
            raise RestRefused(404, 40410, "no such place in the device's history")
        return accepted()
