"""How to talk to a board of the boards file, apart from harness.lab's other names: all firmwares come along."""

from harness.at import PortSettings
from harness.firmware import port_settings
from harness.lab.config import BoardConfig


def settings_of(config: BoardConfig, firmware: str | None = None) -> PortSettings:
    """Return how to talk to a board. ``firmware``: what it runs, None: as the boards file says, if it does."""
    name = firmware or config.firmware
    if name is None:
        return PortSettings(baudrate=config.baud, rtscts=config.flow_control)
    setup = config.cloud_library
    return port_settings(
        name,
        baudrate=config.baud,
        rtscts=config.flow_control,
        at_shell=None if setup is None else setup.through_shell,
    )
