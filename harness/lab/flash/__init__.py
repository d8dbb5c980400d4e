"""Firmware onto boards: what is needed is decided by hash and by what the board tells, and seen afterwards."""

from harness.lab.flash.decision import ImageKind, Versions
from harness.lab.flash.flasher import Flashed, Flasher, FlashFailed
from harness.lab.flash.record import FlashRecords

__all__ = ["FlashFailed", "FlashRecords", "Flashed", "Flasher", "ImageKind", "Versions"]
