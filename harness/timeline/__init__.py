"""One timeline per board, from the beginning of a run to its end. A test is a window of it, a file its record."""

from harness.timeline.events import Draft, Event, Kind, now
from harness.timeline.file_reader import RecordedTest, Recording, TimelineFileError, read_timeline
from harness.timeline.file_writer import TimelineFile, utc_now
from harness.timeline.packing import pack, timeline_files
from harness.timeline.payload import packed, size_of, unpacked
from harness.timeline.timeline import Timeline
from harness.timeline.window import Window

__all__ = [
    "Draft",
    "Event",
    "Kind",
    "RecordedTest",
    "Recording",
    "Timeline",
    "TimelineFile",
    "TimelineFileError",
    "Window",
    "now",
    "pack",
    "packed",
    "read_timeline",
    "size_of",
    "timeline_files",
    "unpacked",
    "utc_now",
]
