"""What socket commands need of the firmware around them."""

from collections.abc import Callable
from typing import Protocol


class SocketHost(Protocol):
    """The AT server: it writes to the host, and ends the command that runs."""

    @property
    def attached(self) -> bool:
        """Whether there is a data connection."""
        ...

    def write(self, data: bytes) -> None:
        """Write bytes of the running command's answer."""
        ...

    def finish(self, ok: bool) -> None:
        """End the running command, whose handler said that its answer comes later."""
        ...

    def enter_data_mode(
        self, send: Callable[[bytes], bool | None], *, stream: bool = False, count: int | None = None
    ) -> None:
        """Take what the host sends after this command's OK as payload.

        ``send``, ``stream``, ``count``: see DataMode.
        """
        ...

    def break_data_mode(self, error: int) -> None:
        """Tell a host in data mode that nobody takes its bytes any more: it has to leave. ``error``: the errno."""
        ...

    def urc(self, data: bytes) -> None:
        """Write an unsolicited result, given with its line ends, as soon as one may be written."""
        ...
