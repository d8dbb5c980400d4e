"""One HTTP request through a board, and its reply: the same for every firmware."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.at import AtPort
from harness.errors import LabError


class NoReply(LabError):
    """The server, or the board, gave no reply that can be read."""


@dataclass(frozen=True, slots=True)
class HttpServer:
    """Where requests go. ``sec_tag``: whose root CA the server's certificate is verified with."""

    host: str
    port: int
    sec_tag: int


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """``target``: path and query. ``headers``: without Host and Content-Length. A body has a Content-Type."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class HttpReply:
    """Status and body of a reply."""

    status: int
    body: bytes = field(default=b"", repr=False)


class BoardHttp(ABC):
    """HTTPS requests from one board, each on a connection of its own."""

    def __init__(self, port: AtPort) -> None:
        self.port = port

    @abstractmethod
    def exchange(self, server: HttpServer, request: HttpRequest, *, timeout: float = 60.0) -> HttpReply:
        """Send ``request`` to ``server`` and return the reply.

        ``timeout``: seconds to connect, and again for the reply. Raises NoSession (no TLS), NoReply, LabError.
        """
