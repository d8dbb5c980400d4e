"""What boards.yaml may say: the schema. Reading the file and finding the line of a mistake: boards_file.py."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from harness.errors import Misuse

DEFAULT_SEC_TAG: Final = 16842753  # nRF Connect SDK, CONFIG_NRF_CLOUD_SEC_TAG
HIGHEST_SEC_TAG: Final = 2147483647  # tags above are reserved by Nordic
PORT_SCHEMES: Final = ("rfc2217://", "socket://")


def _address(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("must be HOST:PORT, e.g. mqtt.nrfcloud.com:8883")
    return value


def _port(value: str) -> str:
    if not value.startswith(("/", *PORT_SCHEMES)):
        raise ValueError(f"must be a path or a URL ({', '.join(f'{scheme}HOST:PORT' for scheme in PORT_SCHEMES)})")
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


def _matching(pattern: str, meaning: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"must be {meaning}")
        return value

    return AfterValidator(check)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Name = Annotated[str, _matching(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", "one word of letters, digits, '_' and '-'")]
Variable = Annotated[str, _matching(r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable")]
DeviceId = Annotated[
    str, _matching(r"[A-Za-z0-9:_-]{1,64}", "1 to 64 letters, digits, ':', '_' and '-'"), AfterValidator(_device_id)
]


class _Strict(BaseModel):
    """No unknown keys, no guessing: ``"115200"`` is text and not a number."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Fault = Literal["no-sim", "denied", "low-voltage", "no-imei", "store-full", "clock-unknown"]
SecTag = Annotated[int, AfterValidator(_sec_tag)]
Address = Annotated[str, AfterValidator(_address)]
Files = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_tuple), Field(min_length=1)]


class VirtualConfig(_Strict):
    """A virtual board."""

    model: Literal["nrf9160", "nrf9160-1.2", "nrf9161", "nrf9151", "mute", "garbage"] = "nrf9151"
    framing: Literal["serial-modem", "at_client", "shell"] | None = None  # None: what the board's firmware speaks
    faults: Annotated[tuple[Fault, ...], BeforeValidator(_tuple)] = ()
    baud: Annotated[int, Field(ge=0)] = 0
    time_scale: Annotated[float, Field(ge=0)] = 0.05


class _Cloud(_Strict):
    """What is expected of every cloud: that it enforces the policy documents of ``profile``, as ``policies`` change it.

    A file of ``policies`` takes the place of the profile's document of its name; one of any other name is a policy of
    the boards' certificates.
    """

    profile: Literal["page", "current"] = "page"
    policies: Files | None = None

    @property
    def expected(self) -> str:
        """Where the expected documents come from, in words."""
        return f"profile {self.profile}" + (f" with {', '.join(self.policies)}" if self.policies else "")


class LocalCloud(_Cloud):
    """The local nRF Cloud: a process on this computer, started when first needed.

    It enforces what is expected of it, except for ``enforces``: documents that it has in place of those, or besides.
    """

    kind: Literal["local"]
    enforces: Files | None = None
    on_violation: Literal["close", "tolerate", "suback80"] = "close"
    close_style: Literal["notify", "fin", "rst", "hang"] = "notify"


class NrfCloudAccount(_Cloud):
    """nRF Cloud itself, or another installation of it."""

    kind: Literal["nrfcloud"]
    api_key_env: Variable = "NRFCLOUD_API_KEY"
    api_key_file: str | None = None  # in place of api_key_env
    rest: Annotated[str, AfterValidator(_rest)] = "https://api.nrfcloud.com/v1"
    rest_ca: str | None = None  # None: what the system trusts
    mqtt: Address | None = None
    jitp: Address = "mqtt.nrfcloud.com:8443"
    root_ca: str | None = None  # None: Amazon Root CA 1
    network: dict[Address, Address] = Field(default_factory=dict)


CloudConfig = LocalCloud | NrfCloudAccount


class BoardConfig(_Strict):
    """One board. Exactly one of ``virtual``, ``port`` and ``serial`` says where it is."""

    name: Name
    virtual: VirtualConfig | None = None
    port: Annotated[str, AfterValidator(_port)] | None = None
    serial: Annotated[str, Field(min_length=1)] | None = None
    vcom: Annotated[int, Field(ge=0)] = 0
    firmware: Literal["serial-modem", "at-client", "shell"] = "serial-modem"
    baud: Annotated[int, Field(gt=0)] = 115200
    flow_control: bool = False
    provision: Literal["device", "host", "cloud"] = "device"
    sec_tag: SecTag = DEFAULT_SEC_TAG
    sec_tags: (
        Annotated[tuple[SecTag, ...], BeforeValidator(_tuple), Field(min_length=1), AfterValidator(_sec_tags)] | None
    ) = None  # in place of sec_tag
    adopt: bool = False
    cloud: str = "local"
    tags: Annotated[tuple[Name, ...], BeforeValidator(_tuple)] = ()
    device_id: DeviceId | None = None  # None: the device UUID

    @property
    def all_sec_tags(self) -> tuple[int, ...]:
        """The only sec_tags that are written or deleted, in order of preference."""
        return self.sec_tags or (self.sec_tag,)


BUILT_IN_CLOUDS: Final[dict[str, CloudConfig]] = {
    "local": LocalCloud(kind="local"),
    "nrfcloud": NrfCloudAccount(kind="nrfcloud"),
}


class Schema(_Strict):
    """The whole file."""

    lab_ca: Annotated[str, Field(min_length=1)] | None = None
    clouds: dict[Name, Annotated[CloudConfig, Field(discriminator="kind")]] = Field(default_factory=dict)
    boards: Annotated[tuple[BoardConfig, ...], BeforeValidator(_tuple), Field(min_length=1)]


class LabFile(BaseModel):
    """A boards file that was found good. ``clouds`` holds the built-in ones too."""

    model_config = ConfigDict(frozen=True)

    path: Path
    lab_ca: Path | None  # the folder of the lab's CA; None: the caller's default
    clouds: dict[str, CloudConfig]
    boards: tuple[BoardConfig, ...]

    def cloud(self, name: str) -> CloudConfig:
        """Return a cloud. Raises Misuse if there is none of this name."""
        if name not in self.clouds:
            raise Misuse(f"no cloud {name!r} in {self.path}; known clouds: {', '.join(self.clouds)}")
        return self.clouds[name]


def select(boards: Sequence[BoardConfig], names: Sequence[str]) -> list[BoardConfig]:
    """Return the boards with one of these names or tags, in the file's order; all of them for no names.

    Raises Misuse if one of the names fits nothing.
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
