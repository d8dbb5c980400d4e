"""What the board's core asks for: bytes to the host, timers, and work on the network. The core itself does no I/O."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Send:
    """Bytes to the host."""

    data: bytes


@dataclass(frozen=True)
class Timer:
    """Call ``core.timer(token)`` after ``seconds``: of simulated time, or of real time when ``real``."""

    token: int
    seconds: float
    real: bool = False


@dataclass(frozen=True)
class CancelTimer:
    """The timer with this token is not wanted any more."""

    token: int


@dataclass(frozen=True)
class Tls:
    """How a TLS connection is verified.

    ``peer_name``: whom the certificate must name, also told to the peer (SNI); None: the host that is connected to;
    empty: nobody. ``verify``: the peer's certificate must be trusted.
    """

    peer_name: str | None = None
    verify: bool = True


@dataclass(frozen=True)
class OpenLink:
    """Open TCP, and TLS with the credentials of ``sec_tag`` if given. ``link``: number of the link.

    Ends in one :class:`LinkOpened` or :class:`LinkFailed`, unless :class:`CloseLink` comes first.
    """

    host: str
    port: int
    sec_tag: int | None
    link: int = 0
    tls: Tls = Tls()


@dataclass(frozen=True)
class LinkSend:
    """Bytes to the peer of the open link."""

    data: bytes
    link: int = 0


@dataclass(frozen=True)
class CloseLink:
    """Close the link, or give up opening it. No event follows. ``abrupt``: without TLS close_notify."""

    abrupt: bool = False
    link: int = 0


@dataclass(frozen=True)
class PauseLink:
    """Take no more bytes from the peer for now, or go on. ``paused``: which of both."""

    paused: bool
    link: int


@dataclass(frozen=True)
class SetBaud:
    """The host changed the UART's rate."""

    rate: int


@dataclass(frozen=True)
class HoldLink:
    """Let nothing pass on any link, either way, until it is held no more: the radio is out of coverage."""

    held: bool


Output = Send | Timer | CancelTimer | OpenLink | LinkSend | CloseLink | PauseLink | SetBaud | HoldLink


@dataclass(frozen=True)
class LinkOpened:
    """TCP and TLS are up."""

    link: int = 0


@dataclass(frozen=True)
class LinkFailed:
    """Name, TCP or TLS failed; ``reason`` is for people, the device cannot tell."""

    reason: str
    link: int = 0


@dataclass(frozen=True)
class LinkData:
    """Bytes from the peer. ``hangup``: the peer had already closed when they were read."""

    data: bytes
    hangup: bool = False
    link: int = 0


@dataclass(frozen=True)
class LinkClosed:
    """The peer closed (``reset`` False: FIN or TLS close_notify) or broke (True: RST) the connection."""

    reset: bool = False
    link: int = 0


LinkEvent = LinkOpened | LinkFailed | LinkData | LinkClosed


@dataclass
class Outbox:
    """Collects outputs until the owner takes them; keeps the function of each timer token."""

    _outputs: list[Output] = field(default_factory=list)
    _timers: dict[int, Callable[[], None]] = field(default_factory=dict)
    _token: int = 0

    def emit(self, output: Output) -> None:
        """Append one output. Neighbouring :class:`Send` are joined."""
        if isinstance(output, Send) and self._outputs and isinstance(last := self._outputs[-1], Send):
            self._outputs[-1] = Send(last.data + output.data)
        else:
            self._outputs.append(output)

    def after(self, seconds: float, then: Callable[[], None], *, real: bool = False) -> int:
        """Ask for ``then()`` after ``seconds``; return a token for :meth:`cancel`. ``real``: see :class:`Timer`."""
        self._token += 1
        self._timers[self._token] = then
        self.emit(Timer(self._token, seconds, real))
        return self._token

    def cancel(self, token: int | None) -> None:
        """Forget a timer. Nothing happens for one that has fired, or for None."""
        if token is not None and self._timers.pop(token, None) is not None:
            self.emit(CancelTimer(token))

    def cancel_all(self) -> None:
        """Forget every timer: the board was reset."""
        for token in tuple(self._timers):
            self.cancel(token)

    def fire(self, token: int) -> None:
        """Call the timer's function, unless it was cancelled."""
        then = self._timers.pop(token, None)
        if then is not None:
            then()

    def take(self) -> list[Output]:
        """Return what was collected, oldest first, and start anew."""
        taken, self._outputs = self._outputs, []
        return taken
