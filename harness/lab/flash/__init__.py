"""Writes firmware onto boards. The hash and the board's own words decide what is needed; the result is checked."""

from harness.lab.flash.decision import ImageKind, Versions
from harness.lab.flash.flasher import Flasher, FlashFailed
from harness.lab.flash.record import FlashRecords

__all__ = ["FlashFailed", "FlashRecords", "Flasher", "ImageKind", "Versions"]
