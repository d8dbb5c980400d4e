"""Functional modes: which of LTE, GNSS and UICC run, and what changing that costs.

Source: "nRF91x1 AT Commands" reference, +CFUN, %XSYSTEMMODE, %FEACONF, +COPS, +CGATT.
"""

from dataclasses import replace

from harness.settings import BoardFault
from harness.virtual.board.commands import Args, Commands, Forms, Refused, Reply, Wait
from harness.virtual.board.modem.codes import RADIO_CONNECTION_ACTIVE, SEARCH_INTERRUPTED
from harness.virtual.board.modem.nvm import PLMN
from harness.virtual.board.modem.radio import DENIED, DETACH, UICC_READY, Radio
from harness.virtual.board.modem.sim import xsim
from harness.virtual.board.modem.state import State

MODE_CHANGE = 0.033
NETWORK_SCAN = 5.0
AVAILABLE, CURRENT, FORBIDDEN = 1, 2, 3

# mode -> (LTE, GNSS, UICC); None: as it was
_MODES: dict[int, tuple[bool | None, bool | None, bool | None]] = {
    0: (False, False, False),
    1: (True, True, True),
    2: (True, False, True),
    4: (False, False, False),
    20: (False, None, None),
    21: (True, None, True),
    30: (None, False, None),
    31: (None, True, None),
    40: (False, None, False),  # no LTE without a SIM
    41: (None, None, True),
    44: (False, False, True),
}


