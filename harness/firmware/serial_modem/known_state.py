"""Ends what an earlier user of the board may have left behind: echo, an MQTT connection, open sockets.

A run that was killed while it was connected leaves the board connected: every later AT#XMQTTCFG is then an ERROR. The
board says itself whether it is connected; no event is relied on, because lines get lost.

Source: Serial Modem application documentation, "MQTT client AT commands" (read form of AT#XMQTTCON), "Socket AT
commands" (#XCLOSE; #XSOCKETSELECT and #XSOCKET of the Serial LTE Modem), "Generic AT commands" (ATE0). From its source
(sm_at_mqtt.c, Serial Modem 1.0): between AT#XMQTTCON=1 and CONNACK AT#XMQTTCON=0 is refused, and without any event;
that state ends by CONNACK, by the broker's close, or after one keep-alive.
"""

from contextlib import suppress
from typing import Final

from harness.at import AtError, AtPort, ask
from harness.errors import NoAnswer
from harness.firmware.interface import StillConnected
from harness.timeline import Kind

_TRIES: Final = 3
_ENDING: Final = 65.0  # AT#XMQTTCON=0 waits for the client's thread, 60 s at most; 17 ms were measured
_EVENT: Final = 5.0
_HALF_MADE: Final = 15.0
"""Seconds that a CONNACK may still take before the connection is cut below it. The keep-alive would be 20 minutes."""
_FLIGHT: Final = "4"


def to_known_state(port: AtPort) -> None:
    """Leave the board without echo, MQTT connection and sockets. Raises StillConnected, NoAnswer, BoardLost.

    The port is in step, so data mode has been left. The firmware refuses the commands that it does not know, and needs
    none of those.
    """
    with suppress(AtError):
        port.command("ATE0")
    if end_connection(port):
        port.timeline.add(Kind.STEP, port.name, "an earlier user left an MQTT connection open: it is ended")
    _close_sockets(port)
    with suppress(AtError):  # refused where there is none, as a rule
        port.command("AT#XNRFCLOUD=0")
        port.timeline.add(Kind.STEP, port.name, "an earlier user left the firmware connected to nRF Cloud: it is ended")


def connected(port: AtPort) -> bool:
    """Return whether the board says that it is connected: TCP and TLS are up, CONNACK has perhaps not come yet."""
    try:
        return ask(port, "AT#XMQTTCON?", lambda answer: answer.value("#XMQTTCON")).startswith("1")
    except AtError:
        return False


def end_connection(port: AtPort) -> bool:
    """End the MQTT connection that the board says it has; return whether there was one. Raises StillConnected."""
    for attempt in range(_TRIES):
        if not connected(port):
            return attempt > 0
        _disconnect(port)
    _cut_below(port)
    if connected(port):
        raise StillConnected(
            f"{port.name}: expected no MQTT connection, got AT#XMQTTCON: 1 after {_TRIES} AT#XMQTTCON=0 and AT+CFUN=4;"
            " reset the board"
        )
    return True


def _disconnect(port: AtPort) -> None:
    mark = port.timeline.mark()
    try:
        port.command("AT#XMQTTCON=0", timeout=_ENDING)
        patience = _EVENT
    except AtError:
        if not connected(port):
            return
        patience = _HALF_MADE
    with suppress(NoAnswer):  # a lost line: the board is asked next
        port.wait_line(r"#XMQTTEVT: [01],", patience, since=mark)


def _cut_below(port: AtPort) -> None:
    """Take the network away from a connection that cannot be ended, and give it back."""
    port.timeline.add(Kind.FAULT, port.name, "the MQTT connection does not end: the modem is taken offline for it")
    former = port.command("AT+CFUN?").value("+CFUN")
    mark = port.timeline.mark()
    port.command(f"AT+CFUN={_FLIGHT}", timeout=60.0)
    if connected(port):
        with suppress(NoAnswer):
            port.wait_line(r"#XMQTTEVT: [01],", _EVENT, since=mark)
    if former != _FLIGHT:
        port.command(f"AT+CFUN={former}", timeout=60.0)


def _close_sockets(port: AtPort) -> None:
    """Close every socket: Serial Modem closes all at once, the Serial LTE Modem the one that is selected."""
    with suppress(AtError):
        _note_sockets(port, len(port.command("AT#XCLOSE").values("#XCLOSE")))
        with suppress(AtError):
            port.command("AT#XAPOLL=,0")  # an earlier user may have had every socket to come polled
        return
    with suppress(AtError):
        listed = port.command("AT#XSOCKETSELECT?").values("#XSOCKETSELECT")
        handles = [line.partition(",")[0] for line in listed if "," in line]
        for handle in handles:
            port.command(f"AT#XSOCKETSELECT={handle}")
            port.command("AT#XSOCKET=0")
        _note_sockets(port, len(handles))


def _note_sockets(port: AtPort, count: int) -> None:
    if count:
        what, are = ("socket", "it is") if count == 1 else ("sockets", "they are")
        port.timeline.add(Kind.STEP, port.name, f"an earlier user left {count} {what} open: {are} closed")
