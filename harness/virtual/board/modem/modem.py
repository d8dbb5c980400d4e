"""The modem core: one AT command in, one answer out, unsolicited results whenever they happen. No framing, no I/O.

Source: "nRF91x1 AT Commands" reference.
"""

from collections.abc import Callable, Set
from datetime import datetime

from harness.settings import BoardFault
from harness.virtual.board.commands import Command, Forms, Refused, Reply
from harness.virtual.board.modem.bands import BandCommands
from harness.virtual.board.modem.credentials import CredentialCommands
from harness.virtual.board.modem.expiry import ExpiryCommands
from harness.virtual.board.modem.functional import FunctionalCommands
from harness.virtual.board.modem.general import GeneralCommands
from harness.virtual.board.modem.identity import IdentityCommands
from harness.virtual.board.modem.jwt import JwtCommands
from harness.virtual.board.modem.keys import KeyCommands
from harness.virtual.board.modem.network import NetworkCommands
from harness.virtual.board.modem.nvm import Nvm
from harness.virtual.board.modem.radio import Air, Radio
from harness.virtual.board.modem.sim import SimCommands
from harness.virtual.board.modem.state import State
from harness.virtual.board.outputs import Outbox
from harness.virtual.board.personality import Personality


class Modem:
    """One power cycle of the modem; a reset makes a new one over the same ``nvm``.

    ``personality``: the kind of board. ``outbox``: takes timers and holds. ``urc``: called with each unsolicited
    result, without line ends. ``lost``: called when the data connection ends. ``now``: the clock. ``faults``: what is
    wrong with the board. ``air``: the network around the modem, which outlives it; None: a new one.
    """

    def __init__(
        self,
        personality: Personality,
        nvm: Nvm,
        outbox: Outbox,
        *,
        urc: Callable[[str], None],
        lost: Callable[[], None],
        now: Callable[[], datetime],
        faults: Set[BoardFault] = frozenset(),
        air: Air | None = None,
    ) -> None:
        self._state = State(personality, nvm, outbox, urc, now, nvm.settings, faults)
        self.radio = Radio(self._state, lost, air)
        credentials = CredentialCommands(self._state)
        functional = FunctionalCommands(self._state, self.radio)
        self._commands: dict[str, Forms] = {}
        for group in (
            GeneralCommands(self._state, lambda: self._commands),
            IdentityCommands(self._state),
            functional,
            SimCommands(self._state, functional.unlocked),
            BandCommands(self._state),
            NetworkCommands(self._state, self.radio),
            credentials,
            ExpiryCommands(self._state),
            KeyCommands(self._state, credentials),
            JwtCommands(self._state),
        ):
            self._commands.update(group.commands())
        for name in personality.unsupported:
            del self._commands[name]

    def final_result(self, refusal: Refused) -> str:
        """Return the final result of a refused command: with its code only if the host asked for codes."""
        return f"+CME ERROR: {refusal.code}" if self._state.cmee and refusal.code is not None else "ERROR"

    def execute(self, command: Command) -> Reply:
        """Run one command. Raises :class:`Refused`.

        A command that the modem does not know, or not in this form, is refused without a code. Whether +CMEE=1 turns
        that into ``+CME ERROR: 0`` on a real modem is not known; hosts must take both.
        """
        if not command.name:
            return None
        forms = self._commands.get(command.name)
        if forms is None:
            raise Refused
        return forms.call(command)

    def notice(self) -> str | None:
        """Return an unsolicited result that may come at any moment; None if the host asked for none."""
        if self._state.on.cscon:
            return f"+CSCON: {self.radio.cscon()}"
        return f"+CEREG: {self.radio.cereg()}" if self._state.on.cereg else None

    def power_off(self) -> None:
        """Go to CFUN=0 silently: save the settings and leave the network."""
        self._state.save_settings()
        self.radio.switch_off()

    def crash(self) -> None:
        """Stop at once: what was not stored is lost."""
        self.radio.switch_off()