class FunctionalCommands:
    """+CFUN and the settings that may only be changed while the modem is not active."""

    def __init__(self, state: State, radio: Radio) -> None:
        self._state = state
        self._radio = radio
        self._mode = 0
        self._uicc_start: int | None = None

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        modes = ",".join(str(mode) for mode in _MODES)
        return {
            "+CFUN": Forms(set=self._cfun, read=lambda: f"+CFUN: {self._mode}", test=f"+CFUN: ({modes})"),
            "%XSYSTEMMODE": Forms(set=self._set_system_mode, read=self._system_mode),
            "%FEACONF": Forms(set=self._feaconf),
            "+COPS": Forms(set=self._set_cops, read=self._cops, test=self._scan),
            "+CGATT": Forms(set=self._set_cgatt, read=lambda: f"+CGATT: {int(self._radio.attached)}"),
        }

    def _cfun(self, args: Args) -> Reply:
        mode = args.at_most(1).choice(0, tuple(_MODES))
        if mode == self._mode:
            return None
        lte, _, _ = _MODES[mode]
        if lte:
            self._check_lte()
        if self._radio.attached and (lte is False or mode == 2):
            self._radio.pause()
            return Wait(DETACH, lambda: self._enter(mode))
        self._enter(mode)
        return Wait(MODE_CHANGE, lambda: None)

    def _check_lte(self) -> None:
        """Refuse to go on air without an IMEI or with too low a supply."""
        faults = self._state.faults
        if BoardFault.NO_IMEI in faults and self._state.on.mdmev:
            self._state.urc("%MDMEV: NO IMEI")
        if BoardFault.NO_IMEI in faults or BoardFault.LOW_VOLTAGE in faults:
            raise Refused

    def _enter(self, mode: int) -> None:
        state = self._state
        lte, gnss, uicc = (
            was if now is None else now
            for now, was in zip(_MODES[mode], (state.lte, state.gnss, state.uicc), strict=True)
        )
        if state.lte and (not lte or state.receive_only != (mode == 2)):
            self._radio.stop()
            state.lte = False
        self._switch_uicc(uicc)
        state.gnss = gnss
        state.receive_only = mode == 2
        if lte and not state.lte:
            state.lte = True
            self._radio.search()
        self._mode = self._reported(mode)
        if mode == 0:
            state.save_settings()

    def _reported(self, mode: int) -> int:
        """The mode that +CFUN? shows. After 20, 21, 30, 31, 40, 41 this is not documented."""
        state = self._state
        if mode in (0, 1, 2, 4, 44):
            return mode
        if state.lte:
            return 2 if state.receive_only else 1
        if state.gnss:
            return 31
        return 41 if state.uicc else 4

    def _switch_uicc(self, on: bool) -> None:
        state = self._state
        if on == state.uicc:
            return
        state.uicc = on
        state.outbox.cancel(self._uicc_start)
        state.uicc_locked = False
        if on:
            self._uicc_start = state.outbox.after(UICC_READY, self._uicc_started)
        elif state.uicc_ready:
            self._uicc_ready(False)

    def _uicc_started(self) -> None:
        missing = BoardFault.NO_SIM in self._state.faults
        self._state.uicc_locked = bool(self._state.nvm.pin) and not missing
        self._uicc_ready(not missing and not self._state.uicc_locked)

    def unlocked(self) -> None:
        """The SIM's PIN was entered: it is ready, and a search that waited for it begins."""
        self._state.uicc_locked = False
        self._uicc_ready(True)
        if self._state.lte:
            self._radio.search()

    def _uicc_ready(self, ready: bool) -> None:
        self._state.uicc_ready = ready
        if self._state.on.xsim:
            self._state.urc(f"%XSIM: {xsim(self._state)}")

    def _system_mode(self) -> Reply:
        return "%XSYSTEMMODE: {},{},{},{}".format(*self._state.settings.system_mode)

    def _set_system_mode(self, args: Args) -> Reply:
        lte_m, nb_iot, gnss = (args.at_most(4).choice(index, (0, 1)) for index in range(3))
        preference = args.choice(3, range(5), default=0)
        self._state.check_storable()
        if not (lte_m or nb_iot or gnss):
            raise Refused
        self._state.settings = replace(self._state.settings, system_mode=(lte_m, nb_iot, gnss, preference))
        return None

    def _feaconf(self, args: Args) -> Reply:
        features = dict(self._state.settings.features)
        operation = args.at_most(3).choice(0, (0, 1, 2))
        if operation == 2:
            return [f"%FEACONF: {feature},{value}" for feature, value in features.items()]
        feature = args.choice(1, tuple(features))
        if operation == 1:
            return f"%FEACONF: {feature},{features[feature]}"
        value = args.choice(2, (0, 1))
        self._state.check_storable()
        features[feature] = value
        self._state.settings = replace(self._state.settings, features=tuple(features.items()))
        return None

    def _cops(self) -> Reply:
        mode = 1 if self._radio.plmn else 0
        if not self._radio.attached:
            return f"+COPS: {mode}"
        return f'+COPS: {mode},2,"{PLMN}",{self._radio.access_technology}'

    def _set_cops(self, args: Args) -> Reply:
        mode = args.at_most(4).choice(0, (0, 1, 3))
        if mode == 3:
            args.choice(1, (0, 1, 2))
            return None
        plmn = ""
        if mode == 1:
            args.choice(1, (2,))
            plmn = args.string(2, longest=6)
            if len(plmn) < 5 or not plmn.isdigit():
                raise Refused
        changed = plmn != self._radio.plmn
        self._radio.plmn = plmn
        if changed and self._state.lte and not (self._radio.attached and plmn in ("", PLMN)):
            self._radio.search_again()
        return None

    def _scan(self) -> Reply:
        """+COPS=?: the modem looks for networks, which takes long and needs it to be idle."""
        if not self._state.lte:
            raise Refused
        if self._radio.rrc_connected:
            raise Refused(RADIO_CONNECTION_ACTIVE)
        return Wait(NETWORK_SCAN, self._networks)

    def _networks(self) -> Reply:
        if self._radio.rrc_connected:  # data, or the attach, came in between
            raise Refused(SEARCH_INTERRUPTED)
        status = FORBIDDEN if self._radio.status == DENIED else CURRENT if self._radio.attached else AVAILABLE
        return f'+COPS: ({status},"","","{PLMN}",{self._radio.access_technology})'

    def _set_cgatt(self, args: Args) -> Reply:
        attach = args.at_most(1).choice(0, (0, 1))
        if not self._state.lte:
            raise Refused
        if attach and not self._radio.attached:
            self._radio.search_again()
        elif not attach and self._radio.attached:
            self._radio.pause()
            return Wait(DETACH, self._radio.stop)
        return None
