"""What the modem tells about network, signal, PDN connection and time, and the subscriptions to their changes.

Source: "nRF91x1 AT Commands" reference, chapters on network, packet domain and mobile termination control.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from harness.virtual.board.commands import Args, Commands, Forms, Refused, Reply
from harness.virtual.board.modem.bands import SUPPORTED
from harness.virtual.board.modem.nvm import PLMN
from harness.virtual.board.modem.radio import BAND, DENIED, REJECT_CAUSE, TAC, Radio
from harness.virtual.board.modem.state import State

_BITS = re.compile(r"[01]{8}")
_CLOCK = re.compile(r"(\d\d)/(\d\d)/(\d\d),(\d\d):(\d\d):(\d\d)([+-]\d\d)?", re.ASCII)


class NetworkCommands:
    """Registration, signal, PDN and time as the host asks for them."""

    def __init__(self, state: State, radio: Radio) -> None:
        self._state = state
        self._radio = radio

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        on, radio = self._state.on, self._radio
        return {
            "+CEREG": self._subscription(
                "cereg", range(6), lambda: f"+CEREG: {on.cereg},{radio.cereg()}", "+CEREG: (0-5)"
            ),
            "+CSCON": self._subscription(
                "cscon", range(4), lambda: f"+CSCON: {on.cscon},{radio.cscon()}", "+CSCON: (0-3)"
            ),
            "+CGEREP": self._subscription(
                "cgerep", (0, 1), lambda: f"+CGEREP: {on.cgerep},0", "+CGEREP: (0,1),(0)", at_most=2
            ),
            "+CNEC": self._subscription("cnec", (0, 8, 16, 24), lambda: f"+CNEC: {on.cnec}", "+CNEC: (0,8,16,24)"),
            "%MDMEV": self._subscription("mdmev", (0, 1, 2) if self._state.personality.nrf91x1 else (0, 1)),
            "%XTIME": self._subscription("xtime", (0, 1)),
            "%CESQ": self._subscription("cesq", (0, 1)),
            "+CIND": Forms(set=self._set_cind, read=self._cind),
            "+CESQ": Forms(run=self._cesq, test="+CESQ: (99),(99),(255),(255),(0-34,255),(0-97,255)"),
            "+CSQ": Forms(run=lambda: "+CSQ: 99,99"),
            "%XMONITOR": Forms(run=self._xmonitor),
            "%XCBAND": Forms(
                run=lambda: f"%XCBAND: {BAND if radio.camped else 0}",
                test=f"%XCBAND: ({','.join(map(str, SUPPORTED))})",
            ),
            "+CEER": Forms(run=self._ceer),
            "+CGDCONT": Forms(set=self._set_cgdcont, read=self._cgdcont),
            "+CGPADDR": Forms(run=self._cgpaddr, set=self._cgpaddr_of),
            "+CGACT": Forms(set=self._set_cgact, read=lambda: f"+CGACT: 0,{int(radio.pdn_up)}"),
            "+CPSMS": Forms(set=self._set_cpsms, read=self._cpsms, test=_CPSMS_TEST),
            "+CEDRXS": Forms(set=self._set_cedrxs, read=self._cedrxs, test=_CEDRXS_TEST),
            "+CCLK": Forms(set=self._set_cclk, read=self._cclk),
        }

    def _subscription(
        self,
        name: str,
        levels: range | tuple[int, ...],
        read: Callable[[], Reply] | None = None,
        test: str | None = None,
        *,
        at_most: int = 1,
    ) -> Forms:
        def subscribe(args: Args) -> Reply:
            setattr(self._state.on, name, args.at_most(at_most).choice(0, levels))
            return None

        return Forms(set=subscribe, read=read, test=test)

    def _set_cind(self, args: Args) -> Reply:
        service, roam, message = (args.at_most(3).choice(index, (0, 1), default=0) for index in range(3))
        self._state.on.cind = (service, roam, message)
        return None

    def _cind(self) -> Reply:
        return f"+CIND: {int(self._radio.attached)},0,0"

    def _cesq(self) -> Reply:
        return f"+CESQ: 99,99,255,255,{'11,54' if self._radio.camped else '255,255'}"

    def _xmonitor(self) -> Reply:
        radio = self._radio
        if not radio.attached:
            return f"%XMONITOR: {radio.status}"
        active_time, tau = radio.psm()
        edrx = dict(self._state.settings.edrx).get({7: 4, 9: 5}[radio.access_technology], "")
        cell = f'{radio.access_technology},{BAND},"{radio.air.cell_id}"'
        fields = [
            f'{radio.status},"Test PLMN 1-1","Test1-1","{PLMN}","{TAC}",{cell}',
            f'428,6300,54,22,"{edrx}","{active_time}","{tau}","01001001"',
        ]
        return f"%XMONITOR: {','.join(fields)}"

    def _ceer(self) -> Reply:
        return f'+CEER: "{f"EMM {REJECT_CAUSE}" if self._radio.status == DENIED else ""}"'

    def _cgdcont(self) -> Reply:
        kind, apn = self._state.settings.pdn
        if not self._radio.pdn_up:
            return f'+CGDCONT: 0,"{kind}","{apn}","",0,0'
        return f'+CGDCONT: 0,"{kind or "IP"}","{apn or "test.invalid"}","{self._radio.address}",0,0'

    def _set_cgdcont(self, args: Args) -> Reply:
        if args.number(0) != 0 or self._radio.attached:  # one PDN connection here, and not while it is up
            raise Refused
        if len(args) == 1:
            kind, apn = "", ""
        else:
            kind, apn = args.string(1), args.string(2, "", longest=63)
            if kind not in ("IP", "IPV6", "IPV4V6", "Non-IP"):
                raise Refused
        self._state.settings = replace(self._state.settings, pdn=(kind, apn))
        return None

    def _cgpaddr(self) -> Reply:
        return f'+CGPADDR: 0,"{self._radio.address}"' if self._radio.pdn_up else None

    def _cgpaddr_of(self, args: Args) -> Reply:
        args.at_most(1).choice(0, (0,))
        return self._cgpaddr()

    def _set_cgact(self, args: Args) -> Reply:
        args.at_most(2).choice(1, (0,), default=0)
        # The default connection lasts exactly as long as the modem is attached: it can be confirmed, but not dropped.
        if args.choice(0, (0, 1)) == 0 or not self._radio.attached:
            raise Refused
        return None

    def _set_cpsms(self, args: Args) -> Reply:
        mode = args.at_most(5).choice(0, (0, 1))
        tau, active_time = args.string(3, ""), args.string(4, "")
        if any(bits and not _BITS.fullmatch(bits) for bits in (tau, active_time)):
            raise Refused
        self._state.settings = replace(self._state.settings, psm=(mode, tau, active_time))
        return None

    def _cpsms(self) -> Reply:
        return '+CPSMS: {},,,"{}","{}"'.format(*self._state.settings.psm)

    def _set_cedrxs(self, args: Args) -> Reply:
        mode = args.at_most(3).choice(0, range(4))
        values = dict(self._state.settings.edrx)
        if mode in (0, 3) and not args.given(1):
            values.clear()
        else:
            technology = args.choice(1, (4, 5))
            bits = args.string(2, "")
            if bits and not re.fullmatch(r"[01]{4}", bits):
                raise Refused
            values.pop(technology, None)
            if mode in (1, 2):
                values[technology] = bits or "0010"
        self._state.settings = replace(self._state.settings, edrx=tuple(sorted(values.items())))
        return None

    def _cedrxs(self) -> Reply:
        return [f'+CEDRXS: {technology},"{bits}"' for technology, bits in self._state.settings.edrx]

    def _cclk(self) -> Reply:
        if self._state.clock is None:
            raise Refused
        return f'+CCLK: "{self._state.clock:%y/%m/%d,%H:%M:%S}+00"'

    def _set_cclk(self, args: Args) -> Reply:
        found = _CLOCK.fullmatch(args.at_most(1).string(0))
        if found is None:
            raise Refused
        year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
        zone = timezone(timedelta(minutes=15 * int(found[7] or 0)))
        try:
            told = datetime(2000 + year, month, day, hour, minute, second, tzinfo=zone)
        except ValueError:
            raise Refused from None
        self._state.clock_offset = told - self._state.now()
        return None


_CPSMS_TEST = '+CPSMS: (0,1),,,("00000000"-"11111111"),("00000000"-"11111111")'
_CEDRXS_TEST = '+CEDRXS: (0-3),(4-5),("0000"-"1111")'
