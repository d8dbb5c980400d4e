"""The chain that the device security page describes: POLLHUP, then CLOSED_BY_REMOTE, then the library's event. Pure.

Source: nRF Cloud, "nRF Cloud Security", Security Violations: "the device get[s] a POLLHUP, which results in
CLOUD_DISCONNECT_CLOSED_BY_REMOTE. This is followed by NRF_CLOUD_EVT_TRANSPORT_DISCONNECTED (if using the nRF Cloud
library), or CLOUD_EVT_DISCONNECTED (if using the Cloud API library)".

Which links are to be seen depends on the log level: in the nRF Cloud library POLLHUP is a debug line, and the socket
reads "connection closed" before it looks at POLLHUP, because the modem raises POLLIN with it. So each link has the
lines that *are* it, and those that stand for it; a link without either is not visible, which is said and not assumed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Link(StrEnum):
    """The links of the chain, in their order."""

    POLLHUP = "POLLHUP"
    CLOSED_BY_REMOTE = "CLOSED_BY_REMOTE"
    DISCONNECTED = "TRANSPORT_DISCONNECTED or CLOUD_EVT_DISCONNECTED"


_ITSELF: Final = {
    Link.POLLHUP: re.compile(r"POLLHUP|#XAPOLL: \d+,(?:16|17)\b|0x0011\b"),
    Link.CLOSED_BY_REMOTE: re.compile(
        r"CLOSED_BY_REMOTE|[Cc]onnection was closed by the cloud|Disconnected by the cloud"
        r"|_DISCONNECTED(?:, status)?: 1\b"
    ),
    Link.DISCONNECTED: re.compile(r"(?:TRANSPORT|CLOUD_EVT|CLOUD_WRAP_EVT)_DISCONNECTED"),
}
LAST: Final = _ITSELF[Link.DISCONNECTED]
"""What shows the last link: whoever wants the whole chain waits for it a little."""
# -128 is ENOTCONN of the device: recv() returned 0, the other side has closed. It is read in place of POLLHUP.
_STANDS_FOR: Final = {Link.POLLHUP: re.compile(r"MQTT input error: -128\b|mqtt_input -128\b|Connection closed\.")}


@dataclass(frozen=True, slots=True)
class Chain:
    """What was seen of the chain. ``seen``: the line of each link; ``stood_for``: of links shown by another line.

    ``order``: the links were seen in the page's order, as far as they were seen.
    """

    seen: dict[Link, str]
    stood_for: dict[Link, str]
    order: bool

    @property
    def missing(self) -> list[Link]:
        """Links that no line shows."""
        return [link for link in Link if link not in self.seen and link not in self.stood_for]

    def __str__(self) -> str:
        parts = [f"{link}: {self._one(link)}" for link in Link]
        return "; ".join(parts) + ("" if self.order else "; NOT in this order")

    def _one(self, link: Link) -> str:
        if link in self.seen:
            return repr(self.seen[link])
        if link in self.stood_for:
            return f"not visible at this log level, {self.stood_for[link]!r} stands for it"
        return "not visible at this log level"


def chain_in(lines: Iterable[str]) -> Chain:
    """Return what ``lines``, from the hang-up on, show of the chain: of each link its first line."""
    seen: dict[Link, tuple[int, str]] = {}
    stood_for: dict[Link, tuple[int, str]] = {}
    for number, line in enumerate(lines):
        for link, pattern in _ITSELF.items():
            if link not in seen and pattern.search(line):
                seen[link] = number, line
        for link, pattern in _STANDS_FOR.items():
            if link not in stood_for and pattern.search(line):
                stood_for[link] = number, line
    places = [(seen.get(link) or stood_for[link])[0] for link in Link if link in seen or link in stood_for]
    return Chain(
        {link: line for link, (_, line) in seen.items()},
        {link: line for link, (_, line) in stood_for.items() if link not in seen},
        places == sorted(places),
    )
