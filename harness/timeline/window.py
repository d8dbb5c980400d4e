"""One test's part of a board's timeline: from a mark to a mark."""

from collections.abc import Callable
from typing import Any

from harness.timeline.events import Event, Kind
from harness.timeline.timeline import Timeline


class Window:
    """The events of ``timeline`` from now on, until :meth:`close`. Marks are those of the whole timeline."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.begin = timeline.mark()
        self._end: int | None = None

    @property
    def end(self) -> int | None:
        """The mark behind the last event; None while the window is open."""
        return self._end

    def close(self) -> None:
        """End the window here; what comes later is not in it."""
        if self._end is None:
            self._end = self.timeline.mark()

    def mark(self) -> int:
        """Return the position behind the last event that the window holds now."""
        return self.timeline.mark() if self._end is None else self._end

    def since(self, mark: int = 0) -> list[Event]:
        """Return the events from ``mark`` on, of those that are in the window and in memory."""
        events = self.timeline.since(max(mark, self.begin))
        if self._end is None or not events or events[-1].seq < self._end:
            return events
        return [event for event in events if event.seq < self._end]

    def add(self, kind: Kind, source: str, text: str, **data: Any) -> Event:
        """Append an event of this ``kind`` from ``source``, with ``text`` and ``data``. See :meth:`Timeline.add`."""
        return self.timeline.add(kind, source, text, **data)

    def wait(self, match: Callable[[Event], bool], *, since: int, timeout: float) -> Event | None:
        """Return the first event from ``since`` on that ``match`` accepts; None after ``timeout`` seconds."""
        return self.timeline.wait(match, since=max(since, self.begin), timeout=timeout)
