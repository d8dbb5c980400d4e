"""Decides whether a board has the firmware that belongs on it. Pure.

Two witnesses must agree: the record of what this lab wrote, with its hash, and the version that the board tells. The
record alone is wrong if somebody flashed the board by hand. The version alone is wrong if a file was built anew under
the same version.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class ImageKind(StrEnum):
    """The images, in the order in which they are written."""

    MODEM = "modem"
    APPLICATION = "application"


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions that a board tells: ``modem`` as AT+CGMR, ``application`` with its name; "": it does not tell."""

    modem: str = ""
    application: str = ""

    def of(self, kind: ImageKind) -> str:
        """Return the version of one image."""
        return self.modem if kind is ImageKind.MODEM else self.application


@dataclass(frozen=True, slots=True)
class WrittenImage:
    """The image that this lab wrote last. ``sha256``: of the file. ``told``: the version that the board told then."""

    sha256: str
    told: str


def why_needed(
    kind: ImageKind, file: Path, sha256: str, written: WrittenImage | None, told: Versions | None
) -> str | None:
    """Return why a file must be written, or None if the board has it.

    ``kind``: modem or application. ``file``, ``sha256``: what belongs on the board. ``written``: what was written last;
    None: nobody knows. ``told``: what the board tells; None: it does not answer.

    A modem firmware is a release, and the modem tells its name, so it needs no record. A board that does not answer,
    and has this file by the record, is not written: other means wake it up.
    """
    says = None if told is None else told.of(kind)
    if written is None:
        if kind is ImageKind.MODEM and says and says == modem_version(file):
            return None
        return "this lab has not written one to this board"
    if written.sha256 != sha256:
        return "the file differs from the one that was last written"
    if says is not None and (written.told != says or (kind is ImageKind.APPLICATION and not says)):
        return f"the board reports {says or 'nothing'}, and reported {written.told or 'nothing'} after the last writing"
    return None


def modem_version(file: Path) -> str | None:
    """Return the version in the name of a modem firmware's file, as the modem tells it, or None.

    >>> modem_version(Path("mfw_nrf91x1_2.0.4.zip"))
    'mfw_nrf91x1_2.0.4'
    """
    found = re.match(r"mfw_nrf91\w+_\d+\.\d+\.\d+(?:-\w[\w.-]*)?(?=\.zip\Z)", file.name)
    return found[0] if found else None
