"""What one line of a cloud library's log, or of Serial Modem's, says of the connection to the cloud. Pure.

A line is told by the literal text that Nordic's code prints. Where the line prints a number, the number decides: the
same text with another number means something else, or nothing. A line that only says *that* the connection ended
(``CLOUD_EVT_DISCONNECTED`` without a number) is no evidence of why.

Sources: sdk-nrf ``subsys/net/lib/nrf_cloud`` (nrf_cloud.c, nrf_cloud_transport.c), ``aws_iot.c``, ``mqtt_helper.c``;
its samples nrf_cloud_mqtt_device_message, nrf_cloud_multi_service, cloud_client, modem_shell, and asset_tracker_v2;
Asset Tracker Template ``cloud_mqtt.c``; Serial Modem, "MQTT client AT commands".
"""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

from harness.device_errno import ECONNABORTED, ECONNREFUSED, ECONNRESET, ENOTCONN
from harness.firmware.cloud_library import numbers
from harness.firmware.cloud_library.numbers import Generation, event_name


class LogClass(StrEnum):
    """What became of the connection."""

    CONNECTED = "connected"
    REFUSED = "refused"
    KICKED = "kicked by remote"
    LINK_LOST = "link lost"
    USER_DISCONNECT = "user disconnect"
    KEEPALIVE = "keep-alive"
    MODEM_FAULT = "modem fault"


class Evidence(NamedTuple):
    """``code``: the number that the line prints, or that it stands for. ``strong``: False where other causes show so
    too.
    """

    what: LogClass
    code: int
    line: str
    strong: bool = True


_HUNG_UP: Final = {-ENOTCONN: True, -ECONNRESET: False, -ECONNABORTED: False}
"""Codes of a connection that the other side ended; reset and abort may be the network's doing."""
_NUMBER: Final = r"(-?\d+)"
_Found = tuple[LogClass, int, bool] | None


def _always(what: LogClass, code: int = 0, *, strong: bool = True) -> Callable[[str], _Found]:
    return lambda _line: (what, code, strong)


def _unless(*texts: str, then: Callable[[str], _Found]) -> Callable[[str], _Found]:
    return lambda line: None if any(text in line for text in texts) else then(line)


def _numbered(pattern: str, meaning: Callable[[int], _Found]) -> Callable[[str], _Found]:
    search = re.compile(pattern).search

    def read(line: str) -> _Found:
        found = search(line)
        return None if found is None else meaning(int(found[1]))

    return read


def _hung_up(code: int) -> _Found:
    return (LogClass.KICKED, code, _HUNG_UP[code]) if code in _HUNG_UP else None


def _status(code: int) -> _Found:
    """What a disconnect's status means; 3 is a poll that failed, which has no one cause."""
    classes = {
        numbers.USER_REQUEST: LogClass.USER_DISCONNECT,
        numbers.CLOSED_BY_REMOTE: LogClass.KICKED,
        numbers.INVALID_REQUEST: LogClass.LINK_LOST,
    }
    return (classes[code], code, True) if code in classes else None


def _connect_result(code: int) -> _Found:
    return (LogClass.REFUSED, code, True) if code < 0 and code not in numbers.NO_VERDICT_RESULTS else None


def _connect_errno(code: int) -> _Found:
    return (LogClass.REFUSED, code, True) if code == -ECONNREFUSED else None


def _connack(code: int) -> _Found:
    return (LogClass.REFUSED, code, True) if code > 0 else None


def _error_status(code: int) -> _Found:
    """nrf_cloud_error_status: 1 to 6 are CONNACK's refusals, the others no end of a connection."""
    return (LogClass.REFUSED, code, True) if 1 <= code <= 6 else None


def _serial_modem(code: int) -> _Found:
    return (LogClass.USER_DISCONNECT, 0, True) if code == 0 else _hung_up(code)


def _first_event(code: int) -> _Found:
    """Serial Modem's event 0: CONNACK."""
    return (LogClass.CONNECTED, 0, True) if code == 0 else _connack(code)


def _registration(code: int) -> _Found:
    return (LogClass.LINK_LOST, code, True) if code in (0, 2, 3, 4) else None


_CONNECTED: Final = _always(LogClass.CONNECTED)
_KICKED: Final = _always(LogClass.KICKED, numbers.CLOSED_BY_REMOTE)
_FAULT: Final = _always(LogClass.MODEM_FAULT)
_PING: Final = _always(LogClass.KEEPALIVE)

