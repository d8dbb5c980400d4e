"""Whose acknowledgement it is: by its packet id where the firmware shows it, else by the order."""

import pytest

from harness.firmware import MqttEventKind
from harness.timeline import Event, Kind
from harness.trial.experiment import Do
from harness.trial.phases import Span
from harness.trial.wire.recorded_step import RecordedStep, answer_of


def step_with(*acknowledged, ids):
    """An action (packet 7) that stayed silent, so that a fence (packet 8) was sent behind it; then these PUBACKs."""
    events = []

    def add(kind, /, **data):
        events.append(Event(len(events), float(len(events)), kind, "board", "", data))
        return events[-1]

    begin = add(Kind.PHASE, name="action", on="begin", answer=MqttEventKind.PUBACK)
    add(Kind.TX, **({"packet_id": 7} if ids else {}))
    add(Kind.PHASE, name="fence", on="begin", behind=True)
    add(Kind.TX, **({"packet_id": 8} if ids else {}))
    for number in acknowledged:
        add(Kind.MQTT, kind=MqttEventKind.PUBACK, **({"packet_id": number} if ids else {}))
    end = add(Kind.PHASE, name="action", on="end")
    return RecordedStep(Do.ACTION, Span(begin, tuple(events[1:-1]), end), chased=False, pace=0.0), events


@pytest.mark.parametrize(
    ("acknowledged", "ids", "answered"),
    [
        ([7], True, True),  # late, and the action's all the same
        ([8], True, False),
        ([7, 8], True, True),
        ([7], False, False),  # nobody knows whose it is: the fence's
        ([7, 8], False, True),
    ],
)
def test_a_puback_behind_a_fence(acknowledged, ids, answered):
    step, events = step_with(*acknowledged, ids=ids)
    answer, silent = answer_of(step, events)
    assert answer is not None
    assert silent is not answered
