"""The provisioning (claim) service as an aiohttp application, for the team and for boards.

Facts: nRF Cloud Utils (the team's calls, with the API key); nRF Connect SDK, nRF Device provisioning library over HTTP
(the board's calls, with a JWT; 401 no credentials, 403 wrong ones, 204 nothing to do, 415 wrong media type).
UNCONFIRMED, chosen here: the board's JWT is verified by its device identity key, a board that is not claimed gets 403;
claimed boards can be read, one or all; a bulk claim answers 201 when every row was claimed, 200 when some were,
422 when none was.
"""

import csv
import hmac
import io
import uuid
from typing import Any

import cbor2
from aiohttp import web
from aiohttp.typedefs import Middleware
from cryptography.hazmat.primitives.asymmetric import ec

from harness.virtual.cloud.broker.interfaces import Journal
from harness.virtual.cloud.formats import now_utc
from harness.virtual.cloud.provisioning.attestation import TrustedIdentities
from harness.virtual.cloud.provisioning.claims import ClaimedDevice, Claims, CommandStatus
from harness.virtual.cloud.provisioning.commands import read_request, take_answer, to_wire
from harness.virtual.cloud.registry.team import RestRefused
from harness.virtual.cloud.rest.api import BASE
from harness.virtual.cloud.rest.guard import make_guard
from harness.virtual.cloud.rest.jwt_auth import InvalidToken, verify
from harness.virtual.cloud.rest.request import (
    accepted,
    invalid,
    read_flag,
    read_object,
    read_query,
    read_strings,
)

_CLAIMED = f"{BASE}/claimed-devices"
_BOARD = f"{BASE}/provisioning"
_BOARD_CALLS = (f"{_BOARD}/commands", f"{_BOARD}/response")
_CBOR = "application/cbor"
_MOST_ROWS = 1000
_LARGEST_BODY = 1024**2


def build_provisioning_app(
    claims: Claims, identities: TrustedIdentities, *, journal: Journal, api_key: str, owner: str
) -> web.Application:
    """Return the application. ``owner``: the team's id.

    ``claims``: boards and their commands. ``identities``: the keys of genuine boards. ``journal``: takes the requests.
    ``api_key``: the team's.
    """
    app = web.Application(middlewares=[_guard(journal, api_key)], client_max_size=_LARGEST_BODY)
    app.router.add_routes(TeamCalls(claims, owner).routes())
    app.router.add_routes(BoardCalls(claims, identities).routes())
    return app


class TeamCalls:
    """The team's calls: claim boards, queue and follow commands, keep rules and tags."""

    def __init__(self, claims: Claims, owner: str) -> None:
        self._claims = claims
        self._owner = owner

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        one = f"{_CLAIMED}/{{deviceUuid}}"
        return [
            web.post(_CLAIMED, self.claim),
            web.get(_CLAIMED, self.list_claimed),
            web.get(one, self.fetch_claimed),
            web.delete(one, self.unclaim),
            web.post(f"{one}/provisioning", self.add_command),
            web.get(f"{one}/provisioning/{{commandId}}", self.fetch_command),
            web.get(f"{BASE}/provisioning-rules", self.list_rules),
            web.post(f"{BASE}/provisioning-rules", self.add_rule),
            web.get(f"{_BOARD}/tags", self.list_tags),
            web.post(f"{_BOARD}/tags", self.add_tag),
        ]

    async def claim(self, request: web.Request) -> web.Response:
        """Claim one board by JSON or several by CSV. ``dryrun=true`` only tells whether a claim would succeed."""
        dry_run = read_flag(read_query(request, allowed=("dryrun",)), "dryrun", default=False)
        # nRF Cloud Utils announces CSV in a header field of its own, contentType.
        if "text/csv" in (request.content_type, request.headers.get("contentType")):
            return self._claim_rows(await request.read())
        body = await read_object(request, allowed=("claimToken", "tags"))
        token = body.get("claimToken")
        if not isinstance(token, str):
            raise invalid("claimToken is required; it must be a string")
        tags = [tag for text in read_strings(body, "tags") for tag in _split(text)]
        if dry_run:
            self._claims.check(token)
            return accepted()
        return web.json_response(self._claims.claim(token, tags).item(self._owner), status=201)

    async def list_claimed(self, request: web.Request) -> web.Response:
        """Return the claimed boards, all on one page."""
        read_query(request, allowed=("pageLimit",))
        items = [device.item(self._owner) for device in self._claims.devices]
        return web.json_response({"items": items, "total": len(items)})

    async def fetch_claimed(self, request: web.Request) -> web.Response:
        """Return one claimed board."""
        return web.json_response(self._claims.device(request.match_info["deviceUuid"]).item(self._owner))

    async def unclaim(self, request: web.Request) -> web.Response:
        """Give a board up."""
        self._claims.unclaim(request.match_info["deviceUuid"])
        return web.Response(status=204)

    async def add_command(self, request: web.Request) -> web.Response:
        """Queue a command for a board."""
        device = self._claims.device(request.match_info["deviceUuid"])
        body = await read_object(request, allowed=("description", "request"))
        kind, details = read_request(body.get("request"))
        command = self._claims.add_command(device, kind, details, _text(body, "description"))
        return web.json_response({"id": command.command_id}, status=201)

    async def fetch_command(self, request: web.Request) -> web.Response:
        """Return a command, its status, and the response if there is one."""
        command = self._claims.command(request.match_info["deviceUuid"], request.match_info["commandId"])
        return web.json_response(command.item())

    async def list_rules(self, request: web.Request) -> web.Response:
        """Return the provisioning rules."""
        return web.json_response({"items": [rule.item() for rule in self._claims.rules]})

    async def add_rule(self, request: web.Request) -> web.Response:
        """Add a provisioning rule."""
        body = await read_object(request, allowed=("name", "description", "active", "commands", "tags"))
        commands, active = body.get("commands"), body.get("active", True)
        if not isinstance(commands, list) or not all(isinstance(one, dict) for one in commands):
            raise invalid("commands must be a list of objects")
        if not isinstance(active, bool):
            raise invalid("active must be true or false")
        rule = self._claims.add_rule(
            _text(body, "name"),
            active=active,
            tags=read_strings(body, "tags"),
            commands=[read_request(one.get("request")) for one in commands],
        )
        return web.json_response(rule.item(), status=201)

    async def list_tags(self, request: web.Request) -> web.Response:
        """Return the provisioning tags."""
        items = [{"tag": tag, "description": description} for tag, description in self._claims.tags.items()]
        return web.json_response({"items": items})

    async def add_tag(self, request: web.Request) -> web.Response:
        """Add a provisioning tag, or change its description."""
        body = await read_object(request, allowed=("tag", "description"))
        tag = _text(body, "tag")
        if not tag:
            raise invalid("tag is required")
        self._claims.tags[tag] = _text(body, "description")
        return web.json_response({"tag": tag, "description": self._claims.tags[tag]}, status=201)

    def _claim_rows(self, body: bytes) -> web.Response:
        try:
            rows = list(csv.reader(io.StringIO(body.decode(), newline=""), strict=True))
        except (UnicodeDecodeError, csv.Error) as error:
            raise invalid(f"malformed CSV: {error}") from error
        if not 0 < len(rows) <= _MOST_ROWS:
            raise invalid(f"{len(rows)} rows; from 1 to {_MOST_ROWS} are taken at once")
        claimed: list[str] = []
        failed: list[dict[str, Any]] = []
        for index, row in enumerate(rows):
            try:
                if len(row) not in (1, 2):
                    raise invalid('a row is "token" or "token","tag,tag"')
                device = self._claims.claim(row[0], _split(row[1]) if len(row) > 1 else ())
            except RestRefused as refusal:
                failed.append({"row": index, "message": str(refusal)})
            else:
                claimed.append(str(device.device_uuid))
        status = 201 if not failed else 200 if claimed else 422
        return web.json_response({"claimedIds": claimed, "failed": failed}, status=status)


