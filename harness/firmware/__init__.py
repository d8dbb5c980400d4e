"""What the application core adds to the modem: its capabilities, what its lines say of MQTT, and its commands."""

from harness.firmware.bridge import AtSocket, BridgeListener, Pump, Through
from harness.firmware.bridge.listener import carry
from harness.firmware.cloud_library.facts import FACTS
from harness.firmware.console import Console
from harness.firmware.detect import (
    WrongFirmware,
    open_firmware,
    port_settings,
    reset_blindly,
    set_up,
    synchronise,
    to_known_state,
)
from harness.firmware.find_firmware import FoundFirmware, NothingKnown, find_firmware
from harness.firmware.interface import Capability, Firmware, Login, MqttDriver, NoSession, StillConnected, Will
from harness.firmware.mqtt_event import MqttEvent, MqttEventKind, mqtt_events, watching
from harness.firmware.own_connection import BY_NETWORK, OwnConnection, OwnSetup
from harness.firmware.registry import FIRMWARES, WORDS, kind_of, restart
from harness.firmware.shell import modem_shell
from harness.firmware.shell.provisioning_client import fetch_commands

__all__ = [
    "BY_NETWORK",
    "FACTS",
    "FIRMWARES",
    "WORDS",
    "AtSocket",
    "BridgeListener",
    "Capability",
    "Console",
    "Firmware",
    "FoundFirmware",
    "Login",
    "MqttDriver",
    "MqttEvent",
    "MqttEventKind",
    "NoSession",
    "NothingKnown",
    "OwnConnection",
    "OwnSetup",
    "Pump",
    "StillConnected",
    "Through",
    "Will",
    "WrongFirmware",
    "carry",
    "fetch_commands",
    "find_firmware",
    "kind_of",
    "modem_shell",
    "mqtt_events",
    "open_firmware",
    "port_settings",
    "reset_blindly",
    "restart",
    "set_up",
    "synchronise",
    "to_known_state",
    "watching",
]
