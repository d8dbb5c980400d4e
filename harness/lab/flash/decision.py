"""Whether a board has the firmware that belongs on it: pure.

Two witnesses must agree: the record of what this lab wrote, with its hash, and what the board tells of itself. A board
that somebody flashed by hand defeats the record alone, a file that was built anew under the same version defeats the
version alone.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class ImageKind(StrEnum):
    """What is written, in the order in which it is."""

    MODEM = "modem"
    APPLICATION = "application"


@dataclass(frozen=True, slots=True)
class Versions:
    """What a board says that it runs: ``modem`` as AT+CGMR, ``application`` with its name; "": it does not tell."""

    modem: str = ""
    application: str = ""

    def of(self, kind: ImageKind) -> str:
        """Return what it says of one."""
        return self.modem if kind is ImageKind.MODEM else self.application


@dataclass(frozen=True, slots=True)
class WrittenImage:
    """What this lab wrote last. ``sha256``: of the file; ``told``: what the board said of itself afterwards."""

    sha256: str
    told: str


def why_needed(
    kind: ImageKind, file: Path, sha256: str, written: WrittenImage | None, told: Versions | None
) -> str | None:
    """Return why a file must be written, None: the board has it. ``told`` None: the board does not answer.

    A modem firmware is a release, whose name the modem tells: it needs no record to be known as right. A board that
    does not answer and has this file by the record is left to whoever wakes boards up.

    ``kind``: modem or application. ``file``, ``sha256``: what is to be there. ``written``: what was written last, None:
    nobody knows.
    """
    says = None if told is None else told.of(kind)
    if written is None:
        if kind is ImageKind.MODEM and says and says == modem_version(file):
            return None
        return "this lab has not written one to this board"
    if written.sha256 != sha256:
        return "the file differs from the one that was written last"
    if says is not None and (written.told != says or (kind is ImageKind.APPLICATION and not says)):
        return f"the board tells {says or 'nothing'}, and {written.told or 'nothing'} after it was written last"
    return None


def modem_version(file: Path) -> str | None:
    """Return the version in the name of a modem firmware's file, as the modem tells it; None: there is none.

    >>> modem_version(Path("mfw_nrf91x1_2.0.4.zip"))
    'mfw_nrf91x1_2.0.4'
    """
    found = re.match(r"mfw_nrf91\w+_\d+\.\d+\.\d+(?:-\w[\w.-]*)?(?=\.zip\Z)", file.name)
    return found[0] if found else None
