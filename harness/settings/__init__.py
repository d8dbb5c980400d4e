"""The settings of the stand-ins: the same models for boards.yaml, for command lines and for their processes."""

from harness.settings.board import (
    DEFAULT_FIRMWARE,
    DEFAULT_SAMPLE,
    ONLY_WITH,
    BoardFault,
    BoardSettings,
    FirmwareName,
    Model,
    NamedBoard,
    Release,
    Sample,
    ShellName,
    TerminatorName,
)
from harness.settings.cloud import (
    PROVISIONING_SERVICE,
    BrokerBehaviour,
    CertificateRefusal,
    CloseStyle,
    CloudSettings,
    Limits,
    OnViolation,
    PolicyRefresh,
    Throttled,
)
from harness.settings.command_line import WrongOption, add_options, settings_of
from harness.settings.model import Address, Name, Settings
from harness.settings.process import ProcessCloud, ProcessSettings, UnreadableSettings

__all__ = [
    "DEFAULT_FIRMWARE",
    "DEFAULT_SAMPLE",
    "ONLY_WITH",
    "PROVISIONING_SERVICE",
    "Address",
    "BoardFault",
    "BoardSettings",
    "BrokerBehaviour",
    "CertificateRefusal",
    "CloseStyle",
    "CloudSettings",
    "FirmwareName",
    "Limits",
    "Model",
    "Name",
    "NamedBoard",
    "OnViolation",
    "PolicyRefresh",
    "ProcessCloud",
    "ProcessSettings",
    "Release",
    "Sample",
    "Settings",
    "ShellName",
    "TerminatorName",
    "Throttled",
    "UnreadableSettings",
    "WrongOption",
    "add_options",
    "settings_of",
]
