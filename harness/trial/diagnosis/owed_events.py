"""Lines that a board owes and did not print, or printed too often: the UART loses, doubles and delays.

Each command that ended with OK owes its event: a CONNECT owes CONNACK or an end, a PUBLISH with QoS 1 a PUBACK, a
SUBSCRIBE a SUBACK, an UNSUBSCRIBE an UNSUBACK, each accepted connection its end. When the connection ends, events that
have not come yet are no longer owed.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from harness.timeline import Event, Kind
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record
from harness.words import Ask, Dictionary

_OWES = {Ask.CONNECT: "connack", Ask.PUBLISH: "puback", Ask.SUBSCRIBE: "suback", Ask.UNSUBSCRIBE: "unsuback"}


class Debts:
    """What is owed now, and what came although nothing was owed. Fed with events in order. ``words``: see Record."""

    def __init__(self, words: Dictionary) -> None:
        self._words = words
        self.owed: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()
        self.surplus: list[Event] = []
        self.accepted: list[Event] = []
        """Connections whose end did not come, the last one with the rest: it may live."""
        self._seen_connect = False

    def take(self, event: Event) -> None:
        """Take in one event."""
        if event.kind is Kind.RESULT and event.text == "OK":  # data mode has a second result, which owes nothing more
            self._asked(event.data.get("command", ""))
        elif event.kind is Kind.MQTT:
            self._came(event, event.data["kind"])

    @property
    def unpaid(self) -> dict[str, int]:
        """What is owed still, without the ends of connections that live."""
        return {kind: count for kind, count in self.owed.items() if count > 0 and kind != "closed"}

    def _asked(self, command: str) -> None:
        what, _, qos, _ = self._words.asked(command)
        self._seen_connect = self._seen_connect or what is Ask.CONNECT
        if what in _OWES and (what is not Ask.PUBLISH or qos == 1):
            self.owed[_OWES[what]] += 1

    def _came(self, event: Event, kind: str) -> None:
        if kind == "closed":
            # An end of an older connection may come behind the next CONNECT; then that one owes its CONNACK still.
            self.owed = Counter({"connack": self.owed["connack"]} if self.owed["closed"] > 0 else {})
            self.paid["closed"] += 1
            del self.accepted[:1]
            return
        kind = "connack" if kind in ("accepted", "refused") else kind
        if kind not in ("connack", "puback", "suback", "unsuback"):
            return
        self.paid[kind] += 1
        if self.owed[kind] > 0:
            self.owed[kind] -= 1
        elif self._seen_connect:
            self.surplus.append(event)
        if event.data.get("kind") == "accepted":
            self.owed["closed"] += 1
            self.accepted.append(event)


def debts(events: Sequence[Event], words: Dictionary) -> Debts:
    """Return what the board owes at the end of ``events``."""
    found = Debts(words)
    for event in events:
        found.take(event)
    return found


def owed_events(record: Record) -> Iterator[Finding]:
    """Look for lines that came too often, and for lines that did not come although the connection lived on."""
    found = debts(record.events, record.words)
    for event in found.surplus[:1]:
        text = f"{event.data.get('kind')} came once more than anything asked for it: a line that is double or late"
        yield Finding(Cause.UART_TROUBLE, Weight.LIKELY, text, (event.seq,))
    if len(found.accepted) > 1:
        lost = len(found.accepted) - 1
        text = f"{lost} of the connections have no end, though later ones were accepted: lines got lost"
        yield Finding(Cause.UART_TROUBLE, Weight.LIKELY, text, tuple(event.seq for event in found.accepted[:-1][:5]))
    if found.unpaid and record.hang_up is None and record.events:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(found.unpaid.items()))
        text = f"the board owes {kinds}, and reported no end of the connection"
        yield Finding(Cause.UART_TROUBLE, Weight.POSSIBLE, text, (record.events[-1].seq,))
