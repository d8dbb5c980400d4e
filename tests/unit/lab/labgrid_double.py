"""The process that holds places, loaded without labgrid, which is in another environment: its client is played here."""

from __future__ import annotations

import asyncio
import enum
import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

_SIDE = "harness.lab.places.labgrid_side"


class StatusCode(enum.Enum):
    FAILED_PRECONDITION = 1
    PERMISSION_DENIED = 2
    UNAVAILABLE = 3


class RpcError(Exception):
    def __init__(self, code: StatusCode, details: str) -> None:
        super().__init__(details)
        self._code, self._details = code, details

    def code(self) -> StatusCode:
        return self._code

    def details(self) -> str:
        return self._details


class Coordinator:
    """Session and coordinator in one.

    ``refusals``: of the next releases. ``acquire_refusals``: of the next acquires. ``begun``, ``go``: of an acquire.
    """

    def __init__(self, *names: str) -> None:
        self.stub = self
        self.stopping = asyncio.Event()
        self.places = {name: Place() for name in names}
        entry = SimpleNamespace(data={"cls": 1}, cls="NetworkSerialPort", avail=True)
        self.resources = {"rack-1": {"group": {"port": entry}}}
        self.refusals: list[RpcError] = []
        self.acquire_refusals: list[RpcError] = []
        self.begun, self.go = asyncio.Event(), asyncio.Event()
        self.go.set()
        self.me = ""

    def serve(self, name: str, port: int) -> None:
        """Let the port server of a place, which is acquired, be at this TCP port."""
        (path,) = self.places[name].acquired_resources
        entry = self.resources[path[0]][path[1]][path[3]]
        entry.args, entry.extra = {"host": "127.0.0.1", "port": port}, {}

    async def sync_with_coordinator(self) -> bool:
        return True

    async def AcquirePlace(self, request: Any) -> None:
        if self.acquire_refusals:
            raise self.acquire_refusals.pop(0)
        place = self.places[request.placename]
        if place.acquired:
            raise RpcError(StatusCode.FAILED_PRECONDITION, "already acquired")
        place.acquired = self.me
        self.begun.set()
        await self.go.wait()
        place.acquired_resources.append(("rack-1", "group", "NetworkSerialPort", "port"))

    async def ReleasePlace(self, request: Any) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        place = self.places[request.placename]
        if place.acquired == request.fromuser:
            place.acquired = None
            place.acquired_resources.clear()


class Place:
    def __init__(self) -> None:
        self.acquired: str | None = None
        self.acquired_resources: list[tuple[str, ...]] = []
        self.matches: list[Any] = []

    def getmatch(self, _path: Any) -> bool:
        return True


def load(monkeypatch: Any) -> Any:
    """Return what the process is made of, imported anew, with labgrid and grpc played."""

    def request(**fields: Any) -> SimpleNamespace:
        return SimpleNamespace(**fields)

    aio = SimpleNamespace(AioRpcError=RpcError)
    messages = SimpleNamespace(AcquirePlaceRequest=request, ReleasePlaceRequest=request)
    modules: dict[str, dict[str, Any]] = {
        "grpc": {"aio": aio, "StatusCode": StatusCode},
        "labgrid": {},
        "labgrid.remote": {},
        "labgrid.remote.client": {"ClientSession": object, "Error": RuntimeError},
        "labgrid.remote.generated": {"labgrid_coordinator_pb2": messages},
    }
    for name, attributes in modules.items():
        module = ModuleType(name)
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
    for name in ("helper", "server", "session", "power", "holders", "limits", ""):
        monkeypatch.delitem(sys.modules, f"{_SIDE}.{name}".rstrip("."), raising=False)
    found = {name: importlib.import_module(f"{_SIDE}.{name}") for name in ("helper", "server", "holders", "limits")}
    return SimpleNamespace(
        Helper=found["helper"].Helper,
        PlaceRefused=found["helper"].PlaceRefused,
        Server=found["server"].Server,
        dead=found["holders"].dead,
        runs=found["holders"].runs,
        limits=found["limits"],
    )
