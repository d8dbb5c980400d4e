"""What a virtual board can be told. The names here are the only spelling of models, firmwares, terminators, faults."""

import uuid
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field

from harness.settings.imei import is_imei
from harness.settings.model import AS_TUPLE, BY_VALUE, Name, Option, Settings, matching


class Model(StrEnum):
    """Kind of board: chip and modem firmware, or a port without a board that answers."""

    NRF9160 = "nrf9160"
    NRF9160_1_2 = "nrf9160-1.2"
    NRF9161 = "nrf9161"
    NRF9151 = "nrf9151"
    MUTE = "mute"
    GARBAGE = "garbage"


class FirmwareName(StrEnum):
    """Application firmware, on real and virtual boards: it decides how commands and answers are wrapped."""

    SERIAL_MODEM = "serial-modem"
    RAW_SOCKETS = "raw-sockets"  # Serial Modem, used by its socket commands
    SLM = "slm"  # Serial LTE Modem, up to nRF Connect SDK 3.1
    SLM_SOCKETS = "slm-sockets"  # the same, used by its socket commands
    SLM_TCP_CLIENT = "slm-tcp-client"  # an older one, whose sockets tell nothing, used by its TCP client
    AT_CLIENT = "at-client"
    SHELL = "shell"
    CLOUD_LIBRARY = "cloud-library"  # connects to nRF Cloud by itself


DEFAULT_FIRMWARE: Final = FirmwareName.SERIAL_MODEM
"""What a board runs if nothing says otherwise."""


class Sample(StrEnum):
    """What firmware built on the cloud libraries is: sample or application, by its name in the SDK."""

    DEVICE_MESSAGE = "nrf_cloud_mqtt_device_message"
    MULTI_SERVICE = "nrf_cloud_multi_service"
    ASSET_TRACKER_2 = "asset_tracker_v2"
    CLOUD_CLIENT = "cloud_client"  # Cloud API, NCS 1.x
    ASSET_TRACKER = "asset_tracker"  # the first one: Cloud API, NCS 1.x
    ASSET_TRACKER_TEMPLATE = "asset_tracker_template"


DEFAULT_SAMPLE: Final = Sample.DEVICE_MESSAGE


class ShellName(StrEnum):
    """Which shell it is, by its prompt and commands."""

    MODEM_SHELL = "modem-shell"  # mosh:~$, with the command cloud
    AT_SHELL = "at-shell"  # uart:~$


class Release(StrEnum):
    """Which Serial Modem it is."""

    STABLE = "1.0"
    PREVIEW = "2.0-preview"  # preview1: URCs come 100 ms after the host's last byte, a message's header behind it
    MAIN = "2.0-main"  # the branch main: a message is one piece again, the HTTP client has a <format>


def _release(value: Any) -> Any:
    """Return ``1.0`` as text, which YAML takes for a number. Raises ValueError for half a name, such as ``2.0``."""
    said = str(value) if isinstance(value, float) else value
    values = [one.value for one in Release]
    if isinstance(said, str) and said and said not in values and any(one.startswith(said) for one in values):
        raise ValueError(f"must be one of {', '.join(values)}")
    return said


class TerminatorName(StrEnum):
    """What ends a command of at-client: a choice when that firmware is built."""

    CR = "cr"
    LF = "lf"
    CRLF = "crlf"
    NUL = "nul"


class BoardFault(StrEnum):
    """What can be wrong with a board or its network. A board can have several; they may come and go while it runs.

    Sources: "nRF91x1 AT Commands" reference (result codes; conditions of +CFUN=1; +CEREG status 3 and 90).
    """

    NO_SIM = "no-sim"  # SIM commands: CME 10; registration: +CEREG: 90
    DENIED = "denied"  # the network rejects the board: +CEREG: 3
    LOW_VOLTAGE = "low-voltage"  # power-off warning: +CFUN=1 fails, and what writes to the NVM answers CME 528
    NO_IMEI = "no-imei"  # +CGSN and +CFUN=1 fail
    STORE_FULL = "store-full"  # the credential store takes no byte more than it holds: CME 515
    STORAGE_ERROR = "storage-error"  # the credential store cannot be written: CME 23; %KEYGEN: CME 523
    CLOCK_UNKNOWN = "clock-unknown"  # the network does not tell the time: +CCLK? fails until +CCLK= sets it
    NO_ROOM_FOR_CA = "no-room-for-ca"  # %CMNG=0 of that entry answers CME 515, while %KEYGEN and the others pass
    NO_ROOM_FOR_CERTIFICATE = "no-room-for-certificate"
    NO_ROOM_FOR_KEY = "no-room-for-key"
    INTERLEAVED_MESSAGES = "interleaved-messages"  # a URC stands behind each #XMQTTMSG header, as older firmware has it


