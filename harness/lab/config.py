"""What boards.yaml may say: the schema. boards_file.py reads the file and finds the lines of mistakes."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from harness.errors import Misuse
from harness.lab.cloud_library_config import CloudLibraryConfig, split_firmware
from harness.lab.fault_config import NO_BOARD_FAULTS, NO_CLOUD_FAULTS, BoardFaults, CloudFaults
from harness.lab.flash_config import FlashConfig
from harness.lab.modem_config import ModemConfig, Variable
from harness.lab.places.config import LabgridConfig
from harness.lab.power_config import PowerConfig
from harness.settings import (
    NRF_CLOUD_JITP,
    PROVISIONING_SERVICE,
    Address,
    BoardSettings,
    CloudSettings,
    FirmwareName,
    Name,
    Settings,
)
from harness.settings.model import AS_TUPLE, BY_VALUE, matching

if TYPE_CHECKING:
    from harness.trial.experiment import ExperimentRule

DEFAULT_SEC_TAG: Final = 16842753  # nRF Connect SDK, CONFIG_NRF_CLOUD_SEC_TAG
DEFAULT_CLOUD: Final = "local"
HIGHEST_SEC_TAG: Final = 2147483647  # tags above are reserved by Nordic
# The same as in ExperimentRule. Importing that would import modem and cloud whenever a boards file is read.
STRICTEST: Final = 1e-7
LOOSEST: Final = 0.5
CONFIDENCE: Final = 1e-4
GROUP: Final = 10
_HOLD_LOCAL: Final = 0.1  # seconds; a stand-in on loopback hangs up within a millisecond
_HOLD_PUBLIC: Final = 12.0  # refusals have been seen that came 10 s late
PORT_SCHEMES: Final = ("rfc2217://", "socket://")


def _port(value: str) -> str:
    if not value.startswith(("/", *PORT_SCHEMES)):
        raise ValueError(f"must be a path or a URL ({', '.join(f'{scheme}HOST:PORT' for scheme in PORT_SCHEMES)})")
    if not value.startswith("/"):
        try:
            url = urlsplit(value)
            complete = bool(url.hostname and url.port)
        except ValueError:  # the port is not a number, or too large
            complete = False
        if not complete:
            raise ValueError("must name host and port (1 to 65535), e.g. rfc2217://rack-3.lan:4001")
    return value


def _rest(value: str) -> str:
    if not value.startswith("https://"):
        raise ValueError("must be an https:// URL with the version, e.g. https://api.nrfcloud.com/v1")
    return value.rstrip("/")


def _device_id(value: str) -> str:
    if value.lower().startswith("nrf-"):
        raise ValueError("must not begin with nrf-, which is reserved for Nordic")
    return value


def _sec_tag(value: int) -> int:
    if not 0 <= value <= HIGHEST_SEC_TAG:
        raise ValueError(f"must be 0 to {HIGHEST_SEC_TAG}; higher ones are reserved")
    return value


def _sec_tags(value: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(value)) < len(value):
        raise ValueError("must name each sec_tag once")
    return value


DeviceId = Annotated[
    str, matching(r"[A-Za-z0-9:_-]{1,64}", "1 to 64 letters, digits, ':', '_' and '-'"), AfterValidator(_device_id)
]


SecTag = Annotated[int, AfterValidator(_sec_tag)]
Files = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], AS_TUPLE, Field(min_length=1)]


class _Cloud(Settings):
    """Every cloud. It is expected to enforce the policy documents of ``profile``, as changed by ``policies``.

    A file of ``policies`` replaces the profile's document of the same name. A file of any other name is a policy of the
    boards' certificates.
    """

    profile: Literal["page", "current"] = "page"
    policies: Files | None = None

    @property
    def expected(self) -> str:
        """The source of the expected documents, in words."""
        return f"profile {self.profile}" + (f" with {', '.join(self.policies)}" if self.policies else "")

    @property
    def outlives_run(self) -> bool:
        """Whether the cloud keeps what was put into it after the run."""
        return True


class LocalCloudConfig(_Cloud, CloudSettings):
    """The local nRF Cloud: a process on this computer, started when first needed.

    It enforces the expected documents. Those of ``enforces`` replace or complement them.
    """

    kind: Literal["local"]
    enforces: Files | None = None
    faults: CloudFaults = NO_CLOUD_FAULTS

    @property
    def outlives_run(self) -> bool:
        """It ends with the run that started it."""
        return False


class NrfCloudAccount(_Cloud):
    """nRF Cloud itself, or another installation of it."""

    kind: Literal["nrfcloud"]
    api_key_env: Variable = "NRFCLOUD_API_KEY"
    api_key_file: str | None = None  # in place of api_key_env
    rest: Annotated[str, AfterValidator(_rest)] = "https://api.nrfcloud.com/v1"
    rest_ca: str | None = None  # None: what the system trusts
    mqtt: Address | None = None
    jitp: Address = NRF_CLOUD_JITP
    provisioning: Annotated[str, AfterValidator(_rest)] = PROVISIONING_SERVICE
    root_ca: str | None = None  # None: Amazon Root CA 1
    network: dict[Address, Address] = Field(default_factory=dict)


CloudConfig = LocalCloudConfig | NrfCloudAccount


class BoardConfig(ModemConfig):
    """One board. Exactly one of ``virtual``, ``port``, ``serial`` and ``place`` tells where it is."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: Name
    """What --board and reports call it; once per file"""
    virtual: BoardSettings | None = None
    """A virtual board, started when a test needs it; {} for the defaults"""
    port: Annotated[str, AfterValidator(_port)] | None = None
    """The port itself: /dev/serial/by-id/..., rfc2217://HOST:PORT, socket://HOST:PORT"""
    serial: Annotated[str, Field(min_length=1)] | None = None
    """USB serial number of the kit, in quotes, leading zeros or not"""
    location: Annotated[str, Field(min_length=1)] | None = None
    """With serial, if several devices have that number: where the kit is plugged in, e.g. 1-2.1"""
    place: Annotated[str, matching(r"[^\s/]{1,100}", "the name of a labgrid place")] | None = None
    """The labgrid place that has the board, on whichever computer"""
    vcom: Annotated[int, Field(ge=0)] = 0
    """With serial or place: which of its ports, in the order of their USB interfaces or names"""
    firmware: Annotated[FirmwareName, BY_VALUE] | None = None
    """Application firmware on the board; auto, or nothing: the harness finds out"""
    cloud_library: CloudLibraryConfig | None = None
    """What firmware: {kind: cloud-library, ...} says besides its kind"""
    baud: Annotated[int, Field(gt=0)] = 115200
    """Speed of the UART"""
    flow_control: bool = False
    """RTS and CTS; on for DKs with Serial Modem, off for Thingy:91 boards"""
    power: PowerConfig | None = None
    """What switches the board's power"""
    flash: FlashConfig | None = None
    """Firmware that belongs on the board"""
    return_within: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 30.0
    """Seconds to wait for a port that is missing, or for a board that does not answer when it is opened"""
    provision: Literal["device", "host", "cloud", "claim"] = "device"
    """Where the board's key is made"""
    sec_tag: SecTag = DEFAULT_SEC_TAG
    """Where credentials are written, 0 to 2147483647"""
    sec_tags: Annotated[tuple[SecTag, ...], AS_TUPLE, Field(min_length=1), AfterValidator(_sec_tags)] | None = None
    """In place of sec_tag: several, so that a renewal keeps the former credentials until the new ones are proved"""
    adopt: bool = False
    """The harness may replace credentials that it did not write"""
    cloud: str = DEFAULT_CLOUD
    """Name of a cloud; a real board cannot reach one of kind local"""
    tags: Annotated[tuple[Name, ...], AS_TUPLE] = ()
    """Words by which --board TAG chooses boards"""
    device_id: DeviceId | None = None
    """nRF Cloud device id and MQTT client id; without it the device UUID"""
    faults: BoardFaults = NO_BOARD_FAULTS
    """Faults on purpose: on the board's port, and in a virtual board"""

    @property
    def outlives_run(self) -> bool:
        """Whether the board keeps what was found or written on it after the run."""
        return self.virtual is None

    @model_validator(mode="before")
    @classmethod
    def _split_firmware(cls, value: Any) -> Any:
        return split_firmware(value)

    @property
    def all_sec_tags(self) -> tuple[int, ...]:
        """The sec_tags that the harness may write and delete, in order of preference; it touches no other."""
        return self.sec_tags or (self.sec_tag,)


