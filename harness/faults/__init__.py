"""Faults from outside: a TCP proxy, and a man in the middle on a port. docs/verdicts.md shows their use."""

from typing import TYPE_CHECKING, Final

from harness.lazily import names_of

if TYPE_CHECKING:
    from harness.faults.fault import Deed, Direction, Fault
    from harness.faults.framing import Framing
    from harness.faults.pty_proxy import PtyProxy
    from harness.faults.script import FaultPlan, FaultScript, Struck
    from harness.faults.tcp_proxy import TcpProxy

_HOMES: Final = {
    "fault": "Deed Direction Fault",
    "framing": "Framing",
    "pty_proxy": "PtyProxy",
    "script": "FaultPlan FaultScript Struck",
    "tcp_proxy": "TcpProxy",
}
__getattr__ = names_of(__name__, _HOMES)

__all__ = [
    "Deed",
    "Direction",
    "Fault",
    "FaultPlan",
    "FaultScript",
    "Framing",
    "PtyProxy",
    "Struck",
    "TcpProxy",
]
