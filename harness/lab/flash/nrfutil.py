"""Reads the output of ``nrfutil --json device``: one object a line, as it comes.

Sources: Nordic's nrfutil documentation (machine-readable output); the types of pc-nrfconnect-shared; Zephyr's runner. A
device list stands in an info line or at a task's end, so both are looked into.
"""

import json
from collections.abc import Iterator
from typing import Any

Object = dict[str, Any]
_STEP = 10  # per cent from one line of progress to the next: a hundred lines would be too many


class NrfutilOutput:
    """Takes the lines of one call. ``failed``: why tasks failed, in the order in which they ended.

    ``ended``: how many tasks ended well. ``percent``: progress of the current one; None: not told.
    """

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.ended = 0
        self.percent: int | None = None
        self._data: list[Any] = []

    def line(self, text: str) -> str | None:
        """Take a line; return what to show of it, or None if nothing important is new."""
        try:
            said = json.loads(text)
        except ValueError:
            return None
        if not isinstance(said, dict) or not isinstance(said.get("data"), dict):
            return None
        data: Object = said["data"]
        self._data.append(data)
        match said.get("type"):
            case "task_progress":
                return self._progress(data)
            case "task_end":
                self._end(data)
            case "batch_end" if (data.get("error") or {}).get("code"):
                self.failed.append(_reason(data))
        return None

    def find(self, key: str) -> Any:
        """Return the first value of this name anywhere in the output, or None."""
        return next(_values(self._data, key), None)

    def _progress(self, data: Object) -> str | None:
        progress = data.get("progress")
        progress = progress if isinstance(progress, dict) else data
        value = progress.get("totalProgressPercentage", progress.get("progressPercentage"))
        if not isinstance(value, int | float):
            return None
        former, percent = self.percent, int(value)
        self.percent = percent
        if former is not None and percent // _STEP == former // _STEP:
            return None
        words = progress.get("description") or progress.get("message") or progress.get("operation") or ""
        return f"{percent} % {words}".rstrip()

    def _end(self, data: Object) -> None:
        self.percent = None
        if data.get("result") == "success":
            self.ended += 1
        else:  # "fail", and everything else that is not a success
            self.failed.append(_reason(data))


def _reason(data: Object) -> str:
    error = data.get("error")
    error = error if isinstance(error, dict) else {}
    task = data.get("task")
    name = (task.get("description") or task.get("name") or "") if isinstance(task, dict) else ""
    words = [str(error.get("description") or data.get("message") or "no reason is given")]
    if error.get("code") is not None:
        words.append(f"(code {error['code']})")
    return f"{name}: {' '.join(words)}" if name else " ".join(words)


def _values(part: Any, key: str) -> Iterator[Any]:
    if isinstance(part, dict):
        if key in part:
            yield part[key]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _values(each, key)
