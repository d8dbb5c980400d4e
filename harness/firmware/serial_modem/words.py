"""What Serial Modem's commands and lines mean. The Serial LTE Modem has the same.

Source: Serial Modem application documentation, "MQTT client AT commands", "Generic AT commands" (#XRESET, #XSLEEP,
"Ready", #XMODEM).
"""

import re
from typing import Final

from harness.words import Ask, Asked, Told, Words

_COMMAND: Final = re.compile(
    r"AT#X(?:(?P<publish>MQTTPUB=)|(?P<subscribe>MQTTSUB=)|(?P<unsubscribe>MQTTUNSUB=)|(?P<configure>MQTTCFG=)"
    r"|(?P<connect>MQTTCON=1)|(?P<disconnect>MQTTCON=0)|(?P<question>MQTTCON\?$)"
    r"|(?P<stop>RESET|MODEMRESET|SHUTDOWN|SLEEP))",
    re.IGNORECASE,
)
_LINE: Final = re.compile(
    r"(?P<fault>Ready$|INIT ERROR|#XMODEM: (?:FAULT|SHUTDOWN|INIT))|(?P<not_connected>#XMQTTCON: 0\b)"
)
_TOPIC: Final = re.compile(r'"([^"]*)"')
_QOS: Final = re.compile(r",([0-2])(?:,[01])?$")  # behind it: retain
_KEEP_ALIVE: Final = re.compile(r'"[^"]*",(\d+)')


def _asked(command: str) -> Asked | None:
    found = _COMMAND.match(command)
    if found is None:
        return None
    what, rest = Ask(str(found.lastgroup)), command[found.end() :]
    if what is Ask.CONFIGURE:
        return Asked(what, keep_alive=_number(_KEEP_ALIVE.match(rest)))
    topic = _TOPIC.match(rest)  # behind no other command does a quotation mark follow at once
    qos = _number(_QOS.search(rest)) if what is Ask.PUBLISH else None
    return Asked(what, topic[1] if topic else None, qos)


def _told(line: str) -> Told | None:
    found = _LINE.match(line)
    return Told(str(found.lastgroup)) if found else None


def _number(found: re.Match[str] | None) -> int | None:
    return int(found[1]) if found else None


SERIAL_MODEM_WORDS: Final = Words(_asked, _told)
"""Of every version, and of the Serial LTE Modem."""
