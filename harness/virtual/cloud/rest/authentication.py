"""Who may call which operation: the team with its API key, a device with its JWT, a service with the team's token.

Facts: nRF Cloud REST API - the security of each operation in the OpenAPI document, ``Authorization: Bearer`` with an
API key of 40 hex digits or a JWT; ``x-custom-device-id`` names the device of a token that has none. UNCONFIRMED, chosen
here: 401 with code 40100 for a missing, wrong or unfit credential, 403 with code 40100 for the JWT of another device
than the one in the path.
"""

import hmac

from aiohttp import web

from harness.virtual.cloud.registry.onboarding import DEVICE_ID
from harness.virtual.cloud.registry.team import RestRefused
from harness.virtual.cloud.rest.api import BASE, CALLER, DEVICE, TRIAL, Api
from harness.virtual.cloud.rest.document import Operation, operations
from harness.virtual.cloud.rest.jwt_auth import (
    InvalidToken,
    audiences,
    check_times,
    is_jwt,
    read_claims,
    signed_by,
    verify,
)
from harness.virtual.cloud.rest.not_simulated import NOT_SIMULATED
from harness.virtual.cloud.rest.request import invalid
from harness.virtual.cloud.rest.uploads import RESULTS

TEAM, SERVICE, EVALUATION = "team", "service token", "evaluation token"
"""The callers behind an API key and behind the team's tokens. A device's caller is its ID."""

_TEAM_ONLY = Operation("", "", "", by_team=True, by_device=False, by_service=False)


def route_path(request: web.Request) -> str:
    """Return the route's pattern. Unlike the path it holds no text of the caller's, and no secret."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "(unknown)"


def operation_of(request: web.Request) -> Operation | None:
    """Return the document's operation for the request's route, or None."""
    return operations().get((request.method, route_path(request).removeprefix(BASE)))


def authenticate(request: web.Request, api: Api) -> None:
    """Note the caller in ``request[CALLER]`` if it may call this operation. Raises :class:`RestRefused` 401 or 403.

    In ``request[DEVICE]`` it notes the device that a location service is called for, if it is named.
    """
    path = route_path(request)
    if path.startswith(RESULTS) or (path != "(unknown)" and not path.startswith(BASE)):
        return  # files: who knows the URL may read them
    operation = operation_of(request) or _TEAM_ONLY
    # Operations that are not built answer everyone, or a caller would take their absence for a wrong key.
    if operation.open or (request.match_info.route.name or "").startswith(NOT_SIMULATED):
        return
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    credential = credential.strip()
    if scheme.lower() != "bearer" or not credential:
        raise RestRefused(401, 40100, "access denied: the Authorization header must be Bearer and an API key or a JWT")
    if not is_jwt(credential):
        if not hmac.compare_digest(credential.encode(errors="replace"), api.api_key.encode()):
            raise RestRefused(401, 40100, "access denied: this is not a valid API key")
        if not operation.by_team:
            raise RestRefused(401, 40100, "access denied: this operation takes a JWT, not an API key")
        request[CALLER] = TEAM
        return
    try:
        if not _take_service_token(request, credential, operation, api):
            _take_device_token(request, credential, operation, api)
    except InvalidToken as error:
        raise RestRefused(401, 40100, f"access denied: {error}") from error


def _take_device_token(request: web.Request, token: str, operation: Operation, api: Api) -> None:
    device_id = verify(token, key_of=api.team.keys.find, now=api.now(), audience=api.team.tenant_id)
    request[CALLER] = request[DEVICE] = device_id
    if not operation.by_device:
        raise RestRefused(401, 40100, "access denied: this operation takes an API key, not a device's JWT")
    if request.match_info.get("deviceId", device_id) != device_id:
        raise RestRefused(403, 40100, f"access denied: the token is that of device {device_id}")


def _take_service_token(request: web.Request, token: str, operation: Operation, api: Api) -> bool:
    """Accept a token that the team's service key or the evaluation key signed; False if neither did."""
    kinds = ((SERVICE, api.tokens.service), (EVALUATION, api.tokens.evaluation))
    kind = next((name for name, made in kinds if made and signed_by(token, made.key)), None)
    if kind is None:
        return False
    claims = read_claims(token)
    if audiences(claims) != {api.team.tenant_id}:
        raise InvalidToken("the token's aud is not this team")
    check_times(claims, api.now())
    request[CALLER] = kind
    if not operation.by_service:
        raise RestRefused(401, 40100, "access denied: this operation takes no service token")
    named = claims.get("sub") or request.headers.get("x-custom-device-id")
    if named is not None:
        if not isinstance(named, str) or not DEVICE_ID.fullmatch(named):
            raise invalid("sub or x-custom-device-id is not a device ID")
        request[DEVICE] = named
    request[TRIAL] = kind == EVALUATION
    return True
