"""Certificates that nRF Cloud makes for devices that do not exist yet; their first connection makes them (JITP).

Facts: nRF Cloud REST API, CreateDeviceCertificate (deprecated, still offered) - the body is the ownership code that
AssociateDevice asks for later, ids that begin with ``nrf-`` are Nordic's, and the key is only in this answer.
``clientCert`` is the chain that the device has to present: its own certificate and the CA's.
UNCONFIRMED, chosen here: which codes are taken (printable, at most 64 characters, as in an X.509 dnQualifier), and 422
for a device that exists.
"""

import re

from aiohttp import web

from harness.virtual.cloud.registry.onboarding import DEVICE_ID
from harness.virtual.cloud.rest.api import BASE, Api
from harness.virtual.cloud.rest.request import invalid, read_ownership_code

_LONGEST_ID = 64  # the longest common name, which is the device's id
_CODE = re.compile(r"[A-Za-z0-9 '()+,./:=?-]{1,64}")  # X.680 PrintableString


class CertificateRoutes:
    """Handlers about certificates for JITP."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.post(f"{BASE}/devices/{{deviceId}}/certificates", self.create)]

    async def create(self, request: web.Request) -> web.Response:
        """CreateDeviceCertificate."""
        device_id = request.match_info["deviceId"]
        if not DEVICE_ID.fullmatch(device_id) or len(device_id) > _LONGEST_ID:
            raise invalid(f"the device ID must match /^[a-z0-9:_-]{{1,{_LONGEST_ID}}}$/i")
        if device_id.lower().startswith("nrf-"):
            raise invalid("device IDs that begin with nrf- are reserved for Nordic's own products")
        code = await read_ownership_code(request)
        if not _CODE.fullmatch(code):
            raise invalid("the ownership code must be 1 to 64 letters, digits, spaces or '()+,-./:=?")
        if self._api.team.exists(device_id):
            raise invalid(f"device {device_id} exists already")
        identity = self._api.jitp_ca.issue_client(device_id, dn_qualifier=code)
        self._api.journal.write("device_certificate", device_id=device_id)
        return web.json_response(
            {
                "clientId": device_id,
                "caCert": self._api.root_pem,
                "clientCert": identity.certificate_pem + self._api.jitp_ca.certificate_pem,
                "privateKey": identity.private_key_pem,
            },
            status=201,
        )
