"""Makes pyserial list the ports that LISTED_PORTS names (separated by ":"), as if they were USB kits.

nrfcredstore opens only what pyserial lists, and a pseudo-terminal is not listed. Put on PYTHONPATH, this file is
imported by the program's interpreter before the program, which itself stays as its makers ship it.
"""

import os

from serial.tools import list_ports, list_ports_common

_FIRST_SERIAL_NUMBER = 1051200000  # nRF9151 DK


def _listed(number, device):
    port = list_ports_common.ListPortInfo(device)
    port.vid, port.pid, port.product = 0x1366, 0x1059, "J-Link"
    port.serial_number = f"{_FIRST_SERIAL_NUMBER + number:012}"
    port.hwid = f"USB VID:PID=1366:1059 SER={port.serial_number}"
    return port


def _comports(include_links=False):
    devices = os.environ.get("LISTED_PORTS", "").split(":")
    return [_listed(number, device) for number, device in enumerate(devices) if device]


list_ports.comports = _comports
