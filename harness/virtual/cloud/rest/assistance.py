"""Assistance data over REST, all invented: A-GNSS in the answer, P-GPS as a file on another host.

Facts: nRF Cloud REST API, GetAssistanceData (206 with ``Content-Range``; HEAD tells the size), GetPredictionData and
the older GetPredictedAssistanceData (``{host, path}``); RFC 9110 §14 (ranges). UNCONFIRMED, chosen here: without
``types`` all types are sent; without ``Range`` the status is 206 too, because the document has no other; counts and
intervals of predictions that the nRF Connect SDK does not use are refused.
"""

import re
from typing import Any

from aiohttp import web

from harness.virtual.cloud.registry.team import RestRefused
from harness.virtual.cloud.rest.api import BASE, DEVICE, TRIAL, Api
from harness.virtual.cloud.rest.location import TRONDHEIM
from harness.virtual.cloud.rest.request import invalid, read_integer, read_object, read_query
from harness.virtual.cloud.services.assistance import agnss, pgps

HOST = "pgps.nrfcloud.com"
_BINARY = "application/octet-stream"
_CELL = ("mcc", "mnc", "tac", "eci", "rsrp", "filtered", "mask")
_ALL, _OLDER = range(1, 18), range(1, 10)
_RANGE = re.compile(r"bytes=(\d{1,9})?-(\d{1,9})?")
_FILE = re.compile(r"(\d{1,3})-(\d{1,3})-(\d{1,5})-(\d{1,5})\.bin")
_PREDICTIONS = ("predictionCount", "predictionIntervalMinutes", "startGpsDay", "startGpsTimeOfDaySeconds")
_MOST_PREDICTIONS, _LONGEST_INTERVAL, _LAST_DAY, _DAY = 168, 480, 32767, 86400


class AssistanceRoutes:
    """Handlers about assistance data."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def routes(self) -> list[web.RouteDef]:
        """Return the routes. The last one belongs to the host of the P-GPS files."""
        location = f"{BASE}/location"
        return [
            web.post(f"{location}/agnss", self.agnss),
            web.head(f"{location}/agnss", self.agnss_size),
            web.get(f"{location}/agps", self.agps, allow_head=False),
            web.head(f"{location}/agps", self.agps),
            web.get(f"{location}/pgnss", self.predictions, allow_head=False),
            web.get(f"{location}/pgps", self.predictions, allow_head=False),
            web.get("/public/{file}", self.file),
        ]

    async def agnss(self, request: web.Request) -> web.Response:
        """GetAssistanceData."""
        read_query(request, allowed=())
        body = await read_object(request, allowed=("types", *_CELL)) if await request.read() else {}
        return self._answer(request, _types(body.get("types"), _ALL))

    async def agnss_size(self, request: web.Request) -> web.Response:
        """GetAssistanceDataSize."""
        query = read_query(request, allowed=_CELL, repeatable=("types",))
        return self._answer(request, _types(_numbers(query.get("types")), _ALL))

    async def agps(self, request: web.Request) -> web.Response:
        """GetAgpsData and GetFileSize, the older form."""
        query = read_query(request, allowed=("requestType", *_CELL), repeatable=("types", "customTypes"))
        kind = query.get("requestType", ["rtAssistance"])[0]
        if kind not in ("rtLocation", "rtAssistance", "custom"):
            raise invalid("requestType must be rtLocation, rtAssistance or custom")
        asked = _types(_numbers(query.get("types") or query.get("customTypes")), _OLDER)
        return self._answer(request, {8} if kind == "rtLocation" else asked)

    async def predictions(self, request: web.Request) -> web.Response:
        """GetPredictionData and GetPredictedAssistanceData."""
        query = read_query(request, allowed=_PREDICTIONS)
        values = [
            _within(query, name, default, lowest, highest)
            for name, default, lowest, highest in zip(
                _PREDICTIONS,
                (42, 240, 16000, 0),
                (1, 120, 0, 0),
                (_MOST_PREDICTIONS, _LONGEST_INTERVAL, _LAST_DAY, _DAY - 1),
                strict=True,
            )
        ]
        self._count(request, "PGPS")
        return web.json_response({"host": HOST, "path": f"public/{'-'.join(map(str, values))}.bin"})

    async def file(self, request: web.Request) -> web.Response:
        """Return a P-GPS file. Its name tells what is in it."""
        found = _FILE.fullmatch(request.match_info["file"])
        count, interval, day, seconds = map(int, found.groups()) if found else (0, 0, 0, 0)
        if not 1 <= count <= _MOST_PREDICTIONS or interval > _LONGEST_INTERVAL or day > _LAST_DAY:
            raise RestRefused(404, 40420, "no such file")
        return _part(request, pgps(count, interval, day, seconds))

    def _answer(self, request: web.Request, types: set[int]) -> web.Response:
        data = agnss(types, TRONDHEIM["lat"], TRONDHEIM["lon"])
        if request.method == "HEAD":
            return web.Response(body=data, content_type=_BINARY)
        self._count(request, "AGPS")
        return _part(request, data, always=True)

    def _count(self, request: web.Request, kind: str) -> None:
        kind = f"{kind}_EVAL" if request.get(TRIAL) else kind
        self._api.usage.count("LOCATION", kind, "REST", request.get(DEVICE))


def _part(request: web.Request, data: bytes, *, always: bool = False) -> web.Response:
    """Return the part of ``data`` that ``Range`` asks for. ``always``: without ``Range`` the status is 206 too."""
    asked = request.headers.get("Range")
    if asked is None and not always:
        return web.Response(body=data, content_type=_BINARY)
    found = _RANGE.fullmatch(asked or "bytes=0-")
    if found is None or found.groups() == (None, None):
        raise RestRefused(416, 41600, "Range must be bytes=FIRST-LAST")
    first, last = found.groups()
    begin = int(first) if first else max(0, len(data) - int(last))
    end = min(int(last), len(data) - 1) if first and last else len(data) - 1
    if begin > end:
        raise RestRefused(416, 41600, f"Range is outside the {len(data)} bytes of the file")
    headers = {"Content-Range": f"bytes {begin}-{end}/{len(data)}"}
    return web.Response(body=data[begin : end + 1], status=206, content_type=_BINARY, headers=headers)


def _types(value: Any, known: range) -> set[int]:
    if value is None:
        return set(known)
    if not isinstance(value, list) or not all(isinstance(one, int) and one in known for one in value):
        raise invalid(f"types must be a list of numbers from {known[0]} to {known[-1]}")
    return set(value)


def _numbers(texts: list[str] | None) -> list[int | str] | None:
    """Return the numbers in repeated parameters. Each may be a list with commas."""
    if texts is None:
        return None
    return [int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else text
            for texts_ in texts for text in texts_.split(",")]  # fmt: skip


def _within(query: dict[str, list[str]], name: str, default: int, lowest: int, highest: int) -> int:
    value = read_integer(query, name, default)
    if not lowest <= value <= highest:
        raise invalid(f"query parameter {name} must be from {lowest} to {highest}")
    return value
