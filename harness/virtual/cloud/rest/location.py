"""Location services over REST: a ground fix, from LTE cells or Wi-Fi access points. The place is always the same.

Facts: nRF Cloud REST API, GetLocationFromCellsOrWifiNetworks - which members a cell and an access point need, 422 for a
single access point, ``fulfilledWith``; nRF Cloud location services guide (locally administered MAC addresses are no
good). UNCONFIRMED, chosen here: with too few access points, ``fallback`` (the default) turns to the cells if there are
any; ``doReply=false`` changes nothing.
"""

import re
from typing import Any

from aiohttp import web

from harness.virtual.cloud.rest.common import BASE, CALLER, Api, invalid, read_flag, read_object, read_query

_TRONDHEIM = {"lat": 63.4210, "lon": 10.4370}
_UNCERTAINTY = {"WIFI": 30, "MCELL": 400, "SCELL": 1500}
_CELL_LISTS = ("lte", "ltecatm", "nbiot")
_QUERY = ("doReply", "fallback", "hiConf", "dist", "cont", "alt")
_CELL_NUMBERS = ("mcc", "eci", "tac")
_MAC = re.compile(r"[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}")
_LOCALLY_ADMINISTERED = 0x02  # second bit of the first byte (IEEE 802)


class LocationRoutes:
    """Handlers about positions."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.post(f"{BASE}/location/ground-fix", self.ground_fix)]

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
            service = "MCELL" if len(cells) > 1 or cells[0].get("nmr") else "SCELL"
        else:
            raise invalid("a ground fix needs an LTE cell, or at least two Wi-Fi access points")
        self._api.journal.write("ground_fix", device_id=request[CALLER], fulfilled_with=service)
        return web.json_response({**_TRONDHEIM, "uncertainty": _UNCERTAINTY[service], "fulfilledWith": service})


def _access_points(body: dict[str, Any]) -> list[Any]:
    wifi = body.get("wifi")
    if isinstance(wifi, dict):  # the older form; the newer is the bare list
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
