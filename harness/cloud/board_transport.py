"""Carries REST calls through a board in place of this computer's network."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

Exchange = Callable[[str, str, Mapping[str, str], bytes], tuple[int, bytes]]
"""Takes method, target (path and query), headers and body; returns status and body. Its errors are the call's."""

_OWN_HEADERS = frozenset({"host", "connection", "content-length", "accept-encoding"})


class BoardTransport(HTTPAdapter):
    """An adapter for a session of the package requests. ``exchange``: sends one request and waits for its reply."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self._exchange = exchange

    def send(self, request: requests.PreparedRequest, *_arguments: Any, **_options: Any) -> requests.Response:
        """Send a request. The host in its URL does not matter: the exchange knows how the board reaches the service."""
        body = request.body or b""
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OWN_HEADERS}
        status, content = self._exchange(
            request.method or "GET", request.path_url, headers, body.encode() if isinstance(body, str) else bytes(body)
        )
        reply = HTTPResponse(body=io.BytesIO(content), status=status, preload_content=False)
        return self.build_response(request, reply)
