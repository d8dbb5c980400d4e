"""What the cloud itself says: nRF Cloud keeps the reason of the last disconnect in the device's state.

The reasons are AWS IoT's lifecycle events. DUPLICATE_CLIENTID means "a newer CONNECT with this id", which after a short
outage is the board's own: so it counts only where the board had not connected again before it was read.
UNCONFIRMED: which reason a refused publish leaves; AUTH_ERROR is AWS's word for it, CLIENT_ERROR and CONNECTION_LOST
are left open.
Source: AWS IoT Core documentation, "Lifecycle events"; nRF Cloud's device shadow schema.
"""

from collections.abc import Iterator

from harness.timeline import Event, Kind
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record

_CAUSES = {
    "AUTH_ERROR": Cause.POLICY,
    "DUPLICATE_CLIENTID": Cause.DUPLICATE_CLIENT,
    "DUPLICATE_CLIENT_ID": Cause.DUPLICATE_CLIENT,
    "MQTT_KEEP_ALIVE_TIMEOUT": Cause.KEEP_ALIVE,
    "SERVER_ERROR": Cause.CLOUD_AWAY,
    "SERVER_INITIATED_DISCONNECT": Cause.CLOUD_AWAY,
    "THROTTLED": Cause.THROTTLED,
    "CLIENT_INITIATED_DISCONNECT": Cause.OWN_DISCONNECT,
}


def cloud_reason(record: Record) -> Iterator[Finding]:
    """Take the cloud's word where it can only mean the hang-up in question."""
    if record.reason is None:
        return
    reason, event = record.reason
    cause = _CAUSES.get(reason)
    if cause is None:
        return
    weight = Weight.LIKELY if _of_this_end(record, event) else Weight.POSSIBLE
    yield Finding(cause, weight, f"the cloud gives the reason {reason}", (event.seq,))


def _of_this_end(record: Record, reason: Event) -> bool:
    """True when the reason was read after the end, and the board did not connect again in between.

    A word on an earlier end says nothing of a later one, of which nobody asked.
    """
    end = record.hang_up
    return (
        end is not None
        and end.seq < reason.seq
        and not any(
            end.seq < event.seq < reason.seq and event.kind is Kind.MQTT and event.data.get("kind") == "accepted"
            for event in record.events
        )
    )
