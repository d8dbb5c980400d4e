"""Faults from outside: a TCP proxy, and a man in the middle on a port. docs/verdicts.md shows their use."""

from harness.faults.fault import Deed, Direction, Fault
from harness.faults.framing import Framing
from harness.faults.pty_proxy import PtyProxy
from harness.faults.script import FaultPlan, FaultScript, Struck
from harness.faults.tcp_proxy import TcpProxy

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
