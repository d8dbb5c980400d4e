"""Commands without a home: error reports, the list of commands, voltage, temperature, trace.

Source: "nRF91x1 AT Commands" reference, +CMEE, +CLAC, +CEMODE, %XVBAT, %XTEMP, %XMODEMTRACE.
"""

from collections.abc import Callable, Iterable

from harness.virtual.board.commands import Args, Commands, Forms, Reply
from harness.virtual.board.modem.state import State

MILLIVOLT = 3712
CELSIUS = 24


class GeneralCommands:
    """The rest. ``names``: every command the modem knows, for +CLAC."""

    def __init__(self, state: State, names: Callable[[], Iterable[str]]) -> None:
        self._state = state
        self._names = names
        self._emode = 2

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        return {
            "+CMEE": Forms(set=self._cmee, read=lambda: f"+CMEE: {int(self._state.cmee)}", test="+CMEE: (0,1)"),
            "+CLAC": Forms(run=lambda: [f"AT{name}" for name in sorted(self._names(), key=_standard_first)]),
            "+CEMODE": Forms(set=self._cemode, read=lambda: f"+CEMODE: {self._emode}", test="+CEMODE: (0,2)"),
            "%XVBAT": Forms(run=lambda: f"%XVBAT: {MILLIVOLT}"),
            "%XTEMP": Forms(set=_on_off, read=lambda: f"%XTEMP: {CELSIUS}"),
            "%XMODEMTRACE": Forms(set=_trace),
        }

    def _cmee(self, args: Args) -> Reply:
        self._state.cmee = args.at_most(1).choice(0, (0, 1)) == 1
        return None

    def _cemode(self, args: Args) -> Reply:
        self._emode = args.at_most(1).choice(0, (0, 2))
        return None


def _on_off(args: Args) -> Reply:
    args.at_most(1).choice(0, (0, 1))
    return None


def _trace(args: Args) -> Reply:
    if args.at_most(2).choice(0, (0, 1)):
        args.choice(1, (1, 2, 3, 4, 5))
    return None


def _standard_first(name: str) -> tuple[bool, str]:
    return (name.startswith("%"), name)
