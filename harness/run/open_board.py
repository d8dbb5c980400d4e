"""A board that answers: its port, modem and firmware."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from harness.at import AtPort, PortSettings
from harness.at.serial_link import server_says
from harness.errors import BoardLost, LabError, NoAnswer, PortBusy
from harness.firmware import (
    BY_NETWORK,
    FACTS,
    Firmware,
    MqttDriver,
    NothingKnown,
    OwnConnection,
    OwnSetup,
    WrongFirmware,
    find_firmware,
    kind_of,
    open_firmware,
    synchronise,
    to_known_state,
)
from harness.firmware.detection import PortState
from harness.lab import BoardConfig
from harness.lab.board_settings import settings_of
from harness.modem import Identity, Modem
from harness.settings import FirmwareName
from harness.timeline import Timeline


@dataclass(frozen=True, slots=True)
class OpenBoard:
    """What is there once a board answers. ``found_mode``: the functional mode that it was in.

    ``own``: the firmware's own connection to the cloud, None: it has none. ``kind``: the firmware's name in boards
    files.
    """

    port: AtPort
    modem: Modem
    identity: Identity
    mqtt: MqttDriver
    found_mode: int
    kind: FirmwareName
    own: OwnConnection | None = None

    @property
    def firmware(self) -> Firmware:
        """What the board runs, with what it can."""
        return self.mqtt.firmware


@dataclass(frozen=True, slots=True)
class Known:
    """What a board was found to run, and how it was talked to, when it was opened before."""

    kind: FirmwareName
    settings: PortSettings


def open_board(
    config: BoardConfig,
    url: str,
    timeline: Timeline,
    *,
    patience: float = 0.0,
    press: Callable[[], None] | None = None,
    known: Known | None = None,
) -> OpenBoard:
    """Open the board's port, which is ``url``, and bring the board to a known state, whatever was left of it.

    ``patience``: seconds that the board may be busy with what an earlier user began. Raises LabError: no port, busy,
    silent, wrong firmware.

    ``config``: the board's entry. ``timeline``: where its lines go. ``press``: presses the board's button. ``known``:
    of a board that was open before.
    """
    settings = settings_of(config) if known is None else known.settings
    port = AtPort.open(url, name=config.name, timeline=timeline, settings=settings)
    try:
        return _opened(port, config, patience, press, known)
    except BoardLost as error:
        port.close()
        if said := server_says(url):  # ser2net takes the connection, says so, and hangs up
            raise PortBusy(f"{config.name}: {url} is taken, the server there says {said!r}") from error
        raise
    except BaseException:
        port.close()
        raise


def _opened(
    port: AtPort, config: BoardConfig, patience: float, press: Callable[[], None] | None, known: Known | None
) -> OpenBoard:
    kind = _synchronised(port, config, patience, known)
    to_known_state(port, kind)
    modem = Modem(port, sec_tags=config.all_sec_tags, at_shell=port.settings.at_shell, pin=config.pin())
    modem.prepare()
    found_mode = modem.functional_mode()
    identity = modem.identity()
    setup = _own_setup(config, press) or kind_of(kind).own
    try:
        mqtt = open_firmware(port, kind, setup=setup)
    except WrongFirmware as wrong:
        raise _named(port, kind, wrong) from wrong
    own = None
    if setup is not None and mqtt.firmware.connects_itself:
        own = OwnConnection(port, setup, switch_on=modem.switch_on)
    return OpenBoard(port, modem, identity, mqtt, found_mode, kind, own)


def _synchronised(port: AtPort, config: BoardConfig, patience: float, known: Known | None) -> FirmwareName:
    """Have the port in step, and return what the board runs. Raises LabError.

    Where the boards file leaves that open, a board that was found out before is not found out anew: in the midst of
    its messages an answer comes late, and would be taken for the answer to another question.
    """
    kind = config.firmware or (known.kind if known else None)
    if kind is None:
        kind = find_firmware(port, patience=patience).kind
    try:
        synchronise(port, kind, patience=patience)
    except WrongFirmware as wrong:
        if config.firmware is not None:
            raise _named(port, kind, wrong) from wrong
    except NoAnswer as silence:
        if config.firmware is not None:
            raise _named(port, kind, silence) from silence
        try:
            return find_firmware(port).kind
        except NothingKnown as nothing:
            if nothing.state is not PortState.SILENT:
                raise  # it says what the board does instead of answering, and what to do about it
            raise silence from None
        except NoAnswer:
            raise silence from None
    else:
        return kind
    return find_firmware(port).kind


def _named(port: AtPort, kind: str, wrong: LabError) -> LabError:
    """Return the error that names what is there in place of ``kind``, or what the board does instead of answering.

    ``wrong``: how it showed; it stays the error where no more can be said.
    """
    try:
        found = find_firmware(port)
    except NothingKnown as nothing:
        return nothing if isinstance(wrong, NoAnswer) and nothing.state is not PortState.SILENT else wrong
    except LabError:
        return wrong
    if found.kind == kind:
        return wrong
    return WrongFirmware(
        f"{port.name}: expected {kind_of(kind).product}, the board runs {found}: correct 'firmware' in the boards file,"
        " or flash it"
    )


def _own_setup(config: BoardConfig, press: Callable[[], None] | None) -> OwnSetup | None:
    said = config.cloud_library
    if said is None:
        return None
    facts = FACTS[said.sample]
    facts = replace(facts, at_shell=said.through_shell, topic=said.topic or facts.topic)
    return OwnSetup(
        what=str(said.sample),
        facts=facts,
        publish=said.publish or facts.publish,
        reconnect=said.reconnect or BY_NETWORK,
        press=press,
    )
