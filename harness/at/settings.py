"""How to talk to one port."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.at.syntax import FramedUrc, Terminator


@dataclass(frozen=True, slots=True)
class PortSettings:
    """``terminator``: what ends a command, see :class:`Terminator`. ``rtscts``: hardware flow control.

    ``framed``: URCs that are followed by counted raw bytes, by name. ``chunk``: bytes to write
    in one piece, waiting for each to leave (for boards without flow control); None: everything in one go.
    ``at_shell``: commands go through Modem Shell or the AT shell, which turn every line end in them into CR LF.
    ``queues``: the board keeps what is sent while it works on a command, and answers in order. Then a question that is
    sent behind a command tells early that the command's answer was lost. AT Host takes no input meanwhile.
    """

    baudrate: int = 115200
    rtscts: bool = False
    terminator: str = Terminator.CR
    framed: Mapping[str, FramedUrc] = field(default_factory=dict)
    chunk: int | None = None
    at_shell: bool = False
    queues: bool = False
