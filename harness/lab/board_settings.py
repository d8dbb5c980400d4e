"""How to talk to a board of the boards file. A module of its own, because it imports all firmwares."""

from harness.at import PortSettings
from harness.firmware import port_settings
from harness.lab.config import BoardConfig


def settings_of(config: BoardConfig) -> PortSettings:
    """Return how to talk to a board by its boards file. If its firmware has to be found out, that is plain AT."""
    if config.firmware is None:
        return PortSettings(baudrate=config.baud, rtscts=config.flow_control)
    setup = config.cloud_library
    return port_settings(
        config.firmware,
        baudrate=config.baud,
        rtscts=config.flow_control,
        at_shell=None if setup is None else setup.through_shell,
    )
