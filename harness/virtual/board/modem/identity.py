"""Commands that say who the board is. They answer in every functional mode.

Source: "nRF91x1 AT Commands" reference, +CGSN, +CGMI, +CGMM, +CGMR, %SHORTSWVER, %HWVERSION, %XMODEMUUID,
%DEVICEUUID.
"""

from harness.settings import BoardFault
from harness.virtual.board.commands import Args, Commands, Forms, Refused, Reply
from harness.virtual.board.modem.state import State


class IdentityCommands:
    """Versions and serial numbers."""

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
        }

    def _cgsn(self, args: Args) -> Reply:
        who, svn = self._state.nvm.identity, self._state.personality.svn
        kind = args.at_most(1).choice(0, (0, 1, 2, 3), default=0)
        if BoardFault.NO_IMEI in self._state.faults:
            raise Refused
        return (who.imei, f'+CGSN: "{who.imei}"', f'+CGSN: "{who.imei[:14]}{svn}"', f'+CGSN: "{svn}"')[kind]
