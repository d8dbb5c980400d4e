"""What a run leaves behind: folder, journal, transcripts, the table at its end. All views of the timeline."""

from harness.report.cases import CaseRecord, table
from harness.report.run_folder import RunFolder, short_name
from harness.report.transcript import Transcript

__all__ = ["CaseRecord", "RunFolder", "Transcript", "short_name", "table"]
