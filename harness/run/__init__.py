"""Boards and clouds, opened for one run and shared by its tests."""

from harness.run.board import Board, Provisioned
from harness.run.bulk_onboarding import BulkResult, onboard_together
from harness.run.cloud import Cloud
from harness.run.cloud_device import CloudDevice
from harness.run.onboarding import Onboarded
from harness.run.open_board import OpenBoard
from harness.run.repetition import NotProvisioned
from harness.run.run import Run, lab_ca_folder

__all__ = [
    "Board",
    "BulkResult",
    "Cloud",
    "CloudDevice",
    "NotProvisioned",
    "Onboarded",
    "OpenBoard",
    "Provisioned",
    "Run",
    "lab_ca_folder",
    "onboard_together",
]
