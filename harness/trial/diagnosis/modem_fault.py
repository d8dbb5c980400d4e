"""The board restarted, or its modem crashed: it says so itself, and everything before is void."""

from collections.abc import Iterator

from harness.trial.diagnosis.finding import Cause, Finding, Weight
from harness.trial.diagnosis.record import Record

_LINES = r"Ready$|INIT ERROR|#XMODEM: (FAULT|SHUTDOWN|INIT)|Modem has crashed|\*\*\* Booting"
_ESHUTDOWN = 110


def modem_fault(record: Record) -> Iterator[Finding]:
    """Source: Serial Modem documentation, "Ready" and #XMODEM; nRF Connect SDK's log of a crash."""
    line = record.first(_LINES)
    if line:
        text = f"the board restarted, or its modem failed: {line.text!r}"
        yield Finding(Cause.MODEM_FAULT, Weight.CERTAIN, text, (line.seq,))
    elif record.hang_up and abs(int(record.hang_up.data.get("result", 0))) == _ESHUTDOWN:
        text = "the board reports ESHUTDOWN: its modem library was shut down"
        yield Finding(Cause.MODEM_FAULT, Weight.LIKELY, text, (record.hang_up.seq,))
