"""One attempt, phase by phase: the action between its controls.

Order on the wire: the allowed action (baseline), the action in question, the allowed action again (the *fence*). MQTT
keeps the order, so an acknowledged fence proves that the action before it was tolerated, and a hang-up without it
proves that it was not; no time has to pass. After a hang-up the harness asks: is the modem still registered, did
anything restart, do the same credentials connect again, does the allowed action work again, did the message reach
anybody?

A refused CONNECT leaves nothing to put controls on, so the right login is tried before and after it.
"""

from dataclasses import asdict

from harness.firmware import Login, MqttEventKind
from harness.modem import Modem
from harness.trial.actions import Acted, PacketAction
from harness.trial.connect_trial import ConnectTrial
from harness.trial.connection import MqttConnection, nonce
from harness.trial.facts import Attempt, Control, Facts, Stage
from harness.trial.facts_of import facts_of
from harness.trial.not_connected import NotConnected
from harness.trial.phases import Phase, PhaseLog


class ControlledAction:
    """One attempt on ``link``. ``hold``: seconds after the fence in which a late refusal still counts."""

    def __init__(self, link: MqttConnection, modem: Modem, hold: float, log: PhaseLog) -> None:
        self._link = link
        self._modem = modem
        self._hold = hold
        self._log = log

    def packet(self, action: PacketAction) -> None:
        """Try a packet on the link's connection."""
        device = self._link.device
        with self._log.phase(Phase.CONNECT) as found:
            self._link.ensure()
            prepared = action.prepare(self._link)
            self._link.ensure()
            found["control"] = self._link.action.description
        if not self._control(Phase.BASELINE).ok:
            self._ask()
            return
        acted = Acted(self._link, nonce(), device.mark(), prepared)
        with self._log.phase(Phase.ACTION, nonce=acted.nonce) as found:
            found["sent"] = action.act(device, acted.nonce)
        settled = found["sent"] and self._control(Phase.FENCE).ok
        with self._log.phase(Phase.HOLD):
            device.wait(
                lambda event: event.kind is MqttEventKind.CLOSED,
                since=acted.mark,
                timeout=self._hold if settled else self._link.patience,
            )
        if self._facts().hang_up is not None:
            self._after_hang_up(action, acted)
            return
        if settled:
            with self._log.phase(Phase.EFFECT) as found:
                found |= asdict(action.effect(acted))
        self._ask()

    def connect(self, action: ConnectTrial) -> None:
        """Connect with another login, or under other circumstances, between two connections with the right ones."""
        with self._log.phase(Phase.CONNECT):
            self._link.ensure()
            self._link.disconnect()
        with action.circumstances():
            if self._try(action.login).stage is Stage.ACCEPTED:
                self._link.disconnect()
            self._ask()
        facts = self._facts()
        if not facts.restarted and not facts.network_loss:
            self._reconnect()

    def own_connect(self) -> None:
        """Connect with the link's own login, and run the allowed action."""
        self._link.forget()
        if self._try(self._link.login).refused:
            self._try(self._link.login)
        self._ask()
        if not self._facts().refused_twice:
            with self._log.phase(Phase.CONNECT) as found:
                self._link.ensure()
                found["control"] = self._link.action.description

    def _after_hang_up(self, action: PacketAction, acted: Acted) -> None:
        self._ask()
        facts = self._facts()
        if facts.network_loss or facts.restarted or not self._reconnect():
            return
        with self._log.phase(Phase.DELIVERY) as found:
            found["reached"] = action.reached(acted.nonce)

    def _control(self, name: Phase) -> Control:
        token = nonce()
        with self._log.phase(name, nonce=token) as found:
            control = self._link.run(token=token)
            found |= asdict(control)
        return control

    def _try(self, login: Login) -> Attempt:
        with self._log.phase(Phase.ACTION) as found:
            attempt = self._link.attempt(login)
            found |= asdict(attempt)
        return attempt

    def _reconnect(self) -> bool:
        """Connect with the right login again, and tell whether the allowed action worked."""
        with self._log.phase(Phase.RECONNECT) as found:
            try:
                self._link.reconnect()
            except NotConnected as error:
                found["error"] = str(error)
                return False
        return self._control(Phase.AFTER).ok

    def _ask(self) -> None:
        """Ask the modem. What the board says by itself is on the timeline."""
        with self._log.phase(Phase.QUESTIONS) as found:
            registration = self._modem.registration()
            found |= {"registered": registration.registered, "registration": registration.text}
            if self._facts().restarted_earlier:  # or somebody else said so: a restart forgets every setting
                found["remembers"] = self._modem.remembers()

    def _facts(self) -> Facts:
        return facts_of(self._log.events())
