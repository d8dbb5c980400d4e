"""Boards and clouds, opened for one run and shared by its tests."""

from harness.bench.board import BoardBench, Provisioned
from harness.bench.cloud import CloudBench
from harness.bench.onboarding import Onboarded
from harness.bench.opened import Opened
from harness.bench.rounds import NotProvisioned
from harness.bench.run import LAB_CA, Run
from harness.bench.together import Outcome, onboard_together

__all__ = [
    "LAB_CA",
    "BoardBench",
    "CloudBench",
    "NotProvisioned",
    "Onboarded",
    "Opened",
    "Outcome",
    "Provisioned",
    "Run",
    "onboard_together",
]
