"""The virtual Serial LTE Modem (SLM) of nRF Connect SDK 3.1 and 2.6: the predecessor of Serial Modem, without I/O."""

from harness.virtual.board.slm.server import OlderSerialLteModem, SerialLteModem

__all__ = ["OlderSerialLteModem", "SerialLteModem"]
