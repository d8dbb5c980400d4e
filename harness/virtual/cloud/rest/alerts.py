"""Device alerts over REST. Facts: nRF Cloud REST API, ListDeviceAlerts, ArchiveDeviceAlert, RestoreDeviceAlert."""

from typing import Any

from aiohttp import web

from harness.virtual.cloud.registry.team import RestRefused
from harness.virtual.cloud.rest.api import BASE, Api
from harness.virtual.cloud.rest.request import PAGING, answer_page, invalid, read_query
from harness.virtual.cloud.services.alerts import Alert

_STATUSES = ("ACTIVE", "ARCHIVED")


class AlertRoutes:
    """Handlers about alerts."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._alerts = api.alerts

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get(f"{BASE}/alerts", self.list, allow_head=False),
            web.patch(f"{BASE}/alerts/{{id}}/archive", self.archive),
            web.patch(f"{BASE}/alerts/{{id}}/restore", self.restore),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """ListDeviceAlerts."""
        query = read_query(request, allowed=("status", *PAGING), repeatable=("deviceIds",))
        status = query.get("status", [None])[0]
        if status not in (None, *_STATUSES):
            raise invalid(f"status must be one of {', '.join(_STATUSES)}")
        found = (
            alert
            for alert in self._alerts.all()
            if ("deviceIds" not in query or alert.device_id in query["deviceIds"])
            and status in (None, "ARCHIVED" if alert.archived else "ACTIVE")
        )
        return answer_page(query, found, number=lambda alert: alert.number, show=self._show)

    async def archive(self, request: web.Request) -> web.Response:
        """ArchiveDeviceAlert."""
        return self._set(request, archived=True)

    async def restore(self, request: web.Request) -> web.Response:
        """RestoreDeviceAlert."""
        return self._set(request, archived=False)

    def _set(self, request: web.Request, *, archived: bool) -> web.Response:
        alert = self._alerts.find(request.match_info["id"])
        if alert is None:
            raise RestRefused(404, 40410, "no such alert")
        self._alerts.set_archived(alert, archived)
        return web.json_response(self._show(alert))

    def _show(self, alert: Alert) -> dict[str, Any]:
        by = {"statusChangedBy": self._api.user_id} if alert.changed_at else {}
        return {**alert.item(), **by}
