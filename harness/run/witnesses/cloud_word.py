"""The cloud's own word on a hang-up: read over REST before the board connects again, because that erases it.

It must not slow a run down. The first hang-ups are waited for as long as ``patience`` says; a cloud that had nothing to
say then is asked once after each later one, and one that has said something is waited for twice its longest delay.
UNCONFIRMED: nRF Cloud's delay, and its word for a refused packet. So the first hang-up that an experiment proves to be
a refusal calibrates the word (:meth:`CloudWord.calibrate`).
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from harness.cloud.connection_state import DISCONNECTED, ConnectionState
from harness.errors import HarnessError
from harness.timeline import Kind, Timeline

SOURCE: Final = "cloud's word"
_SILENT_LOOKS: Final = 2
"""Hang-ups that a silent cloud is waited for."""


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


class CloudWord:
    """``read``: the device's record, None: the team has none. ``timeline``: where it is noted.

    ``patience``: seconds that the first word may take; ``gap``: seconds between two looks. ``clock``, ``pause``: the
    time, and how to let some of it pass.
    """

    def __init__(
        self,
        read: Callable[[], Mapping[str, Any] | None],
        timeline: Timeline,
        *,
        patience: float,
        gap: float,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = _pause,
    ) -> None:
        self._read = read
        self._timeline = timeline
        self._patience = patience
        self._gap = gap
        self._clock = clock
        self._pause = pause
        self._version: int | None = None
        self._silent = 0
        self._delays: list[float] = []
        self._heard: list[str] = []
        self.for_refusal: str | None = None
        """The word for a refused packet, once it is known."""

    def __call__(self) -> dict[str, Any]:
        """Ask why the device was disconnected, and write the answer to the timeline. A silent cloud is no error."""
        began = self._clock()
        deadline = began + self._wait_for()
        state, error = self._look()
        while error is None and not self._fresh(state) and self._clock() + self._gap <= deadline:
            self._pause(self._gap)
            state, error = self._look()
        return self._note(state, error, self._clock() - began)

    def calibrate(self) -> None:
        """Take the words of this trial's hang-ups as those for a refusal: an experiment proved that they were."""
        words = set(self._heard)
        self._heard.clear()
        if self.for_refusal is not None or len(words) != 1:
            return
        self.for_refusal = words.pop()
        text = f"the cloud's word for a refused packet is {self.for_refusal}: an experiment proved this one"
        self._timeline.add(Kind.STEP, SOURCE, text, word=self.for_refusal)

    def forget(self) -> None:
        """A new trial begins."""
        self._heard.clear()

    def _wait_for(self) -> float:
        if self._delays:
            return 2 * max(self._delays) + self._gap
        return self._patience if self._silent < _SILENT_LOOKS else 0.0

    def _look(self) -> tuple[ConnectionState, str | None]:
        try:
            return ConnectionState.of(self._read()), None
        except HarnessError as error:
            return ConnectionState(None), str(error)

    def _fresh(self, state: ConnectionState) -> bool:
        """Tell whether it is about this end: the state has changed since it was read last."""
        return state.status == DISCONNECTED and (state.version is None or state.version != self._version)

    def _note(self, state: ConnectionState, error: str | None, waited: float) -> dict[str, Any]:
        found: dict[str, Any] = {"status": state.status, "waited": round(waited, 3)}
        if error is not None:
            found["error"] = error
            self._timeline.add(Kind.FAULT, SOURCE, f"the cloud could not be asked why it hung up: {error}")
            return found
        if not self._fresh(state):
            self._silent += 1
            said = f"still {state.status}" if state.status else "nothing"
            self._timeline.add(Kind.CLOUD, SOURCE, f"the cloud says {said} of the connection", **found)
            return found
        self._version = state.version
        self._delays.append(waited)
        found |= {"version": state.version, "stamp": state.stamp, "clientInitiatedDisconnect": state.by_client}
        if state.reason is not None:
            found["disconnectReason"] = state.reason
            self._heard.append(state.reason)
        if self.for_refusal is not None:
            found["calibrated"] = self.for_refusal
        said = f"disconnected, disconnectReason {state.reason}" if state.reason else "disconnected, without a reason"
        self._timeline.add(Kind.CLOUD, SOURCE, f"the cloud says {said}", **found)
        return found
