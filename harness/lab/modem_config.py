"""What boards.yaml may say about a modem's settings, and about the PIN of its SIM."""

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
    return "off" if value is False else value  # YAML 1.1 reads a plain off as false


Variable = Annotated[str, matching(r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable")]
Off = Annotated[Literal["off"], BeforeValidator(_off)]
Apn = Annotated[
    str, matching(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?", "1 to 63 letters, digits, '-' and '.'")
]
Band = Annotated[int, Field(ge=1, le=88)]


class ModemConfig(Settings):
    """Settings that a board's modem keeps. They are written only if they differ."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    apn: Apn | None = None
    """Access point name of the first PDN; without it that of the modem, or of the network"""
    pin_env: Variable | None = None
    """Environment variable with the SIM's PIN; it is entered when the SIM asks for it"""
    system_mode: Literal["lte-m", "nb-iot", "lte-m+nb-iot"] | None = None
    """Radio of the modem; GNSS and the preference stay as they are"""
    bands: Annotated[tuple[Band, ...], AS_TUPLE, Field(min_length=1)] | None = None
    """The only LTE bands that the modem may use"""
    psm: Off | None = None
    """off: the modem does not ask for power saving mode"""
    edrx: Off | None = None
    """off: the modem does not ask for eDRX"""
    put_back: bool = False
    """At the end of a run, apn, system_mode, bands, psm and edrx become again what they were before"""

    @property
    def wanted_settings(self) -> WantedSettings:
        """The settings that the modem gets."""
        from harness.modem.settings import (
            WantedSettings,  # imports the whole package of the modem, which a list of boards does not need
        )

        return WantedSettings(
            apn=self.apn,
            system_mode=self.system_mode,
            bands=self.bands,
            psm=None if self.psm is None else False,
            edrx=None if self.edrx is None else False,
        )

    def pin(self) -> str | None:
        """Return the SIM's PIN, or None if none is to be entered. Raises LabError if the variable holds no PIN."""
        if self.pin_env is None:
            return None
        pin = os.environ.get(self.pin_env, "").strip()
        if not (pin.isascii() and pin.isdecimal() and 4 <= len(pin) <= 8):
            who = getattr(self, "name", "a board")
            text = f"{who}: environment variable {self.pin_env} is not a PIN of 4 to 8 digits; set it to the SIM's"
            raise LabError(text)
        return pin
