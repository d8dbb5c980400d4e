"""A message to the board was larger than its modem's TLS buffer (about 2 kB) or its MQTT client's: a local cause.

Source: nRF Cloud documentation, MQTT topics (payload sizes); Zephyr's mqtt_rx.c (ENOMEM, decoding errors).
"""

from collections.abc import Iterator

from harness import device_errno
from harness.timeline import Kind
from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record, errno_of

_LOCAL = {12: "ENOMEM", 22: "EINVAL", 77: "EBADMSG", 122: "EMSGSIZE", 139: "EOVERFLOW"}
_LARGE = 2000
_SOON = 2.0


def inbound_too_large(record: Record) -> Iterator[Finding]:
    """Look for the errno of a reader that gave up, and for a large message just before the end."""
    end = record.hang_up
    if end is None:
        return
    if errno_of(end) in _LOCAL:
        text = f"the board could not read what came: {device_errno.describe(errno_of(end))}"
        yield Finding(Cause.INBOUND_TOO_LARGE, Weight.LIKELY, text, (end.seq,))
        return
    for event in record.events:
        size = _size(event.data.get("payload"), event.data.get("size"))
        towards = event.kind is Kind.MQTT and event.data.get("kind") == "message"
        if towards and size >= _LARGE and 0 <= end.t - event.t <= _SOON:
            text = f"a message of {size} bytes arrived {end.t - event.t:.1f} s before the end"
            yield Finding(Cause.INBOUND_TOO_LARGE, Weight.LIKELY, text, (event.seq, end.seq))
            return


def _size(payload: object, size: object) -> int:
    if isinstance(size, int):
        return size
    return len(payload) if isinstance(payload, str) else 0
