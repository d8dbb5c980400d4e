"""The settings of the stand-ins: the same models for boards.yaml, for command lines and for their processes."""

from harness.settings.board import (
    DEFAULT_FIRMWARE,
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
    NRF_CLOUD_JITP,
    NRF_CLOUD_MQTT,
    PROVISIONING_SERVICE,
    BrokerBehaviour,
    CertificateRefusal,
    CloseStyle,
    CloudSettings,
    Limits,
    PolicyRefresh,
    TlsVersion,
)
from harness.settings.command_line import WrongOption, add_options, settings_of
from harness.settings.model import Address, Name, Settings
from harness.settings.process import ProcessCloud, ProcessSettings, UnreadableSettings

__all__ = [
    "DEFAULT_FIRMWARE",
    "NRF_CLOUD_JITP",
    "NRF_CLOUD_MQTT",
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
    "PolicyRefresh",
    "ProcessCloud",
    "ProcessSettings",
    "Release",
    "Sample",
    "Settings",
    "ShellName",
    "TerminatorName",
    "TlsVersion",
    "UnreadableSettings",
    "WrongOption",
    "add_options",
    "settings_of",
]
