"""What an earlier user of the board may have left behind, ended: an MQTT connection.

A run that was killed while it was connected leaves the board connected: every later AT#XMQTTCFG is then an ERROR.
Source: Serial Modem application documentation, "MQTT client AT commands" (read form of AT#XMQTTCON). UNCONFIRMED how
long an AT#XMQTTCON=0 takes to show on real boards.
"""

from contextlib import suppress
from typing import Final

from harness.at import AtError, AtPort
from harness.errors import LabError, NoAnswer
from harness.timeline import Kind

_TRIES: Final = 3  # the second is for a connection that was only half made, which refuses to be ended at first
_CLOSING: Final = 5.0


class StillConnected(LabError):
    """The board's MQTT connection of an earlier user did not end."""


def end_connection(port: AtPort) -> None:
    """Leave the board without an MQTT connection. Raises StillConnected, NoAnswer, BoardLost.

    The port is in step. Boards whose firmware has no MQTT commands are left as they are.
    """
    for _ in range(_TRIES):
        if not _connected(port):
            return
        port.timeline.add(Kind.STEP, port.name, "an earlier user left an MQTT connection open: it is ended")
        mark = port.timeline.mark()
        with suppress(AtError):  # nothing to end, or not yet: the next question tells
            port.command("AT#XMQTTCON=0")
            with suppress(NoAnswer):
                port.wait_line(r"#XMQTTEVT: \d", _CLOSING, since=mark)
    if _connected(port):
        raise StillConnected(
            f"{port.name}: an MQTT connection of an earlier user is still open after {_TRIES} AT#XMQTTCON=0;"
            " reset the board"
        )


def _connected(port: AtPort) -> bool:
    try:
        return port.command("AT#XMQTTCON?").value("#XMQTTCON").startswith("1")
    except AtError:
        return False
