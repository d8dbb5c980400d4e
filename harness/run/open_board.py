"""A board that answers: its port, modem and firmware."""

from dataclasses import dataclass

from harness.at import AtPort
from harness.at.serial_link import server_says
from harness.errors import BoardLost, PortBusy
from harness.firmware import Firmware, MqttDriver, open_firmware, port_settings, synchronise, to_known_state
from harness.lab import BoardConfig
from harness.modem import Identity, Modem
from harness.timeline import Timeline


@dataclass(frozen=True, slots=True)
class OpenBoard:
    """What is there once a board answers. ``found_mode``: the functional mode that it was in."""

    port: AtPort
    modem: Modem
    identity: Identity
    mqtt: MqttDriver
    found_mode: int

    @property
    def firmware(self) -> Firmware:
        """What the board runs, with what it can."""
        return self.mqtt.firmware


def open_board(config: BoardConfig, url: str, timeline: Timeline, *, patience: float = 0.0) -> OpenBoard:
    """Open the board's port, which is ``url``, and bring the board to a known state, whatever was left of it.

    ``patience``: seconds that the board may be busy with what an earlier user began. Raises LabError: no port, busy,
    silent, wrong firmware.

    ``config``: the board's entry. ``timeline``: where its lines go.
    """
    settings = port_settings(config.firmware, baudrate=config.baud, rtscts=config.flow_control)
    port = AtPort.open(url, name=config.name, timeline=timeline, settings=settings)
    try:
        synchronise(port, config.firmware, patience=patience)
        to_known_state(port, config.firmware)
        modem = Modem(port, sec_tags=config.all_sec_tags, at_shell=settings.at_shell, pin=config.pin())
        modem.prepare()
        found_mode = modem.functional_mode()
        return OpenBoard(port, modem, modem.identity(), open_firmware(port, config.firmware), found_mode)
    except BoardLost as error:
        port.close()
        if said := server_says(url):  # ser2net takes the connection, says so, and hangs up
            raise PortBusy(f"{config.name}: {url} is taken, the server there says {said!r}") from error
        raise
    except BaseException:
        port.close()
        raise
