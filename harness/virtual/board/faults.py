"""What can be wrong with a board or its network, one name each, as ``python -m harness.virtual --fault`` takes them.

Sources: "nRF91x1 AT Commands" reference (result codes; conditions of +CFUN=1; +CEREG status 3 and 90).
"""

from enum import StrEnum


class Fault(StrEnum):
    """One fault. A board can have several; they may come and go while it runs."""

    NO_SIM = "no-sim"  # SIM commands: CME 10; registration: +CEREG: 90
    DENIED = "denied"  # the network rejects the board: +CEREG: 3
    LOW_VOLTAGE = "low-voltage"  # power-off warning: +CFUN=1 fails, and what writes to the NVM answers CME 528
    NO_IMEI = "no-imei"  # +CGSN and +CFUN=1 fail
    STORE_FULL = "store-full"  # the credential store takes no byte more than it holds: CME 515
    CLOCK_UNKNOWN = "clock-unknown"  # the network does not tell the time: +CCLK? fails until +CCLK= sets it
