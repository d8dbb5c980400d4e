"""Location services over REST: the location of LTE cells or Wi-Fi access points. It is always the same.

Facts: nRF Cloud REST API, GetLocationFromCellsOrWifiNetworks, GetLocationFromCells, GetLocationFromWifiNetworks,
GetSingleCellLocation, RecordGnssCoordinates - which members a cell and an access point need, 422 for a single access
point, ``fulfilledWith``; nRF Cloud location services guide (locally administered MAC addresses are refused).
UNCONFIRMED, chosen here: with too few access points, ``fallback`` (the default) uses the cells if there are any;
``doReply=false`` changes nothing; coordinates are taken as JSON only, NMEA is refused with 501.
"""

import re
from typing import Any

from aiohttp import web

from harness.virtual.cloud.registry.team import RestRefused
from harness.virtual.cloud.rest.api import BASE, CALLER, DEVICE, TRIAL, Api
from harness.virtual.cloud.rest.request import (
    accepted,
    invalid,
    read_flag,
    read_integer,
    read_json,
    read_object,
    read_query,
)

TRONDHEIM = {"lat": 63.4210, "lon": 10.4370}
_UNCERTAINTY = {"WIFI": 30, "MCELL": 400, "SCELL": 1500}
_CELL_LISTS = ("lte", "ltecatm", "nbiot")
_QUERY = ("doReply", "fallback", "hiConf", "dist", "cont", "alt")
_CELL_NUMBERS = ("mcc", "eci", "tac")
_MAC = re.compile(r"[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}")
_LOCALLY_ADMINISTERED = 0x02  # second bit of the first byte (IEEE 802)
_GNSS = ("acc", "alt", "spd", "hdg")