BUILT_IN_CLOUDS: Final[dict[str, CloudConfig]] = {
    DEFAULT_CLOUD: LocalCloudConfig(kind="local"),
    "nrfcloud": NrfCloudAccount(kind="nrfcloud"),
}


class ReportLimits(Settings):
    """How many runs stay whole. Other runs are shrunk to the part that the history needs."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    keep_runs: Annotated[int, Field(ge=1)] = 60
    """At most this number of runs"""
    keep_days: Annotated[int, Field(ge=1)] = 90
    """No run that is older, in days"""
    keep_gigabytes: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 5.0
    """The size of all of them together"""
    keep_history_days: Annotated[int, Field(ge=1)] = 730
    """How long the rest of a shrunk run stays, in days"""


def _power_of_ten(value: Any) -> Any:
    """Return ``1e-4`` as a number. YAML 1.1 takes a number without a point for text."""
    return float(value) if isinstance(value, str) and re.fullmatch(r"\d+e-\d+", value) else value


class VerdictSettings(Settings):
    """How sure a verdict must be, and what it may cost."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    confidence: Annotated[float, Field(ge=STRICTEST, le=LOOSEST), BeforeValidator(_power_of_ten)] = CONFIDENCE
    """Bound on the chance that a refusal is a coincidence"""
    hold: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Seconds that a connection is watched after an answer; without it 0.1 for a cloud on loopback, 12 for others"""
    group: Annotated[int, Field(ge=1)] = GROUP
    """Allowed actions that share a connection and a hold"""
    budget: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Seconds of link time for one verdict; without a proof by then it is inconclusive"""

    def rule(self, *, public: bool, confidence: float | None = None) -> "ExperimentRule":
        """Return the rule for a cloud. ``public``: it is nRF Cloud itself. ``confidence``: in place of the file's.

        Raises Misuse for a confidence that makes no sense.
        """
        from harness.trial.experiment import ExperimentRule

        hold = self.hold or (_HOLD_PUBLIC if public else _HOLD_LOCAL)
        return ExperimentRule(self.confidence if confidence is None else confidence, hold, self.group, self.budget)


