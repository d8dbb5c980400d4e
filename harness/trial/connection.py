"""A board's MQTT connection during trials: made when needed, with the allowed action that works on it."""

import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.firmware import Login, MqttDriver, MqttEvent, MqttEventKind, NoSession
from harness.timeline import Kind, Timeline, now
from harness.trial.controls import CHASER, REFUSED_SUBSCRIPTION, AllowedAction, run_control, subscribed
from harness.trial.facts import Attempt, Control, Stage
from harness.trial.not_connected import NotConnected, NothingAllowed

if TYPE_CHECKING:
    from harness.trial.sham import Sham


_FREE_PACKETS = 4
"""UNSUBSCRIBEs that a connection must carry before it is said that every allowed action is refused."""

_REFUSALS = 3
"""Times that every allowed action must be refused, each on a connection of its own, before that is said."""


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


class MqttConnection:
    """Keeps one board connected for trials.

    The board says whether it is connected, not the events: lines come late, or not at all. A failure (no answer in
    time, an allowed action that did not work) puts the connection in doubt, and its next use makes a new one.

    ``device``: the board's MQTT client. ``login``: of each CONNECT. ``timeline``: of the board.
    ``actions``: allowed actions in order of preference. ``gap``: seconds between two CONNECTs; AWS IoT Core throttles
    a client id that connects more often than once a second. ``patience``: seconds that any one answer may take.
    ``settle``: seconds that a message may take from its acknowledgement to whoever should see it.
    ``byte_seconds``: seconds that a byte takes on the board's serial line; 0: none worth mentioning.
    ``allows``: whether the policy documents allow one of them. ``registered``: whether the modem says that it is.
    ``clock``, ``pause``: the time in seconds, and how to let some of it pass.
    """

    def __init__(
        self,
        device: MqttDriver,
        login: Login,
        actions: Sequence[AllowedAction],
        timeline: Timeline,
        *,
        gap: float,
        patience: float,
        settle: float,
        byte_seconds: float = 0.0,
        allows: Callable[[AllowedAction], bool] = lambda _action: True,
        registered: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = now,
        pause: Callable[[float], None] = _pause,
    ) -> None:
        self.device = device
        self.login = login
        self.patience = patience
        self.settle = settle
        self.byte_seconds = byte_seconds
        self.timeline = timeline
        self._actions = actions
        self._gap = gap
        self._allows = allows
        self._registered = registered
        self.clock = clock
        self._pause = pause
        self._chosen: AllowedAction | None = None
        self._connected_at: int | None = None
        self._doubted = False
        self._last_connect = float("-inf")
        self._clean = False
        self.since = 0.0
        """When the connection was accepted, in seconds of the timeline."""
        self.asked_at = 0.0
        """When its CONNECT was asked for, in seconds of ``clock``: behind the wait for its turn."""
        self.packets = 0
        """Packets that an experiment sent on it."""
        self.used_by: object = None
        """Whoever made set-up of its own on it last."""
        self._shams: dict[str, bool] = {}

    @property
    def clean(self) -> bool:
        """True for a connection that stands and has carried nothing but set-up and allowed actions."""
        return self._clean and self._chosen is not None and self._stands()

    def spoil(self) -> None:
        """Note that something else was sent on the connection."""
        self._clean = False

    def doubt(self) -> None:
        """Note that something was not answered, so that the next use makes a new connection."""
        self._doubted = True

    def pause(self, seconds: float) -> None:
        """Let some time pass."""
        self._pause(seconds)

    @contextmanager
    def other_connect(self) -> Iterator[None]:
        """Around a CONNECT of the link's client id that something else makes: the gap holds before and behind it."""
        self.disconnect()
        self._respect_gap()
        yield
        self._last_connect = self.clock()

    def fresh(self) -> None:
        """Have a new connection, and know an allowed action that works. Raises NotConnected, NothingAllowed."""
        if self._chosen is None:
            self.ensure()
        else:
            self.reconnect()
        self._clean = True

    @property
    def action(self) -> AllowedAction:
        """The allowed action that works on this connection. Only after :meth:`ensure`."""
        if self._chosen is None:
            raise NotConnected("no allowed action is known yet: the link was never connected")
        return self._chosen

    @property
    def armed(self) -> frozenset[str]:
        """Topic filters that the allowed action has subscribed to; empty as long as none is known."""
        rights = () if self._chosen is None else self._chosen.rights
        return frozenset(topic for right, topic in rights if right == "iot:Subscribe")

    @property
    def connected(self) -> bool:
        """True when the connection was accepted and no end of it was reported."""
        if self._connected_at is None:
            return False
        mark = self.device.mark()
        ended = any(event.kind is MqttEventKind.CLOSED for event in self.device.events(self._connected_at))
        self._connected_at = None if ended else mark  # events that were looked at need not be looked at again
        return not ended

    def attempt(self, login: Login, *, held: float = 0.0) -> Attempt:
        """End an existing connection, try to connect with ``login``, and return how far it came.

        ``held``: seconds to wait first, behind the gap. Never raises for a refusal.
        """
        self.disconnect()
        self._respect_gap()
        if held:
            self._pause(held)
            self._last_connect = self.clock()
        start = self.clock()
        mark = self.device.mark()
        try:
            self.device.connect(login, timeout=self.patience * 2)
        except NoSession as error:
            return self._note(login, Attempt(Stage.NO_SESSION, str(error), self.clock() - start))
        event = self.device.wait(_answered, since=mark, timeout=self.patience)
        seconds = self.clock() - start
        if event is None:
            return self._note(login, Attempt(Stage.SILENT, f"within {self.patience:g} s", seconds))
        if event.kind is MqttEventKind.ACCEPTED:
            self._connected_at, self.since, self.packets = mark, event.t, 0
            self.asked_at = start
            return self._note(login, Attempt(Stage.ACCEPTED, "", seconds))
        stage = Stage.NO_CONNACK if event.hung_up else Stage.LOST
        if event.kind is MqttEventKind.REFUSED:
            stage = Stage.REFUSED
            self.device.wait(_closed, since=mark, timeout=self.patience)
        return self._note(login, Attempt(stage, str(event), seconds))

    def ensure(self) -> None:
        """Be connected, with an allowed action that was seen to work. Raises NotConnected, NothingAllowed."""
        if self._chosen is not None and self._stands():
            return
        if self._doubted:
            self.disconnect()
        tried: list[str] = []
        refused: list[AllowedAction] = []
        for action in [self._chosen] if self._chosen else self._actions:
            if not self.connected:
                self.reconnect()
            mark = self.device.mark()
            if not action.arm(timeout=self.patience):
                tried.append(f"{action.description} could not be prepared")
                refused += self._refused(action, mark)
                continue
            report = self.run(action)
            if report.ok:
                self._chosen = action
                return
            tried.append(f"{action.description} failed: {report.detail}")
            refused += self._refused(action, mark)
        self._chosen = None
        if refused and refused == [action for action in self._actions if self._allows(action)]:
            self._see_them_refused(refused, tried)
            return
        raise NotConnected(f"connected, but no allowed action works: {'; '.join(tried)}")

    def reconnect(self) -> Attempt:
        """Connect with the link's own login, ending a connection first. Raises NotConnected."""
        attempt = self.attempt(self.login)
        if attempt.stage is not Stage.ACCEPTED:
            raise NotConnected(f"{self.login.client_id} could not connect: {attempt}")
        if self._chosen is not None and not self._chosen.arm(timeout=self.patience):
            self._doubted = True
            raise NotConnected(f"connected, but {self._chosen.description} could not be prepared")
        return attempt

    def disconnect(self) -> None:
        """End the connection that the board says it has, if there is one."""
        self._connected_at = None
        self._clean = False
        self.device.disconnect()
        self._doubted = False

    def forget(self) -> None:
        """End the connection and the choice of the allowed action: the device's rights have changed."""
        self.disconnect()
        self._chosen = None
        self._shams.clear()

    def takes(self, sham: "Sham") -> bool:
        """Tell whether the cloud takes a sham; it is asked once for each template, twice where it did not answer.

        The documents may allow what the deployed policies refuse. Raises NotConnected.
        """
        if sham.template not in self._shams:
            taken = self._takes(sham)
            if taken is None:  # a cut, perhaps
                taken = self._takes(sham)
            self._shams[sham.template] = bool(taken)
        return self._shams[sham.template]

    def _takes(self, sham: "Sham") -> bool | None:
        """Send a sham; True, False: that was answered; None: it was hung up on, or there was no answer."""
        if not self.clean:
            self.fresh()
        mark, answer = self.device.mark(), sham.action.answer or MqttEventKind.PUBACK
        sent = sham.action.act(self.device, nonce())
        if sham.action.answer is None:
            self.action.send(nonce())  # QoS 0: the allowed action behind it is answered, or nothing is

        def came(*kinds: MqttEventKind, within: float) -> MqttEvent | None:
            wanted = (*kinds, MqttEventKind.CLOSED)
            return self.device.wait(lambda event: event.kind in wanted, since=mark, timeout=within)

        event, ended = came(answer, within=min(self.settle, self.patience)), True
        if event is None:  # its line may be lost: what needs no right, and is answered behind it, shows that
            chased = self.device.unsubscribe(CHASER)
            event = came(answer, MqttEventKind.UNSUBACK, within=self.patience)
            # The packet behind would take that answer for its own.
            ended = not chased or event is None or came(MqttEventKind.UNSUBACK, within=self.patience) is not None
            self.packets += 1
        self.packets += 1
        answered = sent and event is not None and event.kind is answer and ended
        taken = answered and event is not None and event.result < REFUSED_SUBSCRIPTION
        self._doubted = not taken
        return taken if answered else None

    def run(self, action: AllowedAction | None = None, *, token: str = "", seek: bool = True) -> Control:
        """Run an allowed action once, and report how it went.

        ``action``: which one; None: the connection's own. ``token``: the nonce in its message; "": a new one. ``seek``
        False: it need not be seen to arrive.
        """
        self._doubted = True  # until it has worked, whatever is raised meanwhile
        control = run_control(
            self.device,
            action or self.action,
            token or nonce(),
            timeout=self.patience,
            soon=self.settle,
            settle=self.settle if seek else None,
            clock=self.clock,
        )
        self._doubted = not control.ok
        return control

    def listen(self, topic_filter: str) -> bool:
        """Subscribe, and wait for SUBACK. False: that did not come about."""
        return subscribed(self.device, topic_filter, timeout=self.patience)

    def _refused(self, action: AllowedAction, mark: int) -> list[AllowedAction]:
        """Return ``action`` if the other side hung up on it, although the documents allow it."""
        hung_up = any(event.hung_up for event in self.device.events(mark))
        return [action] if hung_up and self._allows(action) and self._registered() else []

    def _see_them_refused(self, refused: Sequence[AllowedAction], tried: list[str]) -> None:
        """Find one of them working after all, or raise NothingAllowed: each was refused again and again.

        One cut looks like a refusal. So between the refusals, each on a connection of its own, stand connections on
        which nothing is asked for that needs a right: all of these must stay. Raises NotConnected for anything else.
        """
        for _ in range(_REFUSALS - 1):
            self._see_it_live(tried)
            for action in refused:
                self.reconnect()
                mark = self.device.mark()
                if action.arm(timeout=self.patience) and self.run(action).ok:
                    self._chosen = action
                    return
                if not self._refused(action, mark):
                    raise NotConnected(f"connected, but no allowed action works: {'; '.join(tried)}; then otherwise")
        self._see_it_live(tried)
        raise NothingAllowed(
            f"The cloud accepted the CONNECT and hung up {_REFUSALS} times on every action that the policy documents"
            f" allow ({'; '.join(tried)}); by turns with them {_REFUSALS} connections without any action stayed for"
            f" {self.settle:g} s each, and {_FREE_PACKETS} packets that need no right were answered on each"
        )

    def _see_it_live(self, tried: list[str]) -> None:
        """Raise NotConnected unless a connection stays on which nothing is asked for that needs a right.

        First it is left idle: a second client, or an age limit, would end it too. Then packets are sent that no policy
        is asked about, UNSUBSCRIBE: a limit of packets would end it too.
        """
        self.reconnect()
        mark = self.device.mark()
        if self.device.wait(_closed, since=mark, timeout=self.settle) is not None:
            raise NotConnected(f"connected, and hung up on without any action: a duplicate client? {'; '.join(tried)}")
        for number in range(1, _FREE_PACKETS + 1):
            mark = self.device.mark()
            self.device.unsubscribe(f"harness/{nonce()}")
            event = self.device.wait(_unsubscribed_or_closed, since=mark, timeout=self.patience)
            if event is None or event.kind is MqttEventKind.CLOSED:
                raise NotConnected(
                    f"connected, and hung up on at packet {number}, which needs no right: a packet limit?"
                    f" {'; '.join(tried)}"
                )

    def _stands(self) -> bool:
        """Tell whether the connection is there: by its events, by its last use, and by the board's word."""
        if not self.connected or self._doubted:
            return False
        if self.device.is_connected():
            return True
        self.timeline.add(Kind.FAULT, "trial", "the board says that its connection has ended, and no event told so")
        self._connected_at = None
        return False

    def _respect_gap(self) -> None:
        left = self._last_connect + self._gap - self.clock()
        if left > 0:
            # This waits for no event: AWS IoT asks for the time itself.
            self._pause(left)
        self._last_connect = self.clock()

    def _note(self, login: Login, attempt: Attempt) -> Attempt:
        self.timeline.add(Kind.STEP, "trial", f"connect as {login.client_id}: {attempt}", seconds=attempt.seconds)
        return attempt


def nonce() -> str:
    """Return a text that no other message carries."""
    return f"n{secrets.token_hex(8)}"


def _answered(event: MqttEvent) -> bool:
    return event.kind in (MqttEventKind.ACCEPTED, MqttEventKind.REFUSED, MqttEventKind.CLOSED)


def _unsubscribed_or_closed(event: MqttEvent) -> bool:
    return event.kind in (MqttEventKind.UNSUBACK, MqttEventKind.CLOSED)


def _closed(event: MqttEvent) -> bool:
    return event.kind is MqttEventKind.CLOSED
