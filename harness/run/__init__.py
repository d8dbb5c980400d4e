"""Boards and clouds, opened for one run and shared by its tests."""

from harness.run.board import Board, Provisioned
from harness.run.bulk_onboarding import onboard_together
from harness.run.cloud import Cloud
from harness.run.onboarding import Onboarded
from harness.run.run import Run, lab_ca_folder

__all__ = [
    "Board",
    "Cloud",
    "Onboarded",
    "Provisioned",
    "Run",
    "lab_ca_folder",
    "onboard_together",
]