class BoardCalls:
    """A board's calls: fetch the commands that wait for it, and report the results."""

    def __init__(self, claims: Claims, identities: TrustedIdentities) -> None:
        self._claims = claims
        self._identities = identities

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.get(f"{_BOARD}/commands", self.fetch), web.post(f"{_BOARD}/response", self.respond)]

    async def fetch(self, request: web.Request) -> web.Response:
        """Return waiting commands, only those after the id ``after``; 204 if there are none."""
        device = self._device(request)
        after, limit = request.query.get("after", ""), request.query.get("limit", "")
        # ULIDs of the same millisecond do not sort by age, so the order of the list counts.
        ids = [command.command_id for command in device.commands]
        rest = device.commands[ids.index(after) + 1 if after in ids else 0 :]
        waiting = [command for command in rest if command.waiting][: int(limit) if limit.isdecimal() else None]
        if not waiting:
            return web.Response(status=204)
        for command in waiting:
            command.status = CommandStatus.IN_PROGRESS
        return web.Response(body=cbor2.dumps([to_wire(command) for command in waiting]), content_type=_CBOR)

    async def respond(self, request: web.Request) -> web.Response:
        """Take the answers to commands."""
        device = self._device(request)
        if request.content_type != _CBOR:
            raise RestRefused(415, 41500, f"Content-Type must be {_CBOR}")
        try:
            for command_id, *answer in cbor2.loads(await request.read()):
                take_answer(self._claims.command(str(device.device_uuid), str(command_id)), answer)
        except (cbor2.CBORDecodeError, TypeError, ValueError, RecursionError) as error:
            raise RestRefused(400, 40000, f"the body holds no answers to commands: {error}") from error
        return web.Response(status=200)

    def _device(self, request: web.Request) -> ClaimedDevice:
        token = _bearer(request)
        if not token:
            raise RestRefused(401, 40100, "access denied: the Authorization header must be Bearer and a JWT")
        try:
            device_uuid = verify(token, key_of=self._key, now=now_utc())
            return self._claims.device(device_uuid)
        except (InvalidToken, RestRefused) as error:
            raise RestRefused(403, 40300, f"access denied: {error}") from error

    def _key(self, device_uuid: str) -> ec.EllipticCurvePublicKey | None:
        try:
            return self._identities.find(uuid.UUID(device_uuid))
        except ValueError:
            return None


def _guard(journal: Journal, api_key: str) -> Middleware:
    def authenticate(request: web.Request) -> None:
        credential = _bearer(request).encode(errors="replace")
        if _path(request) not in _BOARD_CALLS and not hmac.compare_digest(credential, api_key.encode()):
            raise RestRefused(401, 40100, "access denied: the Authorization header must be Bearer and a valid API key")

    def done(request: web.Request, status: int, code: int | None) -> None:
        journal.write("provisioning_service", method=request.method, path=_path(request), status=status)

    return make_guard(authenticate, done)


def _path(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "(unknown)"


def _bearer(request: web.Request) -> str:
    """Return the credential in the Authorization header, or "" if there is none."""
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else ""


def _split(text: str) -> list[str]:
    return [tag.strip() for tag in text.split(",") if tag.strip()]


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise invalid(f"{name} must be a string")
    return value
