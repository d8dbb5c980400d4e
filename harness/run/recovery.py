"""Gets a board back step by step: waits for it, resynchronises, reopens, resets, cuts its power; then the board is out.

Each step is taken once for a failure, resets only so often in a run. Each is told on the timeline: a board that needs
them every night should be looked at. A modem that restarts too often without AT+CFUN=0 keeps off the network for
half an hour (Nordic nWP042, reset loop), hence the bound.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final

from harness.at import AtFormatError, AtPort, PortDenied, StrayAnswer
from harness.at.receiver import is_line
from harness.errors import BoardLost, HarnessError, LabError, NoAnswer, PortBusy, PortMissing
from harness.firmware import StillConnected, reset_blindly
from harness.lab import BoardConfig
from harness.lab.board_settings import settings_of
from harness.run.open_board import Known, OpenBoard, open_board
from harness.timeline import Kind, Timeline

MOST_RESETS: Final = 3
MOST_HEALED: Final = 5
_LOOK_AGAIN: Final = 0.25
# A port that has just come back may belong to root for a moment, or to ModemManager, which probes it.
_NOT_YET: Final = (PortMissing, PortBusy, PortDenied, BoardLost)
_MAY_HELP: Final = (NoAnswer, StillConnected, AtFormatError, StrayAnswer)


class Recovery:
    """Opens one board, again and again during a run.

    ``config``: its entry in the boards file. ``find_port``: where it is now; raises PortMissing. ``timeline``: the
    board's. ``cut_power``: takes its power away and gives it back; False: it did not. ``heal``: mends what can be
    mended of the way to the board; returns what it did, None: nothing. ``press``: presses its button; None: it cannot.

    Attribute ``taken``: how often which step was taken.
    """

    def __init__(
        self,
        config: BoardConfig,
        find_port: Callable[[], str],
        timeline: Timeline,
        cut_power: Callable[[], bool] = lambda: False,
        heal: Callable[[], str | None] = lambda: None,
        press: Callable[[], None] | None = None,
    ) -> None:
        self.taken: Counter[str] = Counter()
        self._config = config
        self._find_port = find_port
        self._timeline = timeline
        self._cut_power = cut_power
        self._heal = heal
        self._press = press
        self._known: Known | None = None  # what it runs and how it was talked to, once it answered

    def open(self, *, returning: bool) -> OpenBoard:
        """Return the board, open. ``returning``: it was open before, so its port is waited for.

        Raises LabError, of the last step that was taken.
        """
        mark = self._timeline.mark()
        try:
            return self._when_there(self._config.return_within if returning else 0.0)
        except _MAY_HELP as error:
            failed: LabError = error
        for step, take in (("reopen", _nothing), ("reset", partial(self._reset, mark)), ("power", self._cut_power)):
            if not take():
                continue
            self._note(step, failed)
            try:
                return self._when_there(self._config.return_within, patience=0.0)
            except (*_MAY_HELP, PortMissing, BoardLost) as error:  # what vanished may come back with its power
                failed = error
        raise failed

    def await_port(self, error: HarnessError) -> None:
        """Take note that the port went away, or is in doubt, and will be opened anew."""
        self._note("await", error)

    def _when_there(self, seconds: float, *, patience: float | None = None) -> OpenBoard:
        """Open the board as soon as its port is there, within ``seconds``; ``patience``: see AtPort.sync."""
        # The system gives no sign on every platform that a device is back: looking again is the question.
        began = time.monotonic()
        patience = self._config.return_within if patience is None else patience
        while True:
            try:
                url, known = self._find_port(), self._known
                opened = open_board(
                    self._config, url, self._timeline, patience=patience, press=self._press, known=known
                )
                self._known = Known(opened.kind, opened.port.settings)
                return opened
            except _NOT_YET as error:
                if self._healed(error):
                    continue
                waited = time.monotonic() - began
                if waited + _LOOK_AGAIN > seconds:
                    if seconds:
                        error.args = (f"{error}; waited for {waited:.0f} s (return_within in the boards file)",)
                    raise
            threading.Event().wait(_LOOK_AGAIN)

    def _healed(self, error: LabError) -> bool:
        """Return whether the way to the board was mended; only so often in a run."""
        if self.taken["heal"] >= MOST_HEALED:
            return False
        try:
            done = self._heal()
        except LabError:  # the error of the opening says what is wrong
            return False
        if done is not None:
            self._note("heal", LabError(f"{error}; {done}"))
        return done is not None

    def _reset(self, mark: int) -> bool:
        """Tell the firmware to restart, whatever it is doing. False: nothing was sent.

        That is so if the board says nothing, was told often enough, or has no port or no command for it now.
        """
        name = self._config.name
        heard = any(is_line(event, name) for event in self._timeline.since(mark))
        kind = self._known.kind if self._known else self._config.firmware
        if not heard or kind is None or self.taken["reset"] >= MOST_RESETS:
            return False  # what is not known gets no command that would restart it
        settings = self._known.settings if self._known else settings_of(self._config)
        try:
            port = AtPort.open(self._find_port(), name=name, timeline=self._timeline, settings=settings)
        except LabError as error:
            self._fault(f"no reset: {error}")
            return False
        with port:
            try:
                return reset_blindly(port, kind)
            except LabError as error:  # it may have restarted, so that counts; whether it did is asked next
                self._fault(f"the board was reset, and was not seen to start: {error}")
                return True

    def _note(self, step: str, error: HarnessError) -> None:
        self.taken[step] += 1
        self._fault(f"{step}, because: {error}", step=step)

    def _fault(self, text: str, **data: str) -> None:
        self._timeline.add(Kind.FAULT, self._config.name, f"recovery: {text}", **data)


def _nothing() -> bool:
    return True
