"""Search, attach and detach: the state of registration and the order and timing of its unsolicited results.

Source: recorded attach of an nRF91 (Cellular Monitor's sample trace) and the order of Nordic's sample logs. Times are
seconds after CFUN=1. The network is PLMN 00101 (3GPP's test network), one LTE-M or NB-IoT cell, always home.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from harness.settings import BoardFault
from harness.virtual.board.modem.bands import bands_of
from harness.virtual.board.modem.nvm import PLMN
from harness.virtual.board.modem.state import State
from harness.virtual.board.outputs import HoldLink

UICC_READY = 0.5
CELL_FOUND = 1.167
SIGNAL_MEASURED = (1.572, 1.623)
RRC_CONNECTED = 2.1
REGISTERED = 3.896
DETACH = 0.5
RRC_INACTIVITY = 10.0

TAC = "0001"
CELL_IDS = ("00010101", "00010102")
BAND = 20
PSM_OFF = "11100000"  # 3GPP TS 24.008: timer deactivated

NOT_REGISTERED, HOME, SEARCHING, DENIED, UNKNOWN, UICC_FAILURE = 0, 1, 2, 3, 4, 90
REJECT_CAUSE = 13
"""EMM cause of the denied registration (3GPP TS 24.301 annex A: roaming not allowed in this tracking area)."""


@dataclass
class Air:
    """The network around a board; it outlives a reset of the modem. ``attach_delay``: real seconds, before a search."""

    attach_delay: float = 0.0
    cell_id: str = CELL_IDS[0]
    contexts: int = 0
    """PDN connections that the network has ended so far: each following one has another address."""


class Radio:
    """LTE as far as AT commands show it. ``lost``: called when the data connection is gone.

    ``state``: the modem's, shared by its groups of commands. ``air``: the network around it; None: a new one.
    """

    def __init__(self, state: State, lost: Callable[[], None], air: Air | None = None) -> None:
        self._state = state
        self._lost = lost
        self.air = air or Air()
        self.pdn_up = False
        """The default PDN connection is there; it outlives a loss of coverage."""
        self._held = False
        self._come_back: Callable[[], None] | None = None
        self._return: int | None = None
        self.status = UNKNOWN
        self.camped = False
        self.rrc_connected = False
        self.plmn = ""
        """Network chosen by hand with +COPS=1; empty: automatic."""
        self._reported = (UNKNOWN, False)
        self._timers: list[int] = []
        self._idle: int | None = None

    @property
    def attached(self) -> bool:
        """Registered in the network."""
        return self.status == HOME

    @property
    def online(self) -> bool:
        """Registered, with the default PDN connection up."""
        return self.attached and self.pdn_up

    @property
    def access_technology(self) -> int:
        """AcT of the cell: 7 LTE-M, 9 NB-IoT."""
        lte_m, nb_iot, _, preference = self._state.settings.system_mode
        return 9 if nb_iot and (not lte_m or preference in (2, 4)) else 7

    @property
    def address(self) -> str:
        """The device's IP address in the default PDN."""
        return f"10.101.{int(self._state.nvm.identity.imei[-4:-1]) % 256}.{2 + self.air.contexts % 250}"

    def search(self) -> None:
        """Start searching; nothing shows until a cell is found."""
        if self.air.attach_delay:
            self._timers.append(self._state.outbox.after(self.air.attach_delay, self._search, real=True))
        else:
            self._search()

    def _search(self) -> None:
        lte_m, nb_iot, _, _ = self._state.settings.system_mode
        if not (lte_m or nb_iot) or BAND not in self._allowed_bands():
            return  # it searches for ever
        if BoardFault.NO_SIM in self._state.faults or (self._state.nvm.pin and not self._state.uicc_ready):
            self._at(UICC_READY, lambda: self._set_status(UICC_FAILURE))
            return
        self._at(CELL_FOUND, self._cell_found)
        if self._state.receive_only:
            return
        for moment, values in zip(SIGNAL_MEASURED, ("56,2,17,2", "54,2,11,1"), strict=True):
            self._at(moment, partial(self._measured, values))
        if self.plmn in ("", PLMN):
            self._at(RRC_CONNECTED, self._connect)
            self._at(REGISTERED, self._denied if BoardFault.DENIED in self._state.faults else self._registered)

    def _allowed_bands(self) -> set[int]:
        return bands_of(self._state.settings.bands) & bands_of(self._state.bands)

    def pause(self) -> None:
        """Stop what is scheduled: a detach is under way."""
        for token in self._timers:
            self._state.outbox.cancel(token)
        self._timers.clear()

    def switch_off(self) -> None:
        """Stop without a word: the modem has lost its power."""
        self.pause()
        self._hold(False)

    def stop(self) -> None:
        """Leave the network and switch off: the detach results, in order."""
        self.pause()
        self._detach(NOT_REGISTERED)

    def search_again(self) -> None:
        """Leave the network and look for one as +COPS now says."""
        self.pause()
        self._detach(SEARCHING)
        self.search()

    def activity(self) -> None:
        """Data was sent or received: the radio connection is up, and stays up for the inactivity time."""
        if self.online:
            self._connect()
            self._restart_inactivity()

    def psm(self) -> tuple[str, str]:
        """Active time and periodic TAU as the network grants them: what was asked for."""
        mode, tau, active_time = self._state.settings.psm
        return (active_time or PSM_OFF, tau or PSM_OFF) if mode else (PSM_OFF, PSM_OFF)

    def cereg(self) -> str:
        """The registration status with the fields that the subscription level asks for (without ``<n>``)."""
        level = self._state.on.cereg
        if level < 2 or not self.camped:
            return str(self.status)
        text = f'{self.status},"{TAC}","{self.air.cell_id}",{self.access_technology}'
        if level in (3, 5) and self.status == DENIED:
            text += f",0,{REJECT_CAUSE}"
        if level >= 4 and self.attached:
            text += ',,,"{}","{}"'.format(*self.psm())
        return text

    def cscon(self) -> str:
        """The signalling connection with the fields that the subscription level asks for (without ``<n>``)."""
        # 7: E-UTRAN connected, 4: E-UTRAN (3GPP TS 27.007)
        fields = [int(self.rrc_connected), 7, 4] if self.rrc_connected else [0]
        return ",".join(str(each) for each in fields[: max(self._state.on.cscon, 1)])

    # -- what the network does by itself --------------------------------------------------------------------------

    def lose_coverage(self, status: int, seconds: float | None) -> None:
        """Nothing passes any more; the PDN connection and its sockets live on. See LoseRegistration."""
        if not self.attached:
            return
        self._release()
        self.camped = False
        self._set_status(status)
        self._hold(True)
        self._until(seconds, self._covered_again)

    def drop_pdn(self, seconds: float | None) -> None:
        """The network ends the PDN connection and keeps the registration. See DropPdn."""
        if not self.online:
            return
        self._urc(self._state.on.cgerep > 0, "+CGEV: NW PDN DEACT 0")
        self._pdn_gone()
        self._until(seconds, self._pdn_again)

    def detach_by_network(self, seconds: float | None) -> None:
        """The network detaches the board. See DetachNetwork."""
        if not self.attached:
            return
        self._urc(self._state.on.cgerep > 0, "+CGEV: NW DETACH")
        self.camped = False
        self._set_status(SEARCHING)
        self._release()
        self._pdn_gone()
        self._until(seconds, self.search)

    def change_cell(self) -> None:
        """Move to the other cell, registered as before."""
        self.air.cell_id = CELL_IDS[self.air.cell_id == CELL_IDS[0]]
        if self.attached and self._state.on.cereg >= 2:
            self._urc(True, f"+CEREG: {self.cereg()}")

    def regain(self) -> None:
        """End what :meth:`lose_coverage`, :meth:`drop_pdn` or :meth:`detach_by_network` began, if it lasts."""
        self._state.outbox.cancel(self._return)
        come_back, self._come_back = self._come_back, None
        if come_back is not None:
            come_back()

    def _until(self, seconds: float | None, come_back: Callable[[], None]) -> None:
        self._state.outbox.cancel(self._return)
        self._come_back = come_back
        if seconds is not None:
            self._return = self._state.outbox.after(seconds, self.regain, real=True)

    def _covered_again(self) -> None:
        self.camped = True
        self._set_status(HOME)
        self._hold(False)

    def _pdn_gone(self) -> None:
        self.pdn_up = False
        self.air.contexts += 1
        self._lost()

    def _pdn_again(self) -> None:
        if self.attached:
            self.pdn_up = True
            self._urc(self._state.on.cgerep > 0, "+CGEV: ME PDN ACT 0,0")

    def _hold(self, held: bool) -> None:
        if held != self._held:
            self._held = held
            self._state.outbox.emit(HoldLink(held))

    # -- inside ---------------------------------------------------------------------------------------------------

    def _cell_found(self) -> None:
        on = self._state.on
        self.camped = True
        self._urc(on.cgerep > 0, "+CGEV: EXCE STATUS 0")
        self._urc(on.mdmev > 0, "%MDMEV: SEARCH STATUS 1")
        self._set_status(NOT_REGISTERED if self._state.receive_only else SEARCHING)

    def _measured(self, values: str) -> None:
        self._urc(self._state.on.cesq > 0, f"%CESQ: {values}")

    def _connect(self) -> None:
        if self.rrc_connected:
            return
        self.rrc_connected = True
        self._urc(self._state.on.mdmev == 2, "%MDMEV: PRACH CE-LEVEL 0")
        self._urc(self._state.on.cscon > 0, f"+CSCON: {self.cscon()}")

    def _registered(self) -> None:
        state, on = self._state, self._state.on
        self.pdn_up = True
        self._urc(on.cgerep > 0, "+CGEV: ME PDN ACT 0,0")
        self._urc(on.cnec in (16, 24), "+CNEC_ESM: 50,0")
        self._urc(on.mdmev > 0, "%MDMEV: SEARCH STATUS 2")
        self._set_status(HOME)
        self._urc(on.cind[0] > 0, '+CIND: "service",1')
        if BoardFault.CLOCK_UNKNOWN not in state.faults:
            state.clock_offset = timedelta()
            self._urc(on.xtime > 0, f'%XTIME: "00","{_universal_time(state)}","00"')
        self._restart_inactivity()

    def _denied(self) -> None:
        on = self._state.on
        self._urc(on.cnec in (8, 24), f"+CNEC_EMM: {REJECT_CAUSE}")
        self._urc(on.mdmev > 0, "%MDMEV: SEARCH STATUS 2")
        self._set_status(DENIED)
        self._release()

    def _detach(self, status: int) -> None:
        was_attached, had_pdn = self.attached, self.pdn_up
        state, on = self._state, self._state.on
        state.outbox.cancel(self._idle)
        state.outbox.cancel(self._return)
        self._come_back = None
        self.pdn_up = False
        self._hold(False)
        if was_attached:
            self._connect()
            self._urc(on.cgerep > 0, "+CGEV: ME DETACH")
        self.camped = False
        self._set_status(status)
        self._release()
        if was_attached:
            self._urc(on.cind[0] > 0, '+CIND: "service",0')
        if had_pdn:
            self._lost()

    def _release(self) -> None:
        if self.rrc_connected:
            self.rrc_connected = False
            self._urc(self._state.on.cscon > 0, f"+CSCON: {self.cscon()}")

    def _restart_inactivity(self) -> None:
        self._state.outbox.cancel(self._idle)
        self._idle = self._state.outbox.after(RRC_INACTIVITY, self._release)

    def _set_status(self, status: int) -> None:
        self.status = status
        level = self._state.on.cereg
        visible = (status, self.camped and level >= 2)
        if visible != self._reported:
            self._reported = visible
            self._urc(level > 0, f"+CEREG: {self.cereg()}")

    def _urc(self, wanted: bool, text: str) -> None:
        if wanted:
            self._state.urc(text)

    def _at(self, seconds: float, then: Callable[[], None]) -> None:
        self._timers.append(self._state.outbox.after(seconds, then))


def _universal_time(state: State) -> str:
    """The time as %XTIME prints it: seven octets of BCD with swapped digits, the last one the time zone."""
    text = f"{state.now():%y%m%d%H%M%S}00"
    return "".join(text[i + 1] + text[i] for i in range(0, len(text), 2))
