"""Commands that say who the board is. They answer in every functional mode; those of the SIM need a running UICC.

Source: "nRF91x1 AT Commands" reference, +CGSN, +CGMI, +CGMM, +CGMR, +CIMI, %SHORTSWVER, %HWVERSION, %XMODEMUUID,
%DEVICEUUID, %XICCID, +CPIN, +CPINR, %XSIM.
"""

from harness.settings import BoardFault
from harness.virtual.board.commands import Args, Commands, Forms, Refused, Reply
from harness.virtual.board.modem.codes import SIM_FAILURE, SIM_NOT_INSERTED
from harness.virtual.board.modem.state import State

PIN_RETRIES = {"SIM PIN": 3, "SIM PUK": 10, "SIM PIN2": 3, "SIM PUK2": 10}


class IdentityCommands:
    """Versions, serial numbers, SIM."""

    def __init__(self, state: State) -> None:
        self._state = state

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        kind, who = self._state.personality, self._state.nvm.identity
        return {
            "+CGSN": Forms(run=lambda: self._cgsn(Args()), set=self._cgsn, test="+CGSN: (0-3)"),
            "+CGMI": Forms(run=lambda: "Nordic Semiconductor ASA"),
            "+CGMM": Forms(run=lambda: kind.model),
            "+CGMR": Forms(run=lambda: kind.firmware),
            "%SHORTSWVER": Forms(run=lambda: f"%SHORTSWVER: {kind.short_version}"),
            "%HWVERSION": Forms(run=lambda: f"%HWVERSION: {kind.hwversion}"),
            "%XMODEMUUID": Forms(run=lambda: f"%XMODEMUUID: {kind.modem_uuid}"),
            "%DEVICEUUID": Forms(run=lambda: f"%DEVICEUUID: {who.device_uuid}"),
            "+CIMI": Forms(run=lambda: self._from_sim(who.imsi)),
            "%XICCID": Forms(run=lambda: self._from_sim(f"%XICCID: {who.iccid}")),
            # The read form is documented; a recorded trace also shows the bare command answered.
            "+CPIN": Forms(run=self._cpin, read=self._cpin),
            "+CPINR": Forms(set=self._cpinr),
            "%XSIM": Forms(set=self._xsim, read=lambda: f"%XSIM: {int(self._state.uicc_ready)}"),
        }

    def _cgsn(self, args: Args) -> Reply:
        who, svn = self._state.nvm.identity, self._state.personality.svn
        kind = args.at_most(1).choice(0, (0, 1, 2, 3), default=0)
        if BoardFault.NO_IMEI in self._state.faults:
            raise Refused
        return (who.imei, f'+CGSN: "{who.imei}"', f'+CGSN: "{who.imei[:14]}{svn}"', f'+CGSN: "{svn}"')[kind]

    def _cpin(self) -> Reply:
        return self._from_sim("+CPIN: READY")

    def _cpinr(self, args: Args) -> Reply:
        name = args.at_most(1).string(0)
        if name not in PIN_RETRIES:
            raise Refused
        return self._from_sim(f'+CPINR: "{name}",{PIN_RETRIES[name]}')

    def _xsim(self, args: Args) -> Reply:
        self._state.on.xsim = args.at_most(1).choice(0, (0, 1))
        return None

    def _from_sim(self, answer: str) -> str:
        if not self._state.uicc_ready:
            missing = self._state.uicc and BoardFault.NO_SIM in self._state.faults
            raise Refused(SIM_NOT_INSERTED if missing else SIM_FAILURE)
        return answer
