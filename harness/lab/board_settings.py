"""How to talk to a board of the boards file, apart from harness.lab's other names: all firmwares come along."""

from harness.at import PortSettings
from harness.firmware import port_settings
from harness.lab.config import BoardConfig


def settings_of(config: BoardConfig) -> PortSettings:
    """Return how to talk to a board, as the boards file says it: plainly, where the firmware is to be found out."""
    if config.firmware is None:
        return PortSettings(baudrate=config.baud, rtscts=config.flow_control)
    setup = config.cloud_library
    return port_settings(
        config.firmware,
        baudrate=config.baud,
        rtscts=config.flow_control,
        at_shell=None if setup is None else setup.through_shell,
    )
