"""What the application core adds to the modem: MQTT, driven by commands or read from logs, one interface for all."""

from harness.firmware.detect import SERIAL_MODEM, WrongFirmware, framed_urcs, open_firmware
from harness.firmware.interface import Happening, Login, MqttEvent, MqttFirmware, NoSession

__all__ = [
    "SERIAL_MODEM",
    "Happening",
    "Login",
    "MqttEvent",
    "MqttFirmware",
    "NoSession",
    "WrongFirmware",
    "framed_urcs",
    "open_firmware",
]
