"""The virtual Serial LTE Modem (SLM) of nRF Connect SDK 3.1: the predecessor of Serial Modem, without I/O."""

from harness.virtual.board.slm.server import SerialLteModem

__all__ = ["SerialLteModem"]
