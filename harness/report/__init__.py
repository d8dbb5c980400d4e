"""What a run leaves behind: folder, journal, transcripts, JUnit, the lines at its end."""

from harness.report.cases import CaseRecord, table
from harness.report.journal import RunJournal
from harness.report.record import RunRecord
from harness.report.run_folder import RunFolder, short_name
from harness.report.transcript import Transcript

__all__ = [
    "CaseRecord",
    "RunFolder",
    "RunJournal",
    "RunRecord",
    "Transcript",
    "short_name",
    "table",
]
