"""nRF Cloud's REST API as an OpenAPI document: who may call what, what is built here, and the form of answers.

Facts: the OpenAPI document of nRF Cloud (``GET /v1/openapi.json``, 2025), structure alone; ``openapi.json`` beside this
file holds it, with the media types of uploads as nRF Cloud Utils sends them.
"""

import json
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("openapi.json")
_API_KEY, _DEVICE_JWT, _SERVICE_TOKEN = "Simple Token", "JSON Web Token", "Service Evaluation Token"
_REFUSAL = {
    "description": "Refused",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}


@dataclass(frozen=True)
class Operation:
    """An operation. ``path``: below ``/v1``, as the router writes it. ``name``: the document's operationId."""

    method: str
    path: str
    name: str
    by_team: bool
    by_device: bool
    by_service: bool

    @property
    def open(self) -> bool:
        """Whether it can be called without credentials."""
        return not (self.by_team or self.by_device or self.by_service)


@cache
def operations() -> dict[tuple[str, str], Operation]:
    """Return every operation of the document by method and path."""
    found = (_read(path, method, content) for path, methods in _document()["paths"].items()
             for method, content in methods.items())  # fmt: skip
    return {(operation.method, operation.path): operation for operation in found}


def serve(built: Container[tuple[str, str]]) -> dict[str, Any]:
    """Return the document to serve: with refusals described, and with answer 501 for operations that are not ``built``.

    ``x-simulated`` is the stand-in's own mark.
    """
    document = json.loads(_FILE.read_text())
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            simulated = (method.upper(), path) in built
            operation["x-simulated"] = simulated
            operation["responses"] |= {"4XX": _REFUSAL} if simulated else {"501": _REFUSAL}
    result: dict[str, Any] = document
    return result


def not_built(built: Container[tuple[str, str]]) -> Iterator[Operation]:
    """Yield the operations that are not ``built``."""
    return (operation for key, operation in operations().items() if key not in built)


def _read(path: str, method: str, content: dict[str, Any]) -> Operation:
    ways = {name for way in content["security"] for name in way}
    if path.startswith("/location/history"):  # without security in the document (UNCONFIRMED)
        ways = {_API_KEY}
    return Operation(
        method.upper(),
        path,
        content["operationId"],
        by_team=_API_KEY in ways,
        by_device=_DEVICE_JWT in ways,
        by_service=_SERVICE_TOKEN in ways,
    )


@cache
def _document() -> Any:
    return json.loads(_FILE.read_text())