class Schema(Settings):
    """The whole file."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    lab: Name | None = None
    """The lab's name in reports, if those of several labs are merged; NRF91_LAB in the environment has precedence"""
    lab_ca: Annotated[str, Field(min_length=1)] | None = None
    """The folder of the lab's CA, relative to the file"""
    clouds: dict[Name, Annotated[CloudConfig, Field(discriminator="kind")]] = Field(default_factory=dict)
    """Clouds by name; local and nrfcloud are built in"""
    labgrid: LabgridConfig | None = None
    """How labgrid is reached, for boards with place"""
    reports: ReportLimits | None = None
    """How old runs are shrunk at the end of a run; without it all of them stay"""
    verdicts: VerdictSettings = VerdictSettings()
    """How sure verdicts must be"""
    boards: Annotated[tuple[BoardConfig, ...], AS_TUPLE, Field(min_length=1)]
    """The boards of the lab"""


class LabFile(BaseModel):
    """A boards file without mistakes. ``clouds`` has the built-in ones too.

    ``without_cloud``: real boards that name none, with the line that says so; a mistake for whoever needs their cloud.
    ``firmware_lines``: of the boards whose firmware the file names, where and how it does.
    """

    model_config = ConfigDict(frozen=True)

    path: Path
    lab_ca: Path | None  # the folder of the lab's CA; None: the caller's default
    clouds: dict[str, CloudConfig]
    boards: tuple[BoardConfig, ...]
    reports: ReportLimits | None = None
    lab: str = ""
    verdicts: VerdictSettings = VerdictSettings()
    labgrid: LabgridConfig = LabgridConfig()
    without_cloud: Mapping[str, str] = Field(default_factory=dict)
    firmware_lines: Mapping[str, str] = Field(default_factory=dict)

    def cloud(self, name: str) -> CloudConfig:
        """Return a cloud. Raises Misuse if none has this name."""
        if name not in self.clouds:
            raise Misuse(f"no cloud {name!r} in {self.path}; known clouds: {', '.join(self.clouds)}")
        return self.clouds[name]


def select(boards: Sequence[BoardConfig], names: Sequence[str]) -> list[BoardConfig]:
    """Return the boards with one of these names or tags, in the file's order; all boards if there are no names.

    Raises Misuse if no board has one of the names.
    """
    for name in names:
        if not any(name == board.name or name in board.tags for board in boards):
            tags = sorted({tag for board in boards for tag in board.tags})
            raise Misuse(
                f"no board has the name or tag {name!r}; names: {', '.join(board.name for board in boards)};"
                f" tags: {', '.join(tags) or 'none'}"
            )
    wanted = set(names)
    return [board for board in boards if not wanted or wanted & {board.name, *board.tags}]
