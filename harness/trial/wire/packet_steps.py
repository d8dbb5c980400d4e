"""The steps of a plan that send one packet and wait for its answer: the allowed action, shams, and the action."""

from dataclasses import asdict
from typing import Any, Final

from harness.firmware import MqttEvent, MqttEventKind
from harness.trial.actions import Acted, PacketAction
from harness.trial.connection import nonce
from harness.trial.controls import CHASER
from harness.trial.experiment import Do, Step
from harness.trial.phases import Phase
from harness.trial.wire.step_context import StepContext, acknowledged

_DUE: Final = 4  # times as long as any answer may take: what was sent together is answered together
_NO_ANSWER: Final = "fence"  # a QoS 0 message has none: the fence behind it is awaited instead


class PacketSteps:
    """Sends packets on the connection of ``on``."""

    def __init__(self, on: StepContext) -> None:
        self._on = on

    def sham(self, number: int, step: Step) -> None:
        """Send an allowed action of the action's shape, or what stands in for one."""
        if self._on.tried.sham is not None:
            self.packet(number, step, self._on.tried.sham, self._on.link.patience)
        elif self._on.tried.actions[step.action].answer is None:
            self._acknowledged_sham(number, step)
        else:
            self._stand_in(number, step)

    def _stand_in(self, number: int, step: Step) -> None:
        """Send the allowed action in place of a sham."""
        if not step.chased:
            self.allowed(number, step)
            return
        token, mark = nonce(), self._on.device.mark()
        with self._on.phase(number, step, nonce=token, answer=MqttEventKind.PUBACK) as found:
            found["sent"] = self._on.link.action.send(token)
            if found["sent"]:
                self._chased(number, MqttEventKind.PUBACK, mark, self._on.link.patience, ends=True)

    def _acknowledged_sham(self, number: int, step: Step) -> None:
        """Send the allowed action in place of a QoS 0 sham, with a round trip and a fence behind it, as the action has.

        Otherwise the action would take twice the time of a sham, and a random cut would fall on it twice as often.
        """
        token, wait = nonce(), self._on.night.round_trip
        with self._on.phase(number, step, nonce=token, answer=_NO_ANSWER) as found:
            begun = self._on.link.clock()
            control = self._on.link.run(token=token, seek=False)
            found |= {"sent": control.acked, "chased": control.chased}
            left = wait - (self._on.link.clock() - begun)
            if control.ok and self._on.wait((), since=self._on.mark, timeout=max(0.0, left)) is None:
                self.allowed(number, Step(Do.FENCE), behind=True)

    def allowed(self, number: int, step: Step, *, seek: bool = False, **more: Any) -> None:
        """Send the connection's own allowed action as ``step``, the plan's step ``number``, counted from 0.

        ``seek``: look for its message, too. ``more``: data for the begin of its phase.
        """
        token = nonce()
        with self._on.phase(number, step, nonce=token, answer=MqttEventKind.PUBACK, **more) as found:
            control = self._on.link.run(token=token, seek=seek)
            found |= asdict(control)

    def packet(self, number: int, step: Step, action: PacketAction, patience: float) -> None:
        """Send a sham or the action, and wait for its answer; where none comes, send a fence behind it.

        ``action``: what is sent, as ``step``, the plan's step ``number``, counted from 0. ``patience``: seconds to wait
        for an answer. What has none (QoS 0) is given one round trip.
        """
        link, device = self._on.link, self._on.device
        link.spoil()
        prepared = self._on.state.unheard < 2
        acted = self._on.state.acted[step.action] = Acted(link, nonce(), device.mark(), prepared)
        answer = action.answer or _NO_ANSWER
        # Of a group the attempt's own action says nothing: rules over the run must know whose refusal a hang-up was.
        named = {"tried": str(action)} if len(self._on.tried.actions) > 1 else {}
        with self._on.phase(number, step, nonce=acted.nonce, answer=answer, **named) as found:
            found["sent"] = action.act(device, acted.nonce)
            wait = self._on.night.round_trip if action.answer is None else patience
            if found["sent"] and step.chased and action.answer is not None:
                event = self._chased(number, action.answer, acted.mark, wait, ends=step.do is Do.SHAM)
            else:
                event = self._on.wait((action.answer,), since=acted.mark, timeout=wait) if found["sent"] else None
            if event is None and found["sent"] and (step.do is Do.ACTION or action.answer is None):
                self._behind(number, action, wait)

    def _chased(self, number: int, answer: MqttEventKind, mark: int, timeout: float, *, ends: bool) -> MqttEvent | None:
        """Send an UNSUBSCRIBE right behind a packet, and wait for the answers to both, ``timeout`` for the packet's.

        It needs no right, and has an answer of another kind, also where nothing was subscribed to [MQTT-3.10.4-5].
        Where the cloud passes over the action, its slot ends by that answer: as soon as a sham's. Every sham is chased
        too, so that a limit of packets meets each slot alike.

        An answer that is due, and does not come behind that one either, is lost or will not come: nobody waits for it
        longer than for any answer. One lost line would otherwise cost all patience, which is 45 s on a radio link.
        The same holds for the UNSUBSCRIBE's own answer if the plan ``ends`` without it, as behind a sham or its
        stand-in.

        Returns the packet's answer, or the end of the connection; None: neither came in time.
        """
        link, begun = self._on.link, self._on.link.clock()
        if self._on.wait((), since=mark, timeout=0.0) is None:
            with self._on.log.phase(Phase.CHASER, step=number, behind=True) as found:
                found["sent"] = link.device.unsubscribe(CHASER)
            link.packets += 1
        event = self._on.wait((answer, MqttEventKind.UNSUBACK), since=mark, timeout=timeout)
        if event is not None and event.kind is MqttEventKind.UNSUBACK:
            left = max(0.0, timeout - (link.clock() - begun))
            return self._on.wait((answer,), since=mark, timeout=min(left, self._on.night.patience))
        if event is not None and event.kind is not MqttEventKind.CLOSED:
            due = _DUE * self._on.night.patience if ends else link.patience
            self._on.wait((MqttEventKind.UNSUBACK,), since=mark, timeout=min(due, link.patience))
        return event

    def _behind(self, number: int, action: PacketAction, wait: float) -> None:
        """Send a fence behind a packet that stays silent, or that has no answer.

        The first PUBACK behind a silent publish may be its own: is there a second?
        """
        device, mark = self._on.device, self._on.device.mark()
        self.allowed(number, Step(Do.FENCE), behind=True)
        if action.answer is MqttEventKind.PUBACK and acknowledged(device, mark) == 1:
            self._on.acknowledgements(2, mark, wait)