# By the literal that must be in the line; the first rule that finds something decides.
RULES: Final[tuple[tuple[str, Callable[[str], _Found]], ...]] = (
    ("Modem has crashed", _FAULT),
    ("#XMODEM: FAULT", _FAULT),
    ("MQTT ping error", _PING),
    ("keepalive ping failed", _PING),
    ("ERROR: mqtt_live", _PING),
    ("mqtt_ping nack", _PING),
    ("MQTT input error: ", _numbered(rf"input error: {_NUMBER}", _hung_up)),
    ("ERROR: mqtt_input ", _numbered(rf"mqtt_input {_NUMBER}", _hung_up)),
    ("POLLHUP", _always(LogClass.KICKED, numbers.CLOSED_BY_REMOTE)),
    ("closed by the cloud", _KICKED),
    ("Disconnected by the cloud", _KICKED),
    ("POLLNVAL", _unless("while disconnecting", "no active", then=_always(LogClass.LINK_LOST, 2))),
    ("connectivity lost", _always(LogClass.LINK_LOST)),
    ("+CEREG: ", _numbered(r'^\+CEREG: (\d)(?:,"|,,|\s*$)', _registration)),
    ("_DISCONNECTED", _numbered(rf"_DISCONNECTED(?:, status)?: {_NUMBER}", _status)),
    ("isconnected by request", _always(LogClass.USER_DISCONNECT)),
    ("Successfully disconnected from nRF Cloud", _always(LogClass.USER_DISCONNECT)),
    ("#XMQTTEVT: 1,", _numbered(rf"#XMQTTEVT: 1,{_NUMBER}", _serial_modem)),
    (
        "#XMQTTEVT: 0,",
        _numbered(rf"#XMQTTEVT: 0,{_NUMBER}", _first_event),
    ),
    ("TRANSPORT_CONNECT_ERROR", _numbered(rf"CONNECT_ERROR(?:, status)?: {_NUMBER}", _connect_result)),
    ("Could not connect to nRF Cloud MQTT Broker", _numbered(rf" err: {_NUMBER}", _connect_errno)),
    ("Could not connect to nRF Cloud, error: ", _numbered(rf"error: {_NUMBER}", _connect_result)),
    ("nnect to nRF Cloud, status: ", _numbered(rf"status: {_NUMBER}", _connect_result)),
    ("broker connect failed ", _numbered(rf"failed {_NUMBER}", _connect_errno)),
    ("_CONNACK", _numbered(rf"_CONNACK(?:: result|, error:) {_NUMBER}", _connack)),
    ("NRF_CLOUD_EVT_ERROR", _numbered(rf"EVT_ERROR(?:, status)?: {_NUMBER}", _error_status)),
    ("CLOUD_EVT_READY", _CONNECTED),
    ("Connection to nRF Cloud ready", _CONNECTED),
    ("Connected to nRF Cloud", _unless("nRF Cloud host", then=_CONNECTED)),
    ("Connected to Cloud", _CONNECTED),
    ("CLOUD_WRAP_EVT_CONNECTED", _CONNECTED),
    ("#XNRFCLOUD: 1,", _CONNECTED),
)
LITERALS: Final = tuple(literal for literal, _ in RULES)

_NUMBERED_EVENT: Final = re.compile(
    r"\b(?P<api>nrf[_ ]cloud|cloud)(?P<joint>[ _])(?:event|evt)(?:[ _]type)?[:=] ?(?P<number>\d+)"
    rf"(?:, (?:status|data)[:=] ?{_NUMBER})?",
    re.IGNORECASE,
)
EVENT_LITERALS: Final = ("cloud_evt", "cloud event", "cloud_event", "cloud evt")
"""Lines of applications that print an event as a number: what it means depends on the SDK's generation."""


def evidence_in(line: str, generation: Generation | None = None) -> Evidence | None:
    """Return what a line says, None: nothing. ``generation``: whose numbers the firmware prints, None: not known."""
    for literal, read in RULES:
        if literal in line and (found := read(line)) is not None:
            what, code, strong = found
            return Evidence(what, code, line, strong)
    return _numbered_event(line, generation)


def _name_of(found: re.Match[str], generation: Generation | None) -> str | None:
    """Return the name of the event that a line numbers.

    ``cloud_event`` is the Cloud API's own name. "cloud event" is anybody's: the Cloud API's in NCS 1.x, the nRF Cloud
    library's since 2.0, where that API is gone; without a generation it may be either.
    """
    number = int(found["number"])
    if found["api"].lower() == "cloud":
        if found["joint"] == "_" or generation is Generation.NCS_1:
            return event_name(number, Generation.CLOUD_API)
        if generation is None:
            return None
    return event_name(number, generation)


def _numbered_event(line: str, generation: Generation | None) -> Evidence | None:
    found = _NUMBERED_EVENT.search(line) if "loud" in line else None
    if found is None:
        return None
    name = _name_of(found, generation)
    code = int(found[4]) if found[4] is not None else None
    if name == "READY":
        return Evidence(LogClass.CONNECTED, 0, line)
    meaning = {"TRANSPORT_DISCONNECTED": _status, "DISCONNECTED": _status, "TRANSPORT_CONNECT_ERROR": _connect_result}
    said = meaning[name](code) if name in meaning and code is not None else None
    return None if said is None else Evidence(said[0], said[1], line, said[2])
