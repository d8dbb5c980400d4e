"""The steps of a plan that look for messages: the action's effect, and a flight of messages at once."""

from dataclasses import asdict

from harness.trial.actions import Acted
from harness.trial.connection import nonce
from harness.trial.experiment import Step
from harness.trial.facts import ActionEffect
from harness.trial.verdict import Unproved
from harness.trial.wire.step_context import StepContext


class EffectSteps:
    """Looks for messages of the actions of ``on``."""

    def __init__(self, on: StepContext) -> None:
        self._on = on

    def effect(self, number: int, step: Step) -> None:
        action, acted = self._on.tried.actions[step.action], self._on.state.acted[step.action]
        with self._on.phase(number, step, nonce=acted.nonce) as found:
            try:
                effect = action.effect(acted)
            except Unproved:  # the connection ended meanwhile, which its line shows
                effect = ActionEffect(None, "the connection ended before the effect was seen")
            if len(self._on.tried.actions) > 1 and effect.seen is None and not acted.prepared:
                effect = ActionEffect(False, effect.detail)  # alone it may be heard
            self._on.state.effects[step.action] = effect
            found |= asdict(effect)
            if effect.seen is not False:  # what was not seen is looked for again
                found["packets"] = action.quieten(acted)

    def flight(self, number: int, step: Step) -> None:
        """Send messages at once, the action's at its place, and see which arrive."""
        link, device, action = self._on.link, self._on.device, self._on.tried.actions[step.action]
        link.spoil()
        control = action.company(link.action, self._on.tried.delivery)
        acted = Acted(link, nonce(), device.mark(), self._on.state.unheard < 2)
        with self._on.phase(number, step, nonce=acted.nonce) as found:
            found |= {"acked": False, "sent": False}
            if control is None:  # nothing that is allowed could get lost beside it, so nothing is sent
                found |= {"acked": True, "missing": 0, "action_missing": True}
                return
            opened = action.open(acted) and control.arm(timeout=link.patience)
            tokens = [acted.nonce if place == step.place else nonce() for place in range(step.of)]
            mark = device.mark()
            sent = opened and all(
                action.send(acted) if token == acted.nonce else control.send(token) for token in tokens
            )
            found["packets"] = step.of
            if not sent or not self._on.acknowledgements(action.acknowledgements(step.of), mark, link.patience):
                return
            missing = [
                token for token in tokens if token != acted.nonce and not control.seen(token, timeout=link.settle)
            ]
            try:
                effect = action.effect_of_message(acted)
            except Unproved:  # the connection ended meanwhile: a round that was cut short, which its line shows
                return
            self._on.state.effects[step.action] = effect
            gone = effect.seen is not True
            found |= {"acked": True, "missing": len(missing) + gone, "action_missing": gone, "detail": effect.detail}
            found["sent"] = bool(effect.message_sent) if gone else True