class LocationRoutes:
    """Handlers about positions."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.post(f"{BASE}/location/ground-fix", self.ground_fix),
            web.post(f"{BASE}/location/cell", self.cells),
            web.get(f"{BASE}/location/single-cell", self.single_cell, allow_head=False),
            web.post(f"{BASE}/location/wifi", self.wifi),
            web.post(f"{BASE}/location/gnss", self.gnss),
        ]

    async def ground_fix(self, request: web.Request) -> web.Response:
        """GetLocationFromCellsOrWifiNetworks."""
        query = read_query(request, allowed=_QUERY)
        fallback = read_flag(query, "fallback", default=True)
        body = await read_object(request, allowed=(*_CELL_LISTS, "wifi"))
        cells = [_check_cell(cell) for name in _CELL_LISTS for cell in _read_list(body, name)]
        access_points = [_check_access_point(point) for point in _access_points(body)]
        if len(access_points) > 1:
            service = "WIFI"
        elif cells and (fallback or not access_points):
            service = _by_cells(cells)
        else:
            raise invalid("a ground fix needs an LTE cell, or at least two Wi-Fi access points")
        return web.json_response({**self._fix(request, service), "fulfilledWith": service})

    async def cells(self, request: web.Request) -> web.Response:
        """GetLocationFromCells."""
        read_query(request, allowed=("doReply", "fallback", "hiConf", "cont"))
        body = await read_object(request, allowed=_CELL_LISTS)
        cells = [_check_cell(cell) for name in _CELL_LISTS for cell in _read_list(body, name)]
        if not cells:
            raise invalid("an LTE cell is needed")
        service = _by_cells(cells)
        return web.json_response({**self._fix(request, service), "fulfilledWith": service})

    async def single_cell(self, request: web.Request) -> web.Response:
        """GetSingleCellLocation."""
        query = read_query(request, allowed=("mcc", "mnc", "tac", "eci", "rsrp", "format"))
        for name in ("mcc", "mnc", "tac", "eci"):
            read_integer(query, name)
        form = query.get("format", ["json"])[0]
        if form not in ("json", "binary"):
            raise invalid("format must be json or binary")
        if form == "binary":
            raise RestRefused(501, 50100, "GetSingleCellLocation with format=binary is not simulated")
        return web.json_response(self._fix(request, "SCELL"))

    async def wifi(self, request: web.Request) -> web.Response:
        """GetLocationFromWifiNetworks."""
        read_query(request, allowed=("doReply", "hiConf", "cont"))
        body = await read_object(request, allowed=("accessPoints",))
        if len([_check_access_point(point) for point in _read_list(body, "accessPoints")]) < 2:
            raise invalid("at least two Wi-Fi access points are needed")
        return web.json_response(self._fix(request, "WIFI"))

    async def gnss(self, request: web.Request) -> web.Response:
        """RecordGnssCoordinates."""
        read_query(request, allowed=())
        body = await read_json(request)
        if isinstance(body, str):
            raise RestRefused(501, 50100, "RecordGnssCoordinates of NMEA is not simulated")
        given = {name: body[name] for name in ("lat", "lon", *_GNSS) if name in body} if isinstance(body, dict) else {}
        if not all(_is_number(value) for value in given.values()) or not {"lat", "lon"} <= given.keys():
            raise invalid("the body must have lat and lon as numbers, and may have acc, alt, spd, hdg")
        if abs(given["lat"]) > 90 or abs(given["lon"]) > 180:
            raise invalid("lat must be from -90 to 90, lon from -180 to 180")
        more = {name: given[name] for name in _GNSS if name in given}
        if device_id := request.get(DEVICE):
            self._api.locations.add(device_id, "GNSS", (given["lat"], given["lon"]), given.get("acc", 0), more)
        return accepted()

    def _fix(self, request: web.Request, service: str) -> dict[str, Any]:
        device_id = request.get(DEVICE)
        kind = f"{service}_EVAL" if request.get(TRIAL) else service
        self._api.usage.count("LOCATION", kind, "REST", device_id)
        if device_id is not None:
            self._api.locations.add(device_id, kind, (TRONDHEIM["lat"], TRONDHEIM["lon"]), _UNCERTAINTY[service])
        self._api.journal.write("ground_fix", device_id=device_id, caller=request[CALLER], fulfilled_with=service)
        return {**TRONDHEIM, "uncertainty": _UNCERTAINTY[service]}


def _by_cells(cells: list[dict[str, Any]]) -> str:
    return "MCELL" if len(cells) > 1 or cells[0].get("nmr") else "SCELL"


def _access_points(body: dict[str, Any]) -> list[Any]:
    wifi = body.get("wifi")
    if isinstance(wifi, dict):  # the older form; the newer one is the bare list
        return _read_list(wifi, "accessPoints")
    return _read_list(body, "wifi")


def _read_list(body: dict[str, Any], name: str) -> list[Any]:
    value = body.get(name, [])
    if not isinstance(value, list):
        raise invalid(f"{name} must be a list")
    return value


def _check_cell(cell: Any) -> dict[str, Any]:
    if not isinstance(cell, dict) or not all(_is_integer(cell.get(name)) for name in _CELL_NUMBERS):
        raise invalid(f"a cell must have {', '.join(_CELL_NUMBERS)} as integers")
    mnc = cell.get("mnc")
    if not _is_integer(mnc) and not (isinstance(mnc, str) and mnc.isdecimal()):
        raise invalid("a cell must have mnc, a number or a string of digits")
    neighbours = _read_list(cell, "nmr")
    if not all(
        isinstance(one, dict) and _is_integer(one.get("earfcn")) and _is_integer(one.get("pci")) for one in neighbours
    ):
        raise invalid("each neighbour in nmr must have earfcn and pci as integers")
    return cell


def _check_access_point(point: Any) -> str:
    address = point.get("macAddress") if isinstance(point, dict) else None
    if not isinstance(address, str) or not _MAC.fullmatch(address):
        raise invalid("an access point must have macAddress, six bytes in hex")
    if int(address[:2], 16) & _LOCALLY_ADMINISTERED:
        raise invalid(f"the MAC address {address} is locally administered")
    return address


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
