"""Faults that wait inside a board's core until their moment: results that get lost, commands in which it restarts.

They outlive a restart, as the world around a board does. No I/O.
"""

from collections.abc import Callable
from typing import Literal

from harness.settings.board_faults import (
    ChangeCell,
    CoreFault,
    DetachNetwork,
    DisturbUrcs,
    DropPdn,
    LoseRegistration,
    RegainNetwork,
    ResetDuring,
    SlowAttach,
)
from harness.virtual.board.modem.radio import Air, Radio
from harness.virtual.board.outputs import Outbox


class CoreFaults:
    """``outbox``: of the core, for results that come late."""

    def __init__(self, outbox: Outbox) -> None:
        self.air = Air()
        self._outbox = outbox
        self._urcs: DisturbUrcs | None = None
        self._skipped = 0
        self._struck: int | None = 0
        self._resets: ResetDuring | None = None
        self._left = 0

    def expect(self, fault: CoreFault) -> None:
        """Take note of a fault that waits; what happens at once is left alone."""
        match fault:
            case SlowAttach(seconds=seconds):
                self.air.attach_delay = seconds
            case DisturbUrcs(count=count):
                self._urcs, self._skipped, self._struck = fault, 0, count
            case ResetDuring(times=times):
                self._resets, self._left = fault, times

    def interrupted(self, command: str) -> Literal["board", "modem"] | None:
        """Return what restarts now that the host has sent ``command``; None: nothing does."""
        resets = self._resets
        if resets is None or not self._left or not command.upper().startswith(resets.begins.upper()):
            return None
        self._left -= 1
        return resets.what

    def unsolicited(self, text: str, send: Callable[[], None]) -> None:
        """Call ``send`` as often and as late as the result ``text`` deserves: once and now, as a rule."""
        urcs = self._urcs
        if urcs is None or self._struck == 0 or not text.startswith(urcs.begins):
            send()
            return
        if self._skipped < urcs.skip:
            self._skipped += 1
            send()
            return
        if self._struck is not None:
            self._struck -= 1
        if urcs.how == "delay":
            self._outbox.after(urcs.seconds, send, real=True)
        elif urcs.how == "double":
            send()
            send()


def strike_radio(fault: CoreFault, radio: Radio) -> None:
    """Do what a fault of the network does at once; nothing for any other."""
    match fault:
        case LoseRegistration(status=status, seconds=seconds):
            radio.lose_coverage(status, seconds)
        case DropPdn(seconds=seconds):
            radio.drop_pdn(seconds)
        case DetachNetwork(seconds=seconds):
            radio.detach_by_network(seconds)
        case RegainNetwork():
            radio.regain()
        case ChangeCell():
            radio.change_cell()
