"""Firmware built on Nordic's cloud libraries: it connects by itself, and its log tells of it."""

from harness.virtual.board.cloud_library.server import CloudOnAtHost, CloudOnShell

__all__ = ["CloudOnAtHost", "CloudOnShell"]
