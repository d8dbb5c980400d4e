"""Firmware bundles over REST: upload, list, delete.

Facts: nRF Cloud REST API, UploadFirmware (its content types; text is base64, the others are the zip itself),
ListFirmware (``modemOnly`` lists Nordic's modem firmware in place of the team's) and DeleteFirmware. UNCONFIRMED,
chosen here: a wrong upload is refused at once; the newest bundle is listed first; a bundle cannot be deleted while a
job that is not over needs it (400 with code 40000).
"""

from aiohttp import web

from harness.virtual.cloud.registry.team import RestRefused
from harness.virtual.cloud.rest.api import BASE, Api
from harness.virtual.cloud.rest.request import accepted, answer_page, invalid, read_flag, read_query
from harness.virtual.cloud.services.bundle_archive import InvalidBundle, decode_base64, read_archive
from harness.virtual.cloud.services.bundles import HOST, show_bundle

_TEXT = ("text/plain", "text/plain;charset=UTF8", "text/plain;charset=ASCII")
_BINARY = ("application/octet-stream", "application/zip")


class FirmwareRoutes:
    """Handlers about firmware bundles."""

    def __init__(self, api: Api) -> None:
        self._bundles = api.bundles
        self._fota = api.fota
        self._journal = api.journal

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.post(f"{BASE}/firmwares", self.upload),
            web.get(f"{BASE}/firmwares", self.list),
            web.delete(f"{BASE}/firmwares/{{bundleId}}", self.delete),
        ]

    async def upload(self, request: web.Request) -> web.Response:
        """UploadFirmware."""
        form = request.headers.get("Content-Type")
        if form not in _TEXT + _BINARY:
            raise invalid(f"Content-Type must be one of {', '.join(_TEXT + _BINARY)}")
        body = await request.read()
        try:
            manifest = read_archive(decode_base64(body) if form in _TEXT else body)
        except InvalidBundle as error:
            raise invalid(str(error)) from error
        bundle = self._bundles.add(manifest)
        self._journal.write("firmware", bundle_id=bundle.bundle_id)
        return web.json_response({"uris": [f"https://{HOST}/{path}" for path in bundle.paths]}, status=202)

    async def list(self, request: web.Request) -> web.Response:
        """ListFirmware. There is no modem firmware here."""
        query = read_query(request, allowed=("pageLimit", "pageNextToken", "modemOnly"))
        bundles = [] if read_flag(query, "modemOnly", default=False) else self._bundles.all()
        return answer_page(query, bundles, number=lambda bundle: bundle.number, show=show_bundle)

    async def delete(self, request: web.Request) -> web.Response:
        """DeleteFirmware."""
        bundle = self._bundles.find(request.match_info["bundleId"])
        if bundle is None:
            raise RestRefused(404, 40410, "no such firmware bundle")
        if self._fota.need(bundle):
            raise RestRefused(400, 40000, "a firmware update that is not over needs the bundle")
        self._bundles.delete(bundle)
        return accepted()
