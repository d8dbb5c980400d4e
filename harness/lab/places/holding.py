"""Holds a run's places in the process that was started first. Its workers reach it through a relay."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self

from harness.errors import LabError
from harness.lab.lease import Lease
from harness.lab.places.helper import LabgridHelper
from harness.lab.places.places import ANSWER, Places
from harness.lab.relay import Relay, send

_NAME = "labgrid"
_LEADER = 5.0  # seconds for the leader to answer that labgrid did not answer in time


class PlaceHolder:
    """Holds places itself, or through the process that leads this one.

    ``start``: starts the helper on first use. ``leader``: the folder of the leader's relay.
    """

    def __init__(self, start: Callable[[], LabgridHelper], leader: Path | None = None) -> None:
        self._start = start
        self._leader = leader
        self._helper: LabgridHelper | None = None
        self._starting = threading.Lock()
        self._relay: Relay | None = None
        self.places = Places(self._request)

    def lead(self, folder: Path, places: Iterable[str]) -> None:
        """Begin to acquire ``places`` without waiting, and let other processes use them through ``folder``.

        An error of a place is raised for who uses it. Raises LabError if labgrid is not installed.
        """
        helper = self._started()
        for place in places:
            helper.send("acquire", place=place)
        self._relay = Relay(folder, {_NAME: self._request})

    def close(self) -> str | None:
        """Release all places; return what went wrong, or None."""
        if self._relay is not None:
            self._relay.close()
        return None if self._helper is None else self._helper.close()

    def _request(self, command: str, /, *, answer_within: float | None = None, **fields: Any) -> dict[str, Any]:
        limit = ANSWER if answer_within is None else answer_within
        if self._leader is not None:
            return send(self._leader, _NAME, command, {**fields, "answer_within": limit}, timeout=limit + _LEADER)
        future: Future[dict[str, Any]] = self._started().send(command, **fields)
        try:
            return future.result(limit)
        except TimeoutError:
            raise LabError(f"labgrid did not answer {command} within {limit:g} s; is its coordinator alive?") from None

    def _started(self) -> LabgridHelper:
        with self._starting:
            if self._helper is None:
                self._helper = self._start()
            return self._helper


class Holding:
    """The right to use the board at a place: the lease on this computer, and the place itself."""

    def __init__(self, lease: Lease, places: Places, place: str, *, wait: float) -> None:
        """Hold the place ``place``; wait up to ``wait`` seconds for it.

        ``lease``: on this computer, taken already; it is released if the place cannot be held. ``places``: labgrid's.
        Raises LabError.
        """
        self._lease = lease
        self._places = places
        self._place = place
        try:
            places.acquire(place, wait)
        except BaseException:
            lease.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Give the board back. Raises LabError if labgrid does not take the place back."""
        try:
            self._places.release(self._place)
        finally:
            self._lease.release()
