"""Why did the connection end? Small pure functions from timeline events to findings, and the cause they make.

Works on a live timeline and on a saved one alike. A new diagnoser: one file here, one line in ``registry``.
"""

from harness.trial.diagnosis.diagnosis import Diagnosis, diagnose
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record, SeenConnection
from harness.trial.diagnosis.registry import DIAGNOSERS, Diagnoser

__all__ = ["DIAGNOSERS", "Cause", "Diagnoser", "Diagnosis", "Finding", "Record", "SeenConnection", "Weight", "diagnose"]
