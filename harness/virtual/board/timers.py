"""A board's timers on one timer of the event loop.

A core asks for a timer with every transfer and cancels it with the next: for the end of the radio connection, and for
MQTT's keep-alive. The event loop keeps a cancelled timer until its time has come, so each new one would be sorted in
among hundreds. Here they wait in a heap of plain pairs, and the event loop only knows of the next.
"""

import asyncio
import heapq
from collections.abc import Callable
from typing import Final

_FORGOTTEN: Final = 64  # cancelled timers, above the number of the others, from which on the heap is cleared of them


class Timers:
    """Calls ``fire`` with the token of each timer when its time has come; earlier ones first."""

    def __init__(self, fire: Callable[[int], None]) -> None:
        self._fire = fire
        self._due: dict[int, float] = {}
        self._heap: list[tuple[float, int]] = []
        self._next: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """The number of timers that run."""
        return len(self._due)

    def set(self, token: int, seconds: float) -> None:
        """Start a timer. Call it inside the running event loop."""
        loop = asyncio.get_running_loop()
        due = self._due[token] = loop.time() + seconds
        if len(self._heap) > 2 * len(self._due) + _FORGOTTEN:
            self._heap = [(moment, number) for number, moment in self._due.items()]
            heapq.heapify(self._heap)
        else:
            heapq.heappush(self._heap, (due, token))
        if self._next is None or due < self._next.when():
            self._arm(loop, due)

    def cancel(self, token: int) -> None:
        """Stop a timer. Nothing happens if it has fired."""
        self._due.pop(token, None)

    def clear(self) -> None:
        """Stop every timer."""
        self._due.clear()
        self._heap.clear()
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _arm(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        if self._next is not None:
            self._next.cancel()
        self._next = loop.call_at(due, self._run)

    def _run(self) -> None:
        loop = asyncio.get_running_loop()
        # The event loop calls what is due within a tick of its clock: a little early by the clock, but in time.
        now = loop.time() if self._next is None else max(loop.time(), self._next.when())
        self._next = None
        try:
            while self._heap and self._heap[0][0] <= now:
                due, token = heapq.heappop(self._heap)
                if self._due.get(token) == due:
                    del self._due[token]
                    self._fire(token)
        finally:
            while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
                heapq.heappop(self._heap)
            if self._heap and (self._next is None or self._heap[0][0] < self._next.when()):
                self._arm(loop, self._heap[0][0])
