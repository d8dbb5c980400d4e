"""What can happen to a running virtual board: one frozen model each, sent as a command (see commands.py).

Times are real seconds, whatever the board's ``time_scale`` is: a fault has to be as long as a test needs it. Sources:
"nRF91x1 AT Commands" reference (+CEREG, +CGEV, +CSCON); Serial Modem documentation (#XMODEM); libmodem documentation,
"Packet Domain Network", for what becomes of sockets.
"""

from typing import Annotated, Literal

from pydantic import Field

from harness.settings.board import BoardFault
from harness.settings.model import BY_VALUE, Seconds, Settings

Times = Annotated[int, Field(ge=1)]
Disturbance = Literal["garble", "double", "drop"]


class SetFault(Settings):
    """Something goes wrong with a board from now on. Answer: ``faults``, all that the board has."""

    command: Literal["set-fault"] = "set-fault"
    board: str
    fault: Annotated[BoardFault, BY_VALUE]


class ClearFault(Settings):
    """A fault goes away. Answer: ``faults``, all that the board still has."""

    command: Literal["clear-fault"] = "clear-fault"
    board: str
    fault: Annotated[BoardFault, BY_VALUE]


class ResetBoard(Settings):
    """Power-cycle a board, as a debug probe's reset would: everything but the non-volatile memory starts anew."""

    command: Literal["reset-board"] = "reset-board"
    board: str


class PressButton(Settings):
    """Press a board's button, which firmware built on the cloud libraries answers with a message."""

    command: Literal["press-button"] = "press-button"
    board: str


class DisturbOutput(Settings):
    """Make one byte of a board arrive wrong: byte ``place`` of those that it sends from now on (0: the next one)."""

    command: Literal["disturb-output"] = "disturb-output"
    board: str
    place: Annotated[int, Field(ge=0)] = 0
    how: Disturbance = "garble"


class UnplugBoard(Settings):
    """Pull a board's cable: its port vanishes and it loses power."""

    command: Literal["unplug-board"] = "unplug-board"
    board: str


class PlugBoard(Settings):
    """Plug a board in again: its port is back under the same path."""

    command: Literal["plug-board"] = "plug-board"
    board: str


class LoseRegistration(Settings):
    """Coverage goes away: ``+CEREG`` says ``status``, and nothing passes; the PDN connection and its sockets live on.

    ``seconds`` None: until ``regain-network``. Does nothing to a board that is not registered.
    """

    command: Literal["lose-registration"] = "lose-registration"
    board: str
    seconds: Seconds | None = None
    status: Literal[0, 2, 4] = 2


class DropPdn(Settings):
    """The network ends the PDN connection: ``+CGEV: NW PDN DEACT 0``, sockets are dead, the board stays registered.

    It comes back after ``seconds`` with another IP address (None: at ``regain-network``).
    """

    command: Literal["drop-pdn"] = "drop-pdn"
    board: str
    seconds: Seconds | None = 0.0


class DetachNetwork(Settings):
    """The network detaches the board: ``+CGEV: NW DETACH``, sockets are dead; it attaches again after ``seconds``.

    ``seconds`` None: at ``regain-network``.
    """

    command: Literal["detach-network"] = "detach-network"
    board: str
    seconds: Seconds | None = 0.0


class RegainNetwork(Settings):
    """Registration or PDN connection come back now."""

    command: Literal["regain-network"] = "regain-network"
    board: str


class ChangeCell(Settings):
    """The board moves to another cell and stays registered: no loss. Its ``+CEREG`` names the new cell."""

    command: Literal["change-cell"] = "change-cell"
    board: str


class SlowAttach(Settings):
    """The next searches for a network take ``seconds`` longer; 0: no longer than usual."""

    command: Literal["slow-attach"] = "slow-attach"
    board: str
    seconds: Seconds


class SetLatency(Settings):
    """What the board sends and gets takes ``seconds`` each way from now on; opening a connection takes four of them.

    ``spread``: sigma of a lognormal factor of each (0: constant), drawn from ``seed``. Order is kept.
    """

    command: Literal["set-latency"] = "set-latency"
    board: str
    seconds: Annotated[float, Field(ge=0, le=120, allow_inf_nan=False)]
    spread: Annotated[float, Field(ge=0, le=3, allow_inf_nan=False)] = 0.0
    seed: int = 0


class FaultModem(Settings):
    """The modem core crashes and starts anew at CFUN=0. Serial Modem says so by ``#XMODEM: FAULT``, ``INIT``.

    ``reason``: of the fault. ``mqtt``: what becomes of an MQTT connection: ``aborted`` (``#XMQTTEVT: 1,-113``),
    ``shutdown`` (``1,-110``) or ``silent``: the board still believes in it. Each has been seen.
    """

    command: Literal["fault-modem"] = "fault-modem"
    board: str
    reason: Annotated[int, Field(ge=0, le=0xFFFFFFFF)] = 0x10
    mqtt: Literal["aborted", "shutdown", "silent"] = "aborted"


class ResetDuring(Settings):
    """Restart in the middle of the next command that begins with ``begins``, before its answer.

    ``what``: the ``board``, or the ``modem`` core alone, whose command then ends in ERROR. ``times``: how often; 0: no
    more.
    """

    command: Literal["reset-during"] = "reset-during"
    board: str
    begins: Annotated[str, Field(min_length=1)]
    what: Literal["board", "modem"] = "board"
    times: Annotated[int, Field(ge=0)] = 1


class DisturbUrcs(Settings):
    """Lose, double or delay unsolicited results that begin with ``begins`` (empty: any); ``count`` of them.

    ``skip``: how many pass first. ``seconds``: of a delay; later results may overtake. ``count`` None: all from now on;
    0: none any more. A new disturbance replaces the old one.
    """

    command: Literal["disturb-urcs"] = "disturb-urcs"
    board: str
    how: Literal["lose", "double", "delay"]
    begins: str = ""
    skip: Annotated[int, Field(ge=0)] = 0
    count: Annotated[int, Field(ge=0)] | None = 1
    seconds: Seconds = 1.0


class SayLine(Settings):
    """Make the board print a line now, between any others, like another program or an unexpected URC."""

    command: Literal["say-line"] = "say-line"
    board: str
    text: Annotated[str, Field(max_length=2000)]


BoardCommand = (
    SetFault
    | ClearFault
    | ResetBoard
    | PressButton
    | DisturbOutput
    | UnplugBoard
    | PlugBoard
    | LoseRegistration
    | DropPdn
    | DetachNetwork
    | RegainNetwork
    | ChangeCell
    | SlowAttach
    | SetLatency
    | FaultModem
    | ResetDuring
    | DisturbUrcs
    | SayLine
)
CoreFault = (
    LoseRegistration
    | DropPdn
    | DetachNetwork
    | RegainNetwork
    | ChangeCell
    | SlowAttach
    | FaultModem
    | ResetDuring
    | DisturbUrcs
    | SayLine
)
"""What happens inside the board, not on its wires."""
