"""Who may call which operation: the team with its API key, or a device with a JWT of its own.

Facts: nRF Cloud REST API - the security of each operation in the OpenAPI document, ``Authorization: Bearer`` with an
API key of 40 hex digits or a JWT. UNCONFIRMED, chosen here: 401 with code 40100 for a missing, wrong or unfit
credential, 403 with code 40100 for the JWT of another device than the one in the path.
"""

import hmac

from aiohttp import web

from harness.virtual.cloud.registry.team import Refused
from harness.virtual.cloud.rest.common import BASE, CALLER, Api
from harness.virtual.cloud.rest.jwt_auth import InvalidToken, is_jwt, verify
from harness.virtual.cloud.rest.uploads import RESULTS

TEAM = "team"
"""The caller that an API key stands for; a device is its ID."""

_OPEN = (f"{BASE}/status", f"{BASE}/openapi.json")
_TEAM_OR_DEVICE = {
    ("GET", f"{BASE}/devices/{{deviceId}}"),
    ("PATCH", f"{BASE}/devices/{{deviceId}}/state"),
    ("POST", f"{BASE}/devices/{{deviceId}}/messages"),
    ("GET", f"{BASE}/fota-job-executions/{{deviceId}}/current"),
    ("PATCH", f"{BASE}/fota-job-executions/{{deviceId}}/{{jobId}}"),
}
# Tokens of the team's own (proxy and evaluation tokens) are not made here.
_DEVICE_ONLY = {("POST", f"{BASE}/location/ground-fix")}


def route_path(request: web.Request) -> str:
    """Return the route's pattern: unlike the path it holds nothing that a caller made up, and no capability."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "(unknown)"


def authenticate(request: web.Request, api: Api) -> None:
    """Note the caller in ``request[CALLER]`` when it may call this operation; :class:`Refused` 401 or 403 if not."""
    path = route_path(request)
    if path in _OPEN or path.startswith(RESULTS):
        return
    operation = (request.method, path)
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    credential = credential.strip()
    if scheme.lower() != "bearer" or not credential:
        raise Refused(401, 40100, "access denied: the Authorization header must be Bearer and an API key or a JWT")
    if not is_jwt(credential):
        if not hmac.compare_digest(credential.encode(errors="replace"), api.api_key.encode()):
            raise Refused(401, 40100, "access denied: this is no valid API key")
        if operation in _DEVICE_ONLY:
            raise Refused(401, 40100, "access denied: this operation takes a JWT, not an API key")
        request[CALLER] = TEAM
        return
    try:
        device_id = verify(credential, key_of=api.team.keys.find, now=api.now())
    except InvalidToken as error:
        raise Refused(401, 40100, f"access denied: {error}") from error
    request[CALLER] = device_id
    if operation not in _TEAM_OR_DEVICE | _DEVICE_ONLY:
        raise Refused(401, 40100, "access denied: this operation takes an API key, not a device's JWT")
    if request.match_info.get("deviceId", device_id) != device_id:
        raise Refused(403, 40100, f"access denied: the token is that of device {device_id}")
