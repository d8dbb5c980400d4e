"""What a modem tells by itself of the radio network, once it was asked to. Source: nRF91x1 AT Commands reference."""

from typing import Final

from harness.at import AtError, AtPort
from harness.timeline import Kind

REGISTRATION: Final = "+CEREG=5"
_OTHERS: Final = ("+CSCON=1", "+CGEREP=1", "%MDMEV=1")


def listen_to_network(port: AtPort) -> None:
    """Have the modem tell of registration, signalling connection, PDN connection and of itself.

    After every start of the modem: a reset forgets it. Raises AtError where it does not tell of its registration. A
    modem that lacks one of the others is none the worse; the timeline says so.
    """
    port.command(f"AT{REGISTRATION}")
    for text in _OTHERS:
        try:
            port.command(f"AT{text}")
        except AtError as error:
            port.timeline.add(Kind.STEP, port.name, f"this modem does not notify by AT{text}: {error}")
