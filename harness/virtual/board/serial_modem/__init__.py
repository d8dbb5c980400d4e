"""The virtual application firmware: Serial Modem around the modem core, without I/O."""

from harness.virtual.board.serial_modem.server import SerialModem

__all__ = ["SerialModem"]
