"""Uploads by CSV - devices, certificates, public keys - and the bulk operations they make.

Facts: nRF Cloud REST API, OnboardDevices, RegisterCertificates, RegisterPublicKeys, FetchBulkOpsRequest and
ListBulkOpsRequests; nRF Cloud Utils, which fetches ``errorSummaryUrl`` without an Authorization header and expects
``{"errors": ["[row]: text"]}``.
"""

import hmac
from collections.abc import Callable, Sequence
from functools import partial

from aiohttp import web

from harness.virtual.cloud.registry.onboarding import InvalidUpload, parse_csv, parse_key_csv
from harness.virtual.cloud.registry.team import RestRefused
from harness.virtual.cloud.rest.api import BASE, Api
from harness.virtual.cloud.rest.bulk import BulkOperation, BulkStatus, Endpoint
from harness.virtual.cloud.rest.request import answer_page, invalid, read_moment, read_query

RESULTS = f"{BASE}/bulk-ops-results"
"""The path of an operation's files. Who knows the URL may read them."""

_MEDIA_TYPES = ("text/csv", "text/plain", "application/octet-stream")
_CHARSETS = (None, "utf8", "utf-8", "ascii")


class BulkRoutes:
    """Handlers about bulk operations."""

    def __init__(self, api: Api) -> None:
        self._bulk = api.bulk
        self._team = api.team

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        files = f"{RESULTS}/{{bulkOpsRequestId}}/{{capability}}"
        return [
            web.post(f"{BASE}/devices", self.onboard),
            web.post(f"{BASE}/devices/certificates", self.register_certificates),
            web.post(f"{BASE}/devices/public-keys", self.register_public_keys),
            web.get(f"{BASE}/bulk-ops-requests", self.list),
            web.get(f"{BASE}/bulk-ops-requests/{{bulkOpsRequestId}}", self.fetch),
            web.get(f"{files}/errors.json", self.errors),
            web.get(f"{files}/uploaded.csv", self.uploaded),
        ]

    async def onboard(self, request: web.Request) -> web.Response:
        """OnboardDevices."""
        return await self._submit(
            request,
            Endpoint.ONBOARD_DEVICES,
            lambda body: [partial(self._team.onboard, row) for row in parse_csv(body)],
        )

    async def register_certificates(self, request: web.Request) -> web.Response:
        """RegisterCertificates."""
        return await self._submit(
            request,
            Endpoint.REGISTER_CERTIFICATES,
            lambda body: [partial(self._team.register_certificate, row) for row in parse_key_csv(body, "CERTIFICATE")],
        )

    async def register_public_keys(self, request: web.Request) -> web.Response:
        """RegisterPublicKeys."""
        return await self._submit(
            request,
            Endpoint.REGISTER_PUBLIC_KEYS,
            lambda body: [partial(self._team.register_public_key, row) for row in parse_key_csv(body, "PUBLIC KEY")],
        )

    async def fetch(self, request: web.Request) -> web.Response:
        """FetchBulkOpsRequest."""
        return web.json_response(self._find(request).details())

    async def list(self, request: web.Request) -> web.Response:
        """ListBulkOpsRequests."""
        query = read_query(
            request, allowed=("status", "startRequestedAt", "endRequestedAt", "pageLimit", "pageNextToken")
        )
        status = query.get("status", [None])[0]
        if status is not None and status not in tuple(BulkStatus):
            raise invalid(f"status must be one of {', '.join(BulkStatus)}")
        start, end = read_moment(query, "startRequestedAt"), read_moment(query, "endRequestedAt")
        operations = (
            operation
            for operation in self._bulk.all()
            if (status is None or operation.status == status)
            and (start is None or operation.requested_at >= start)
            and (end is None or operation.requested_at < end)
        )
        return answer_page(
            query,
            operations,
            number=lambda operation: operation.number,
            show=BulkOperation.details,
        )

    async def errors(self, request: web.Request) -> web.Response:
        """Return the error summary."""
        return web.json_response({"errors": self._find_file(request).errors})

    async def uploaded(self, request: web.Request) -> web.Response:
        """Return what was uploaded."""
        return web.Response(body=self._find_file(request).uploaded, content_type="text/csv")

    async def _submit(
        self, request: web.Request, endpoint: Endpoint, parse: Callable[[bytes], Sequence[Callable[[], None]]]
    ) -> web.Response:
        if request.content_type not in _MEDIA_TYPES or (request.charset or "utf8").lower() not in _CHARSETS:
            raise invalid(f"Content-Type must be one of {', '.join(_MEDIA_TYPES)}")
        body = await request.read()
        try:
            steps = parse(body)
        except InvalidUpload as error:
            raise invalid(str(error)) from error
        operation = self._bulk.submit(endpoint, steps, body, f"{request.scheme}://{request.host}{RESULTS}")
        return web.json_response({"bulkOpsRequestId": operation.bulk_id}, status=202)

    def _find(self, request: web.Request) -> BulkOperation:
        operation = self._bulk.find(request.match_info["bulkOpsRequestId"])
        if operation is None:
            raise RestRefused(404, 40410, "no such bulk operation")
        return operation

    def _find_file(self, request: web.Request) -> BulkOperation:
        operation = self._find(request)
        if not hmac.compare_digest(request.match_info["capability"].encode(), operation.capability.encode()):
            raise RestRefused(404, 40410, "no such bulk operation")
        return operation
