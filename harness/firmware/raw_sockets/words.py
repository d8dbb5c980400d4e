"""What the packets of the harness's own MQTT client ask for, as :mod:`.mqtt_session` writes them to the timeline.

The keep-alive that a CONNECT says is not read: the client's PINGREQs are not on the timeline, so nobody could tell
from it how long the client was silent.
"""

import re
from typing import Final

from harness.words import Ask, Asked, Words

_PACKET: Final = re.compile(
    r"MQTT (CONNECT|DISCONNECT|(?:PUBLISH|SUBSCRIBE|UNSUBSCRIBE)(?= ))(?: (.*) \()?", re.IGNORECASE
)
_QOS: Final = re.compile(r"QoS (\d)")


def _asked(text: str) -> Asked | None:
    found = _PACKET.match(text)
    if found is None:
        return None
    what = Ask(found[1].lower())
    if what in (Ask.CONNECT, Ask.DISCONNECT):
        return Asked(what)
    qos = _QOS.match(text, found.end())
    return Asked(what, found[2], int(qos[1]) if qos else None)


PACKETS: Final = Words(_asked)
"""Of a client on a socket of any firmware."""