ONLY_WITH: Final[Mapping[str, frozenset[FirmwareName]]] = {
    "terminator": frozenset({FirmwareName.AT_CLIENT}),
    "release": frozenset({FirmwareName.SERIAL_MODEM, FirmwareName.RAW_SOCKETS}),
    "sample": frozenset({FirmwareName.CLOUD_LIBRARY}),
    "shell": frozenset({FirmwareName.SHELL}),
    "colour": frozenset({FirmwareName.SHELL, FirmwareName.CLOUD_LIBRARY}),
    "provisioning": frozenset({FirmwareName.SHELL}),
}
"""Settings that only these firmwares have, by the setting's name."""


def _imei(value: str) -> str:
    if not is_imei(value):
        raise ValueError("must be 15 digits with a valid check digit")
    return value


def _uuid(value: str) -> str:
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise ValueError("must be a UUID") from None


def _each_once(faults: tuple[BoardFault, ...]) -> tuple[BoardFault, ...]:
    twice = next((fault for index, fault in enumerate(faults) if fault in faults[:index]), None)
    if twice is not None:
        raise ValueError(f"has {str(twice)!r} twice")
    return faults


Uuid = Annotated[str, AfterValidator(_uuid)]
RENAMED: Final[Mapping[str, str]] = {"framing": "firmware"}  # keys that had another name


class BoardSettings(Settings):
    """The settings of a virtual board, without its name. ``firmware`` None: the one that the lab expects of it, else
    :data:`DEFAULT_FIRMWARE`.

    ``imei`` and ``device_uuid`` come from ``seed`` and the board's name: the same two give the same board. None: a
    new board each time its process starts.
    """

    model: Annotated[Model, BY_VALUE, Option("kind of board")] = Model.NRF9151
    firmware: Annotated[
        Annotated[FirmwareName, BY_VALUE] | None, Option(f"application firmware (default {DEFAULT_FIRMWARE})")
    ] = None
    terminator: Annotated[TerminatorName, BY_VALUE, Option("at-client: what ends a command")] = TerminatorName.CR
    release: Annotated[
        Release, BY_VALUE, BeforeValidator(_release), Option("serial-modem, raw-sockets: which release")
    ] = Release.STABLE
    sample: Annotated[
        Annotated[Sample, BY_VALUE] | None,
        Option(f"cloud-library: which sample (default {DEFAULT_SAMPLE})"),
    ] = None
    shell: Annotated[ShellName, BY_VALUE, Option("shell: which one")] = ShellName.MODEM_SHELL
    colour: Annotated[bool, Option("shell, cloud-library: colours and cursor movements, as on a terminal")] = False
    provisioning: Annotated[bool, Option("shell: with the client of nRF Cloud's provisioning service")] = False
    faults: Annotated[
        tuple[Annotated[BoardFault, BY_VALUE], ...],
        AS_TUPLE,
        AfterValidator(_each_once),
        Option("what is wrong with the board", flag="--fault"),
    ] = ()
    baud: Annotated[int, Field(ge=0), Option("pace of the UART in bit/s; 0: not paced", "N")] = 0
    rfc2217: Annotated[
        Annotated[int, Field(ge=0, le=65535)] | None,
        Option("serve the UART by RFC 2217 on 127.0.0.1 too, with DTR and RTS; 0: any port", "PORT"),
    ] = None
    time_scale: Annotated[
        float, Field(ge=0, allow_inf_nan=False), Option("length of the modem's waits; 1.0: as a real modem's", "F")
    ] = 0.05
    seed: Annotated[
        Annotated[str, Field(min_length=1, max_length=64)] | None,
        Option("the same seed and name give the same IMEI and UUID (default: new ones each time)", "TEXT"),
    ] = None
    imei: Annotated[Annotated[str, AfterValidator(_imei)] | None, Option("IMEI, of one board", "DIGITS")] = None
    device_uuid: Annotated[Uuid | None, Option("device UUID, of one board", "UUID")] = None
    pin: Annotated[
        Annotated[str, matching(r"[0-9]{4,8}", "4 to 8 digits")] | None,
        Option("PIN that the SIM asks for (default: none)", "DIGITS"),
    ] = None

    @property
    def runs(self) -> FirmwareName:
        """The application firmware that the board runs."""
        return self.firmware or DEFAULT_FIRMWARE

    @property
    def runs_sample(self) -> Sample:
        """Which sample the firmware is, if it is a cloud library's."""
        return self.sample or DEFAULT_SAMPLE


class NamedBoard(BoardSettings):
    """One board of a process."""

    name: Name
