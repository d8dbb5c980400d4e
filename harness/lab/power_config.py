"""What boards.yaml may say about a board's power: which tool switches it, and how long that takes."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from harness.settings import Settings
from harness.settings.model import AS_TUPLE

Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], AS_TUPLE, Field(min_length=1)]
Duration = Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)]


_NAMES: Final = {True: "on", False: "off"}


def _url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must be an http:// or https:// URL")
    return value


Url = Annotated[str, AfterValidator(_url)]


class _Power(Settings):
    model_config = ConfigDict(use_attribute_docstrings=True)

    delay: Duration = 3.0
    """Seconds between off and on"""
    timeout: Duration = 30.0
    """Seconds for one action of the tool"""
    boot: Duration = 30.0
    """Seconds within which the board's start must be seen"""

    @model_validator(mode="before")
    @classmethod
    def _on_and_off(cls, value: Any) -> Any:
        """Return keys that YAML 1.1 has read as true and false as the names that they are, on and off."""
        if not isinstance(value, dict):
            return value
        return {_NAMES.get(key, key) if isinstance(key, bool) else key: entry for key, entry in value.items()}


class CommandPower(_Power):
    """Any program, as a list of words, without a shell. NRF91_* tell it board, port, serial number and action."""

    kind: Literal["command"]
    on: Words
    """The program that switches on"""
    off: Words
    """The program that switches off"""
    cycle: Words | None = None
    """The program that does both, in place of off and on"""


class UhubctlPower(_Power):
    """A port of a USB hub that can switch its power, by uhubctl."""

    kind: Literal["uhubctl"]
    location: Annotated[str, Field(min_length=1)]
    """The hub, as uhubctl lists it, e.g. 1-3.2"""
    port: Annotated[int, Field(ge=1)]
    """The hub's port"""


class HttpPower(_Power):
    """A relay that is switched by HTTP (Shelly, pdudaemon, ...)."""

    kind: Literal["http"]
    on: Url
    """The URL that switches on"""
    off: Url
    """The URL that switches off"""
    method: Literal["GET", "POST", "PUT"] = "GET"
    """The HTTP method for both"""
    on_body: str | None = None
    """The body for on; JSON if it begins with {"""
    off_body: str | None = None
    """The body for off; JSON if it begins with {"""


class YepkitPower(_Power):
    """A port of a Yepkit YKUSH hub, by ykushcmd."""

    kind: Literal["yepkit"]
    model: Literal["ykush", "ykush3", "ykushxs"] = "ykush"
    """The hub's model"""
    serial: Annotated[str, Field(min_length=1)] | None = None
    """The hub's serial number; needed if there are several hubs"""
    port: Annotated[int, Field(ge=1, le=3)] = 1
    """The hub's port"""


class LabgridPower(_Power):
    """The power resource of the board's labgrid place."""

    kind: Literal["labgrid"]


PowerConfig = Annotated[
    CommandPower | UhubctlPower | HttpPower | YepkitPower | LabgridPower, Field(discriminator="kind")
]
POWER_KINDS: Final[dict[str, type[_Power]]] = {
    "command": CommandPower,
    "uhubctl": UhubctlPower,
    "http": HttpPower,
    "yepkit": YepkitPower,
    "labgrid": LabgridPower,
}
