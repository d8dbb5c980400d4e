"""Serial Modem (the former Serial LTE Modem) as Nordic ships it: ``#XMQTT…`` commands and URCs on the AT port.

Source: Serial Modem application documentation, "MQTT client AT commands" and "Data mode". The grammar is the same from
SLM of nRF Connect SDK 2.6 up to Serial Modem 1.0.
"""

import time
from collections.abc import Callable

from harness.at import AtError, AtPort, FramedUrc, Listener, Urc
from harness.errors import NoAnswer
from harness.firmware.interface import Login, MqttEvent, MqttEventKind, NoSession
from harness.timeline import Kind

_HAPPENINGS = {
    1: MqttEventKind.CLOSED,
    3: MqttEventKind.PUBACK,
    7: MqttEventKind.SUBACK,
    8: MqttEventKind.UNSUBACK,
}
_MESSAGE_FOLLOWED = 2  # printed after #XMQTTMSG, says nothing that the message did not
_CONNACK = 0
_RESTARTS = ("Ready", "INIT ERROR", "#XMODEM")
_LONGEST_TOPIC = 128  # bytes; Serial Modem documentation, AT#XMQTTPUB and AT#XMQTTSUB
_INLINE_LIMIT = 1024  # the firmware's buffer for a payload inside the command
_KEPT_EVENTS = 10_000


def _message_lengths(args: str) -> tuple[int, ...]:
    topic, _, payload = args.partition(",")
    return int(topic), int(payload)


FRAMED: dict[str, FramedUrc] = {"#XMQTTMSG": _message_lengths}
"""URCs whose payload is counted, not delimited: for :class:`harness.at.PortSettings`."""


