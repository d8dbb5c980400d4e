"""Commands without a home: error reports, the list of commands, voltage, temperature, trace, factory reset.

Source: "nRF91x1 AT Commands" reference, +CMEE, +CLAC, +CEMODE, %XVBAT, %XTEMP, %XMODEMTRACE, %XFACTORYRESET.
"""

from collections.abc import Callable, Iterable

from harness.settings import BoardFault
from harness.virtual.board.commands import Args, Commands, Forms, Reply, Wait
from harness.virtual.board.modem.nvm import StoredSettings
from harness.virtual.board.modem.state import State

MILLIVOLT, LOW_MILLIVOLT = 3712, 2900
FACTORY_RESET = 2.0
RESET_ALL, RESET_SETTINGS = 0, 1
CELSIUS = 24


class GeneralCommands:
    """The remaining commands. ``names``: every command that the modem knows, for +CLAC."""

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
            "%XVBAT": Forms(run=self._voltage),
            "%XTEMP": Forms(set=_on_off, read=lambda: f"%XTEMP: {CELSIUS}"),
            "%XMODEMTRACE": Forms(set=_trace),
            "%XFACTORYRESET": Forms(set=self._factory_reset),
        }

    def _cmee(self, args: Args) -> Reply:
        self._state.cmee = args.at_most(1).choice(0, (0, 1)) == 1
        return None

    def _cemode(self, args: Args) -> Reply:
        self._emode = args.at_most(1).choice(0, (0, 2))
        return None

    def _voltage(self) -> Reply:
        low = BoardFault.LOW_VOLTAGE in self._state.faults
        return f"%XVBAT: {LOW_MILLIVOLT if low else MILLIVOLT}"

    def _factory_reset(self, args: Args) -> Reply:
        what = args.exactly(1).choice(0, (RESET_ALL, RESET_SETTINGS))
        self._state.check_storable()

        def reset() -> None:
            self._state.settings = self._state.nvm.settings = StoredSettings()
            if what == RESET_ALL:  # its effect on credentials is not documented; scripts provision again after it
                self._state.nvm.credentials.clear()

        return Wait(FACTORY_RESET, reset)


def _on_off(args: Args) -> Reply:
    args.at_most(1).choice(0, (0, 1))
    return None


def _trace(args: Args) -> Reply:
    if args.at_most(2).choice(0, (0, 1)):
        args.choice(1, (1, 2, 3, 4, 5))
    return None


def _standard_first(name: str) -> tuple[bool, str]:
    return (name.startswith("%"), name)
