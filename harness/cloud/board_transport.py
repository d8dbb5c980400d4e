"""Carries REST calls by something else than this computer's network: a board."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

Exchange = Callable[[str, str, Mapping[str, str], bytes], tuple[int, bytes]]
"""From method, target (path and query), headers and body to status and body. What it raises is raised by the call."""

_OWN_HEADERS = frozenset({"host", "connection", "content-length", "accept-encoding"})


class BoardTransport(HTTPAdapter):
    """An adapter for sessions of requests. ``exchange``: sends one request and waits for its reply."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self._exchange = exchange

    def send(self, request: requests.PreparedRequest, *_arguments: Any, **_options: Any) -> requests.Response:
        """Send a request, whatever host its URL names: the exchange knows where the board reaches the service."""
        body = request.body or b""
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OWN_HEADERS}
        status, content = self._exchange(
            request.method or "GET", request.path_url, headers, body.encode() if isinstance(body, str) else bytes(body)
        )
        reply = HTTPResponse(body=io.BytesIO(content), status=status, preload_content=False)
        return self.build_response(request, reply)