class SerialModem:
    """Drives one board's MQTT client over its AT port (:class:`harness.firmware.MqttFirmware`)."""

    def __init__(self, port: AtPort, *, product: str) -> None:
        self.product = product
        self._port = port
        self._listener: Listener = port.listen("#XMQTTEVT", "#XMQTTMSG", *_RESTARTS)
        self._events: list[MqttEvent] = []
        self._first = 0
        self._restarts: list[tuple[int, str]] = []
        self._connecting = False

    def connect(self, login: Login, *, timeout: float = 60.0) -> None:
        """Set up TCP and TLS and send CONNECT; CONNACK comes as an event. See MqttFirmware."""
        clean = int(login.clean_session)
        self._port.command(f'AT#XMQTTCFG="{login.client_id}",{login.keepalive},{clean}')
        self._connecting = True
        target = f'"{login.host}",{login.port},{login.sec_tag}'
        try:
            self._port.command(f'AT#XMQTTCON=1,"","",{target}', timeout=timeout)
        except AtError as refused:
            self._connecting = False
            raise NoSession(
                f"{self._port.name}: no TLS session with {login.host}:{login.port} using sec_tag {login.sec_tag} "
                f"(the board says {refused.final}; name, network, trust and key all look alike to it)"
            ) from refused

    def topic_fault(self, topic: str) -> str | None:
        """Say what Serial Modem's documentation and its quoted parameters rule out."""
        length = len(topic.encode())
        if length > _LONGEST_TOPIC:
            return f"{self.product} takes topics of up to {_LONGEST_TOPIC} bytes, and this one has {length}"
        if '"' in topic or not topic.isprintable():
            return f"{self.product} cannot be told a topic with quotes or control characters"
        return None

    def disconnect(self) -> None:
        """End the connection; not being connected is fine."""
        start = self.mark()
        try:
            self._port.command("AT#XMQTTCON=0", timeout=15.0)
        except AtError:
            return
        self.wait(lambda event: event.kind is MqttEventKind.CLOSED, since=start, timeout=10.0)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Hand a message to the board, in the command where it fits, else in data mode. See MqttFirmware."""
        tail = f",{qos},{int(retain)}"
        try:
            if _fits_inline(payload):
                self._port.command(f'AT#XMQTTPUB="{topic}","{payload.decode("ascii")}"{tail}', timeout=15.0)
                return True
            return self._port.send_payload(f'AT#XMQTTPUB="{topic}",""{tail}', payload) == 0
        except AtError:
            return False

    def subscribe(self, topic_filter: str, *, qos: int = 1) -> bool:
        """Ask for a subscription. See MqttFirmware."""
        return self._accepted(f'AT#XMQTTSUB="{topic_filter}",{qos}')

    def unsubscribe(self, topic_filter: str) -> bool:
        """Ask to end a subscription. See MqttFirmware."""
        return self._accepted(f'AT#XMQTTUNSUB="{topic_filter}"')

    def mark(self) -> int:
        """Return the position after everything that arrived so far."""
        self._drain()
        return self._first + len(self._events)

    def events(self, since: int) -> list[MqttEvent]:
        """Return the events from ``since`` on."""
        self._drain()
        return self._events[max(since - self._first, 0) :]

    def wait(self, match: Callable[[MqttEvent], bool], *, since: int, timeout: float) -> MqttEvent | None:
        """Return the first event from ``since`` on that ``match`` accepts, or None after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            fresh = self.events(since)
            for event in fresh:
                if match(event):
                    return event
            since += len(fresh)
            try:
                self._take(self._listener.next(max(deadline - time.monotonic(), 0.0), what="an MQTT event"))
            except NoAnswer:
                return None

    def restarted(self, since: int) -> str | None:
        """Return the line by which the board reported a restart or a modem fault since ``since``."""
        self._drain()
        return next((text for position, text in self._restarts if position >= since), None)

    def close(self) -> None:
        """Stop watching."""
        self._listener.close()

    def _accepted(self, command: str) -> bool:
        try:
            self._port.command(command, timeout=15.0)
        except AtError:
            return False
        return True

    def _drain(self) -> None:
        while (urc := self._listener.poll()) is not None:
            self._take(urc)

    def _take(self, urc: Urc) -> None:
        event = self._read(urc)
        if event is None:
            return
        self._port.timeline.extend(
            [(event.t, Kind.MQTT, self._port.name, str(event), {"kind": event.kind, "result": event.result})]
        )
        self._events.append(event)
        if len(self._events) > _KEPT_EVENTS:
            del self._events[0]
            self._first += 1

    def _read(self, urc: Urc) -> MqttEvent | None:
        if urc.name == "#XMQTTMSG":
            topic, payload = urc.blobs
            return MqttEvent(MqttEventKind.MESSAGE, urc.t, 0, topic.decode("utf-8", "replace"), payload)
        if urc.name != "#XMQTTEVT":
            self._restarts.append((self._first + len(self._events), urc.text))
            return None
        try:
            number, code = map(int, urc.args.split(","))
        except ValueError:
            self._port.timeline.add(Kind.FAULT, self._port.name, f"garbled, skipped: {urc.text}")
            return None
        if number == _MESSAGE_FOLLOWED:
            return None
        if number == _CONNACK:
            return self._connack(urc.t, code)
        if number == 1:
            self._connecting = False
        return MqttEvent(_HAPPENINGS.get(number, MqttEventKind.OTHER), urc.t, code)

    def _connack(self, t: float, code: int) -> MqttEvent:
        if not self._connecting:
            # A refused CONNACK is followed by a second event when the client is torn down; older Zephyr numbers that
            # one 0 as well ("0,-111"), newer 1 ("1,-111"). Which SDK switched is unconfirmed: both mean closed.
            return MqttEvent(MqttEventKind.CLOSED, t, code)
        self._connecting = False
        if code < 0:
            # Older Zephyr reports a broker that closes without CONNACK as "0,-111".
            return MqttEvent(MqttEventKind.CLOSED, t, code)
        return MqttEvent(MqttEventKind.ACCEPTED if code == 0 else MqttEventKind.REFUSED, t, code)


def _fits_inline(payload: bytes) -> bool:
    """An inline payload is quoted text: no quote, no comma (the documentation forbids it), no line end."""
    return 0 < len(payload) <= _INLINE_LIMIT and all(32 <= byte < 127 and byte not in b'",' for byte in payload)
