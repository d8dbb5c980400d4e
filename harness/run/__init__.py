"""Boards and clouds, opened for one run and shared by its tests."""

from harness.run.board import BoardBench, Provisioned
from harness.run.bulk_onboarding import BulkResult, onboard_together
from harness.run.cloud import CloudBench
from harness.run.onboarding import Onboarded
from harness.run.open_board import Opened
from harness.run.repetition import NotProvisioned
from harness.run.run import LAB_CA, Run

__all__ = [
    "LAB_CA",
    "BoardBench",
    "BulkResult",
    "CloudBench",
    "NotProvisioned",
    "Onboarded",
    "Opened",
    "Provisioned",
    "Run",
    "onboard_together",
]
