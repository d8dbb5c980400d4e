"""What stand-ins can be told: the same models for boards.yaml, for command lines and for the stand-ins' processes."""

from harness.settings.base import Address, Name, Settings
from harness.settings.board import BoardSettings, Fault, FirmwareName, Model, NamedBoard, Terminator
from harness.settings.cloud import CertificateRefusal, CloseStyle, CloudSettings, Limits, OnViolation, PolicyRefresh
from harness.settings.command_line import WrongOption, add_options, settings_of
from harness.settings.process import ProcessCloud, ProcessSettings, UnreadableSettings, read_settings

__all__ = [
    "Address",
    "BoardSettings",
    "CertificateRefusal",
    "CloseStyle",
    "CloudSettings",
    "Fault",
    "FirmwareName",
    "Limits",
    "Model",
    "Name",
    "NamedBoard",
    "OnViolation",
    "PolicyRefresh",
    "ProcessCloud",
    "ProcessSettings",
    "Settings",
    "Terminator",
    "UnreadableSettings",
    "WrongOption",
    "add_options",
    "read_settings",
    "settings_of",
]
