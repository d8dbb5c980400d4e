"""%XBANDLOCK: a permanent and a run-time mask of the bands that the modem may use.

Source: "nRF91x1 AT Commands" reference: a bit string of at most 88 digits, of which the last one is band 1; both masks
are combined by AND, and one that leaves no supported band is refused; only while the modem is not active (CME 518). The
permanent mask is written to the NVM at CFUN=0.
"""

import re
from dataclasses import replace

from harness.virtual.board.commands import Args, Commands, Forms, Refused, Reply
from harness.virtual.board.modem.codes import ACTIVE_STATE
from harness.virtual.board.modem.state import State

SUPPORTED = (1, 2, 3, 4, 5, 8, 12, 13, 18, 19, 20, 25, 26, 28, 66)
REMOVE, PERMANENT, RUN_TIME = 0, 1, 2
_LONGEST = 88


class BandCommands:
    """The band lock."""

    def __init__(self, state: State) -> None:
        self._state = state

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        return {"%XBANDLOCK": Forms(set=self._lock, read=self._read)}

    def _read(self) -> Reply:
        return f'%XBANDLOCK: "{self._state.settings.bands}","{self._state.bands}"'

    def _lock(self, args: Args) -> Reply:
        operation = args.at_most(2).choice(0, (REMOVE, PERMANENT, RUN_TIME))
        if self._state.active:
            raise Refused(ACTIVE_STATE)
        permanent, run_time = self._state.settings.bands, self._state.bands
        if operation == REMOVE:
            permanent = run_time = ""
        else:
            mask = args.string(1, longest=_LONGEST)
            if not re.fullmatch(r"[01]+", mask):
                raise Refused
            mask = mask.zfill(_LONGEST)
            permanent, run_time = (mask, run_time) if operation == PERMANENT else (permanent, mask)
        if not bands_of(permanent) & bands_of(run_time) & set(SUPPORTED):
            raise Refused
        self._state.bands = run_time
        self._state.settings = replace(self._state.settings, bands=permanent)
        return None


def bands_of(mask: str) -> set[int]:
    """Return the bands of a mask; "" is none at all, which allows every band.

    >>> bands_of("1001")
    {1, 4}
    """
    if not mask:
        return set(SUPPORTED)
    return {number for number, bit in enumerate(reversed(mask), 1) if bit == "1"}
