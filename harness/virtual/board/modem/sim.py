"""The SIM: its start, its PIN, and the numbers that it tells when it is ready.

Source: "nRF91x1 AT Commands" reference, +CPIN, +CPINR, +CIMI, %XICCID, %XSIM (cause 1: PIN required). UNCONFIRMED:
cause 2 for the PUK, and what +CPIN= answers when no PIN is asked for; here ERROR.
"""

import re
from collections.abc import Callable

from harness.settings import BoardFault
from harness.virtual.board.commands import Args, Commands, Forms, Refused, Reply
from harness.virtual.board.modem.codes import INCORRECT_PASSWORD, PUK_REQUIRED, SIM_FAILURE, SIM_NOT_INSERTED
from harness.virtual.board.modem.state import State

_TRIES = {"SIM PUK": 10, "SIM PIN2": 3, "SIM PUK2": 10}
_PIN = re.compile(r"[0-9]{4,8}")
PIN_CAUSE, PUK_CAUSE = 1, 2


class SimCommands:
    """What is asked of the SIM. ``unlocked``: called when the PIN was right."""

    def __init__(self, state: State, unlocked: Callable[[], None]) -> None:
        self._state = state
        self._unlocked = unlocked

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        who = self._state.nvm.identity
        return {
            "+CIMI": Forms(run=lambda: self._from_sim(who.imsi)),
            "%XICCID": Forms(run=lambda: self._from_sim(f"%XICCID: {who.iccid}")),
            # The read form is documented; a recorded trace also shows the bare command answered.
            "+CPIN": Forms(run=self._cpin, read=self._cpin, set=self._enter_pin),
            "+CPINR": Forms(set=self._cpinr),
            "%XSIM": Forms(set=self._xsim, read=lambda: f"%XSIM: {xsim(self._state)}"),
        }

    def _cpin(self) -> Reply:
        if self._state.uicc_locked:
            return f"+CPIN: {'SIM PIN' if self._state.nvm.pin_tries else 'SIM PUK'}"
        return self._from_sim("+CPIN: READY")

    def _enter_pin(self, args: Args) -> Reply:
        nvm, given = self._state.nvm, args.exactly(1).string(0)
        if not _PIN.fullmatch(given) or not self._state.uicc_locked:
            raise Refused
        if not nvm.pin_tries:
            raise Refused(PUK_REQUIRED)
        if given != nvm.pin:
            nvm.pin_tries -= 1
            raise Refused(INCORRECT_PASSWORD)
        nvm.pin_tries = 3
        self._unlocked()
        return None

    def _cpinr(self, args: Args) -> Reply:
        name, tries = args.at_most(1).string(0), _TRIES | {"SIM PIN": self._state.nvm.pin_tries}
        if name not in tries:
            raise Refused
        answer = f'+CPINR: "{name}",{tries[name]}'
        return answer if self._state.uicc_locked else self._from_sim(answer)

    def _xsim(self, args: Args) -> Reply:
        self._state.on.xsim = args.at_most(1).choice(0, (0, 1))
        return None

    def _from_sim(self, answer: str) -> str:
        if not self._state.uicc_ready:
            missing = self._state.uicc and BoardFault.NO_SIM in self._state.faults
            raise Refused(SIM_NOT_INSERTED if missing else SIM_FAILURE)
        return answer


def xsim(state: State) -> str:
    """Return what %XSIM says of the SIM: 1 ready; 0 not, with the cause if it waits for something."""
    if not state.uicc_locked:
        return str(int(state.uicc_ready))
    return f"0,{PIN_CAUSE if state.nvm.pin_tries else PUK_CAUSE}"
