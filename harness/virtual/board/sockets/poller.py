"""#XAPOLL: which changes of a socket are told, and which were told already. No I/O.

Source: Serial Modem documentation, "Asynchronous polling #XAPOLL": POLLIN is told once until the next receive,
POLLOUT once until the next send; POLLERR, POLLHUP and POLLNVAL are told unasked, once. So a peer's end reads 17 where
POLLIN was asked for and not told yet, and 16 where it was not asked for.

UNCONFIRMED: 16 too where POLLIN was told before.
"""

from dataclasses import dataclass, field

from harness.virtual.board.sockets.modem_socket import ALWAYS, ModemSocket, Poll


@dataclass
class _Watch:
    events: Poll
    told: Poll = field(default=Poll(0))


class Poller:
    """What is polled on which socket, by handle."""

    def __init__(self) -> None:
        self._watches: dict[int, _Watch] = {}

    def start(self, handle: int, events: Poll) -> None:
        """Poll a socket; what was told before is told again."""
        self._watches[handle] = _Watch(events)

    def stop(self, handle: int) -> None:
        """Poll a socket no longer."""
        self._watches.pop(handle, None)

    def events(self, handle: int) -> Poll | None:
        """Return what is asked for on a socket; None: it is not polled."""
        watch = self._watches.get(handle)
        return None if watch is None else watch.events

    def again(self, handle: int, event: Poll) -> None:
        """Tell ``event`` anew when it is true: the host has received, or sent."""
        if handle in self._watches:
            self._watches[handle].told &= ~event

    def look(self, socket: ModemSocket) -> Poll:
        """Return the bits that are to be told now; they count as told."""
        watch = self._watches.get(socket.handle)
        if watch is None:
            return Poll(0)
        news = socket.state() & (watch.events | ALWAYS) & ~watch.told
        watch.told |= news
        return news

    def told(self, handle: int) -> Poll:
        """Return what was told of a socket."""
        watch = self._watches.get(handle)
        return Poll(0) if watch is None else watch.told
