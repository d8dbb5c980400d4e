"""The team's tokens for location services.

Facts: nRF Cloud REST API, GenerateServiceKeyAndToken, GetServiceToken, GenerateServiceEvaluationToken,
GetServiceEvaluationToken. UNCONFIRMED, chosen here: 404 with code 40410 for a token that was never made.
"""

from aiohttp import web

from harness.virtual.cloud.formats import iso
from harness.virtual.cloud.registry.service_tokens import ServiceToken
from harness.virtual.cloud.registry.team import RestRefused
from harness.virtual.cloud.rest.api import BASE, Api
from harness.virtual.cloud.rest.request import read_query


class TokenRoutes:
    """Handlers about service tokens."""

    def __init__(self, api: Api) -> None:
        self._tokens = api.tokens
        self._journal = api.journal

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        evaluation = f"{BASE}/account/service-evaluation-token"
        return [
            web.post(f"{BASE}/account/service-key-and-token", self.make_service),
            web.get(f"{BASE}/account/service-token", self.service, allow_head=False),
            web.post(evaluation, self.make_evaluation),
            web.get(evaluation, self.evaluation, allow_head=False),
        ]

    async def make_service(self, request: web.Request) -> web.Response:
        """GenerateServiceKeyAndToken."""
        read_query(request, allowed=())
        key, made = self._tokens.make_service()
        self._journal.write("service_key")
        return web.json_response({"key": key, "token": made.token})

    async def service(self, request: web.Request) -> web.Response:
        """GetServiceToken."""
        read_query(request, allowed=())
        made = _made(self._tokens.service)
        return web.json_response({"createdAt": iso(made.made_at), "token": made.token})

    async def make_evaluation(self, request: web.Request) -> web.Response:
        """GenerateServiceEvaluationToken."""
        read_query(request, allowed=())
        return _show_evaluation(self._tokens.make_evaluation())

    async def evaluation(self, request: web.Request) -> web.Response:
        """GetServiceEvaluationToken."""
        read_query(request, allowed=())
        return _show_evaluation(_made(self._tokens.evaluation))


def _show_evaluation(made: ServiceToken) -> web.Response:
    return web.json_response({"expires": iso(made.expires), "token": made.token})


def _made(token: ServiceToken | None) -> ServiceToken:
    if token is None:
        raise RestRefused(404, 40410, "the team has made no such token")
    return token
