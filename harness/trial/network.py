"""Notices that the radio network went away while a trial ran. Needs AT+CEREG=5, as ``Modem.register`` sets it.

Source: nRF91x1 AT Commands reference, +CEREG and +CGEV; 3GPP TS 27.007 for the meaning of the status numbers.
"""

from types import TracebackType

from harness.at import AtPort
from harness.modem import Registration

_PDN_GONE = ("NW DETACH", "ME DETACH", "NW PDN DEACT", "ME PDN DEACT")


class NetworkWatch:
    """Collects +CEREG and +CGEV notifications for the length of a ``with`` block."""

    def __init__(self, port: AtPort) -> None:
        self._listener = port.listen("+CEREG", "+CGEV")
        self._loss: str | None = None

    def loss(self) -> str | None:
        """Return the first line that shows the loss of the network or of the PDN connection so far, or None."""
        while (urc := self._listener.poll()) is not None:
            if self._loss is None and _is_loss(urc.name, urc.args):
                self._loss = urc.text
        return self._loss

    def __enter__(self) -> "NetworkWatch":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._listener.close()


def _is_loss(name: str, args: str) -> bool:
    if name == "+CGEV":
        return args.startswith(_PDN_GONE)
    return not Registration.from_urc(args).registered
