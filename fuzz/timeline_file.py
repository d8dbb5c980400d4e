"""Timeline files: any bytes are read, or refused with the number of a line."""

import tempfile
from pathlib import Path

from harness.firmware import WORDS
from harness.timeline.file_reader import TimelineFileError, read_timeline
from harness.trial.diagnosis import diagnose

_FOLDER = tempfile.TemporaryDirectory(prefix="nrf91-fuzz-")
_FILE = Path(_FOLDER.name) / "a.jsonl"


def one_input(data: bytes) -> None:
    """The whole file; what was read is diagnosed. Documented error: TimelineFileError."""
    _FILE.write_bytes(data)
    try:
        recording = read_timeline(_FILE)
    except TimelineFileError as error:
        assert "\n" not in str(error)
        return
    diagnose(recording.events, recording.events, words=WORDS)
