"""Where host names lead inside the simulated radio network: a table instead of DNS."""

from collections.abc import Mapping


class Network:
    """Maps what a board connects to, e.g. ``("mqtt.nrfcloud.com", 8883)``, to a listener on this computer.

    A name that is not in the table does not resolve. Nothing ever leaves the table: a virtual board cannot reach
    the real nRF Cloud by accident.
    """

    def __init__(self, routes: Mapping[tuple[str, int], tuple[str, int]] | None = None) -> None:
        self._routes: dict[tuple[str, int], tuple[str, int]] = {}
        for (host, port), target in (routes or {}).items():
            self.route(host, port, target)

    def route(self, host: str, port: int, target: tuple[str, int]) -> None:
        """Make ``port`` of ``host``, in small or capital letters, lead to ``target`` (address, port) from now on."""
        self._routes[host.lower(), port] = target

    def unroute(self, host: str, port: int) -> bool:
        """Make ``host:port`` fail from now on. False: it did already."""
        return self._routes.pop((host.lower(), port), None) is not None

    def resolve(self, host: str, port: int) -> tuple[str, int] | None:
        """Return (address, port), or None: the name does not resolve."""
        return self._routes.get((host.lower(), port))
