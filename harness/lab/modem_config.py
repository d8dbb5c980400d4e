"""What boards.yaml may say of a modem's settings, and of its SIM's PIN."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from harness.errors import LabError
from harness.settings import Settings
from harness.settings.model import AS_TUPLE, matching

if TYPE_CHECKING:
    from harness.modem.settings import WantedSettings


def _off(value: Any) -> Any:
    return "off" if value is False else value  # YAML 1.1 takes a plain off for false


Variable = Annotated[str, matching(r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable")]
Off = Annotated[Literal["off"], BeforeValidator(_off)]
Apn = Annotated[
    str, matching(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?", "1 to 63 letters, digits, '-' and '.'")
]
Band = Annotated[int, Field(ge=1, le=88)]


class ModemConfig(Settings):
    """Keys of a board that its modem keeps: written only where they differ."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    apn: Apn | None = None
    """Access point name of the first PDN; without it as the modem has it, or the network chooses"""
    pin_env: Variable | None = None
    """Environment variable with the SIM's PIN, entered when the SIM asks for it"""
    system_mode: Literal["lte-m", "nb-iot", "lte-m+nb-iot"] | None = None
    """Radio of the modem; GNSS and the preference stay as they are"""
    bands: Annotated[tuple[Band, ...], AS_TUPLE, Field(min_length=1)] | None = None
    """The only LTE bands that the modem may use"""
    psm: Off | None = None
    """off: power saving mode is not asked for"""
    edrx: Off | None = None
    """off: eDRX is not asked for"""
    put_back: bool = False
    """What was changed of apn, system_mode, bands, psm and edrx is put back at the end of a run"""

    @property
    def wanted_settings(self) -> WantedSettings:
        """What the modem is told."""
        from harness.modem.settings import (
            WantedSettings,  # the modem's whole package, which a list of boards does not need
        )

        return WantedSettings(
            apn=self.apn,
            system_mode=self.system_mode,
            bands=self.bands,
            psm=None if self.psm is None else False,
            edrx=None if self.edrx is None else False,
        )

    def pin(self) -> str | None:
        """Return the SIM's PIN, None: none is to be entered. Raises LabError if its variable holds none."""
        if self.pin_env is None:
            return None
        pin = os.environ.get(self.pin_env, "").strip()
        if not (pin.isascii() and pin.isdecimal() and 4 <= len(pin) <= 8):
            who = getattr(self, "name", "a board")
            text = f"{who}: environment variable {self.pin_env} is no PIN of 4 to 8 digits; set it to that of the SIM"
            raise LabError(text)
        return pin
