"""Makes timelines for diagnosers: short lines of what happened, as a run would have recorded them.

And diagnoses them, as the harness does: with the words of every firmware.
"""

from __future__ import annotations

from functools import partial

from harness.firmware import WORDS
from harness.timeline import Event, Kind
from harness.trial import diagnosis
from harness.trial.diagnosis import owed_events

Record = partial(diagnosis.Record, words=WORDS)
diagnose = partial(diagnosis.diagnose, words=WORDS)
debts = partial(owed_events.debts, words=WORDS)

_BY_NUMBER = {0: "accepted", 1: "closed", 3: "puback", 7: "suback", 8: "unsuback", 9: "other"}


class Line:
    """A timeline under construction. Each call appends one event, ``after`` seconds behind the one before."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.now = 0.0

    def add(self, kind, text, after=0.1, /, source="board", **data):
        self.now += after
        self.events.append(Event(len(self.events), self.now, Kind(kind), source, text, data))
        return self

    def tx(self, text, after=0.1):
        return self.add("tx", text, after)

    def urc(self, text, after=0.1):
        """A URC; where it is an MQTT one, what the firmware's driver makes of it follows."""
        self.add("urc", text, after)
        name, _, arguments = text.partition(": ")
        if name == "#XMQTTEVT":
            number, result = map(int, arguments.split(","))
            kind = _BY_NUMBER.get(number, "other")
            if number == 0 and result:
                kind = "refused"
            self.mqtt(kind, 0.0, result=result)
        return self

    def log(self, text, after=0.1):
        return self.add("rx", text, after)

    def mqtt(self, kind, after=0.1, result=0, **data):
        return self.add("mqtt", kind, after, kind=kind, result=result, **data)

    def cloud(self, text, after=0.1, **data):
        return self.add("cloud", text, after, source="cloud", **data)

    def fault(self, text, after=0.1, source="board"):
        return self.add("fault", text, after, source=source)

    def connect(self, keepalive=1200):
        self.tx(f'AT#XMQTTCFG="nrf-1",{keepalive},1').add("result", "OK", ok=True)
        self.tx('AT#XMQTTCON=1,"","","mqtt.nrfcloud.com",8883,16842753').add("result", "OK", ok=True)
        return self.urc("#XMQTTEVT: 0,0")

    def publish(self, topic="prod/t/m/x", *, answered=True, after=0.1):
        self.tx(f'AT#XMQTTPUB="{topic}","x",1,0', after).add("result", "OK", ok=True)
        return self.urc("#XMQTTEVT: 3,0") if answered else self

    def hung_up(self, errno=128, after=0.1):
        return self.urc(f"#XMQTTEVT: 1,-{errno}", after)
