"""MQTT team devices over REST. Such a client may use all topics below the team's prefix, and no others.

Facts: nRF Cloud REST API, CreateTeamDevice, GetTeamDeviceCertificate, RotateTeamDeviceCertificate, DeleteTeamDevice.
The private key is only in the answer that makes it.
"""

from aiohttp import web

from harness.virtual.cloud.rest.api import BASE, Api
from harness.virtual.cloud.rest.request import accepted
from harness.virtual.cloud.tls.ca import IssuedIdentity


class TeamDeviceRoutes:
    """Handlers about MQTT team devices."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._team = api.team

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        one = f"{BASE}/devices/mqtt-team/{{deviceId}}"
        return [
            web.post(f"{BASE}/devices/mqtt-team", self.create),
            web.get(one, self.fetch),
            web.patch(one, self.rotate),
            web.delete(one, self.delete),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """CreateTeamDevice."""
        return self._answer(*self._team.create_team_device())

    async def rotate(self, request: web.Request) -> web.Response:
        """RotateTeamDeviceCertificate."""
        client_id = request.match_info["deviceId"]
        return self._answer(client_id, self._team.rotate_team_device(client_id))

    async def fetch(self, request: web.Request) -> web.Response:
        """GetTeamDeviceCertificate."""
        client_id = request.match_info["deviceId"]
        certificate = self._team.team_certificate(client_id)
        return web.json_response({"clientId": client_id, "caCert": self._api.root_pem, "clientCert": certificate})

    async def delete(self, request: web.Request) -> web.Response:
        """DeleteTeamDevice."""
        self._team.delete_team_device(request.match_info["deviceId"])
        return accepted()

    def _answer(self, client_id: str, identity: IssuedIdentity) -> web.Response:
        return web.json_response(
            {
                "clientId": client_id,
                "caCert": self._api.root_pem,
                "clientCert": identity.certificate_pem,
                "privateKey": identity.private_key_pem,
            },
            status=201,
        )
