"""What is shown of a run while it goes on: a row for each board, a row for each cause; plain lines for a log."""

from harness.report.live.block import block
from harness.report.live.plain import PlainLines
from harness.report.live.progress import LiveBoard, LiveCause, LiveRun, LiveView
from harness.report.live.screen import Screen

__all__ = ["LiveBoard", "LiveCause", "LiveRun", "LiveView", "PlainLines", "Screen", "block"]
