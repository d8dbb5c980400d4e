"""AT commands over a serial port: one command at a time, URCs to whoever listens, every line on the timeline."""

from harness.at.answer import LOST_BYTES, Answer, AtError, AtFormatError, StrayAnswer
from harness.at.asking import ask
from harness.at.listener import Listener, Urc, urc_in, urcs
from harness.at.port import AtPort
from harness.at.serial_link import PortDenied
from harness.at.settings import PortSettings
from harness.at.syntax import COMMAND_LIMIT, FramedUrc, Terminator

__all__ = [
    "COMMAND_LIMIT",
    "LOST_BYTES",
    "Answer",
    "AtError",
    "AtFormatError",
    "AtPort",
    "FramedUrc",
    "Listener",
    "PortDenied",
    "PortSettings",
    "StrayAnswer",
    "Terminator",
    "Urc",
    "ask",
    "urc_in",
    "urcs",
]
