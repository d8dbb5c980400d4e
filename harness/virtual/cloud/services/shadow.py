"""A classic device shadow as pure functions: bytes of a request in, the new shadow and the answers out.

Facts: AWS IoT Core Developer Guide, "Device Shadow service documents", "Device Shadow MQTT topics" and "Device Shadow
error messages", with their quotas. Updates are merged as in JSON Merge Patch (RFC 7396): objects merge, null removes.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.virtual.cloud.services.json_tree import contains_null_in_list, depth, difference, merge, stamp

MAX_DOCUMENT_BYTES = 8192
MAX_DEPTH = 8
MAX_TOKEN_BYTES = 64
_SECTIONS = ("desired", "reported")

Tree = dict[str, Any]


class ShadowRejected(Exception):
    """The request is refused. ``code`` (like HTTP's), ``message``, ``client_token``: of the ``rejected`` document."""

    def __init__(self, code: int, message: str, client_token: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.client_token = client_token

    def document(self, now: int) -> Tree:
        """Return the ``rejected`` document. ``now``: seconds since 1970."""
        return _with_token({"code": self.code, "message": self.message, "timestamp": now}, self.client_token)


@dataclass(frozen=True)
class Shadow:
    """A shadow. ``state``, ``metadata``: trees by section ("desired", "reported"); empty sections are absent.

    ``state`` None: there is no shadow. The version stays, because a new shadow goes on counting from it.
    """

    version: int = 0
    state: Tree | None = None
    metadata: Tree = field(default_factory=dict)

    def delta(self) -> Tree:
        """Return the desired members that are not reported, or are reported different."""
        state = self.state or {}
        return difference(state.get("desired", {}), state.get("reported", {}))


@dataclass(frozen=True)
class ShadowRequest:
    """A well-formed request. ``state``: changes by section, or None to remove the section."""

    state: Tree = field(default_factory=dict)
    version: int | None = None
    client_token: str | None = None


@dataclass(frozen=True)
class Updated:
    """An accepted update: the new shadow, and the documents to publish. ``delta`` None: nothing differs."""

    shadow: Shadow
    accepted: Tree
    documents: Tree
    delta: Tree | None


def parse_update(payload: bytes) -> ShadowRequest:
    """Return the request in the payload of ``…/shadow/update``. Raises :class:`ShadowRejected` 400 or 413."""
    document, token = _parse(payload)
    if "state" not in document:
        raise ShadowRejected(400, "Missing required node: state", token)
    state = document["state"]
    if state is None:
        state = dict.fromkeys(_SECTIONS)
    if not isinstance(state, dict):
        raise ShadowRejected(400, "State node must be an object", token)
    for section, content in state.items():
        if section not in _SECTIONS:
            raise ShadowRejected(400, "State contains an invalid node", token)
        if content is not None and not isinstance(content, dict):
            raise ShadowRejected(400, f"{section.capitalize()} node must be an object", token)
        if contains_null_in_list(content):
            raise ShadowRejected(400, "State contains an invalid node", token)
    return ShadowRequest(state, _version(document, token), token)


def parse_plain(payload: bytes) -> ShadowRequest:
    """Return the request in the payload of ``…/shadow/get`` or ``…/shadow/delete``, which may be empty."""
    if not payload:
        return ShadowRequest()
    document, token = _parse(payload)
    return ShadowRequest(version=_version(document, token), client_token=token)


def update(shadow: Shadow, request: ShadowRequest, now: int) -> Updated:
    """Apply an update. Raises :class:`ShadowRejected` 409 or 413.

    ``shadow``: before the update. ``request``: the change, and the version that it is meant for. ``now``: seconds since
    1970.
    """
    # The first update may have a version too: that of a shadow that does not exist yet is 0.
    if request.version is not None and request.version != shadow.version:
        raise ShadowRejected(409, "Version conflict", request.client_token)
    state, metadata = dict(shadow.state or {}), dict(shadow.metadata)
    for section, change in request.state.items():
        merged, stamps = merge(state.get(section, {}), metadata.get(section, {}), change or {}, now)
        if change is None or not merged:
            state.pop(section, None)
            metadata.pop(section, None)
        else:
            state[section], metadata[section] = merged, stamps
    if len(_dump(state)) > MAX_DOCUMENT_BYTES:
        raise ShadowRejected(413, "The payload exceeds the maximum size allowed", request.client_token)
    new = Shadow(shadow.version + 1, state, metadata)
    tail = {"version": new.version, "timestamp": now}
    accepted = {"state": request.state, "metadata": stamp(request.state, now), **tail}
    documents = {"previous": _snapshot(shadow), "current": _snapshot(new), "timestamp": now}
    delta = new.delta()
    return Updated(
        new,
        _with_token(accepted, request.client_token),
        _with_token(documents, request.client_token),
        _with_token({"state": delta, "metadata": stamp(delta, now), **tail}, request.client_token) if delta else None,
    )


def get(shadow: Shadow, request: ShadowRequest, now: int) -> Tree:
    """Return the document of ``get/accepted``. Raises :class:`ShadowRejected` 404 if there is no shadow.

    ``shadow``: the present one. ``request``: its token is in the answer. ``now``: seconds since 1970.
    """
    state = _existing(shadow, request)
    delta = shadow.delta()
    if delta:
        state = {**state, "delta": delta}
    document = {"state": state, "metadata": shadow.metadata, "version": shadow.version, "timestamp": now}
    return _with_token(document, request.client_token)


def delete(shadow: Shadow, request: ShadowRequest, now: int) -> tuple[Shadow, Tree]:
    """Remove the shadow; return what remains, its version, and the document of ``delete/accepted``.

    ``shadow``: the present one. ``request``: with the version that it is meant for. ``now``: seconds since 1970.
    """
    _existing(shadow, request)
    if request.version is not None and request.version != shadow.version:
        raise ShadowRejected(409, "Version conflict", request.client_token)
    return Shadow(shadow.version), _with_token({"version": shadow.version, "timestamp": now}, request.client_token)


def _existing(shadow: Shadow, request: ShadowRequest) -> Tree:
    if shadow.state is None:
        raise ShadowRejected(404, "No shadow exists", request.client_token)
    return shadow.state


def _parse(payload: bytes) -> tuple[Tree, str | None]:
    if len(payload) > MAX_DOCUMENT_BYTES:
        raise ShadowRejected(413, "The payload exceeds the maximum size allowed")
    try:
        document = json.loads(payload, parse_constant=_refuse_constant, parse_float=_finite)
        nested = depth(document)
    except ValueError as error:
        raise ShadowRejected(400, "Invalid JSON") from error
    except RecursionError:
        nested = len(payload)
    if nested > MAX_DEPTH + 2:  # the document and its "state" add two levels
        raise ShadowRejected(400, f"JSON contains too many levels of nesting; maximum is {MAX_DEPTH}")
    if not isinstance(document, dict):
        raise ShadowRejected(400, "Invalid JSON")
    token = document.get("clientToken")
    if token is not None and (not isinstance(token, str) or len(token.encode(errors="replace")) > MAX_TOKEN_BYTES):
        raise ShadowRejected(400, "Invalid clientToken")
    return document, token


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):  # published, it would be Infinity, which is not JSON
        raise ValueError(f"{text} is out of range")
    return number


def _version(document: Mapping[str, Any], token: str | None) -> int | None:
    version = document.get("version")
    if version is not None and (not isinstance(version, int) or isinstance(version, bool)):
        raise ShadowRejected(400, "Invalid version", token)
    return version


def _snapshot(shadow: Shadow) -> Tree:
    return {"state": shadow.state or {}, "metadata": shadow.metadata, "version": shadow.version}


def _with_token(document: Tree, token: str | None) -> Tree:
    return document if token is None else {**document, "clientToken": token}


def _dump(tree: Tree) -> bytes:
    return json.dumps(tree, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogatepass")
