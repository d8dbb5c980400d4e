"""What the application core adds to the modem: MQTT, driven by commands or read from logs, one interface for all."""

from harness.firmware.at_client import AtClient
from harness.firmware.detect import (
    AT_CLIENT,
    FIRMWARES,
    SERIAL_MODEM,
    SHELL,
    WrongFirmware,
    framed_urcs,
    open_firmware,
    port_settings,
    synchronise,
)
from harness.firmware.interface import Login, MqttEvent, MqttEventKind, MqttFirmware, NoSession
from harness.firmware.serial_modem import SerialModem
from harness.firmware.shell import Shell
from harness.firmware.without_mqtt import WithoutMqtt

__all__ = [
    "AT_CLIENT",
    "FIRMWARES",
    "SERIAL_MODEM",
    "SHELL",
    "AtClient",
    "Login",
    "MqttEvent",
    "MqttEventKind",
    "MqttFirmware",
    "NoSession",
    "SerialModem",
    "Shell",
    "WithoutMqtt",
    "WrongFirmware",
    "framed_urcs",
    "open_firmware",
    "port_settings",
    "synchronise",
]
