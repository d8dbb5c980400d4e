"""Notices that the radio network went away while a trial ran. Needs AT+CEREG=5, as ``Modem.register`` sets it.

Source: nRF91x1 AT Commands reference, +CEREG and +CGEV; 3GPP TS 27.007 for the meaning of the status numbers.
"""

from collections.abc import Iterable
from typing import Final

from harness.at import AtPort, urcs
from harness.modem import Registration
from harness.timeline import Event

_NOTICES: Final = ("+CEREG", "+CGEV")
_PDN_GONE: Final = ("NW DETACH", "ME DETACH", "NW PDN DEACT", "ME PDN DEACT")


def network_loss(events: Iterable[Event], port: str) -> str | None:
    """Return the first line of ``port`` among ``events`` that shows the loss of the network or of the PDN connection.

    None where there is none.
    """
    return next((urc.text for urc in urcs(events, port, _NOTICES) if _is_loss(urc.name, urc.args)), None)


class NetworkWatch:
    """Looks for a loss from its making on: :func:`network_loss` with a mark."""

    def __init__(self, port: AtPort) -> None:
        self._port = port
        self._mark = port.timeline.mark()

    def loss(self) -> str | None:
        """Return the first line that shows the loss of the network or of the PDN connection so far, or None."""
        return network_loss(self._port.timeline.since(self._mark), self._port.name)

    def __enter__(self) -> "NetworkWatch":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""


def _is_loss(name: str, args: str) -> bool:
    if name == "+CGEV":
        return args.startswith(_PDN_GONE)
    return not Registration.from_urc(args).registered
