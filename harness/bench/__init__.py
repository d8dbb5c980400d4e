"""Boards and clouds, opened for one run and shared by its tests."""

from harness.bench.board import BoardBench, Opened, Provisioned
from harness.bench.cloud import CloudBench
from harness.bench.run import Run

__all__ = ["BoardBench", "CloudBench", "Opened", "Provisioned", "Run"]
