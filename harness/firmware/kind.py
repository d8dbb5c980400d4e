"""Everything that the harness knows of one kind of firmware: a room below this package hands it to the registry."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harness.at import AtPort, FramedUrc, Terminator
from harness.firmware.bridge.at_socket import AtSocket
from harness.firmware.http import BoardHttp
from harness.firmware.interface import Capability, Firmware, MqttDriver
from harness.firmware.mqtt_event import MqttWatcher
from harness.firmware.own_connection import OwnSetup
from harness.firmware.without_mqtt import WithoutMqtt
from harness.settings import FirmwareName
from harness.timeline import Draft
from harness.words import Words

MakeSocket = Callable[[AtPort], AtSocket]


@dataclass(frozen=True, slots=True)
class FirmwareKind:
    """One kind of firmware, by the ``name`` that boards files use.

    The stand-in that plays it has the same name. ``product``: what people call it. ``capabilities``: of every version.
    ``recognise``: asks the board; None: it runs another. ``anonymous``: no command identifies it; a board runs it if it
    answers like it and is none of the others. ``unrecognised``: how a board shows that it runs another firmware.
    ``framed``: its URCs with counted payloads. ``at_shell``: AT commands go through a shell. ``terminator``: what ends
    its commands; ``terminators``: what else may. ``queues``: see PortSettings. ``words``: what its commands and lines
    mean. ``restart``: the lines by which a board on which trials run shows that it, or its modem, has just started.
    ``to_known_state``: ends what an earlier user left, on a port in step. ``reset``: its command that restarts the
    board. ``sockets``: what makes a new socket of the board's modem, by the capability that it needs, the best first;
    empty: it has no such commands. ``http``: HTTPS requests from the board; None: it has no way to make any.
    ``log``: from a port's name to what reads the firmware's own connection out of its log. ``own``: how that connection
    is made, where the kind alone decides it.
    """

    name: FirmwareName
    product: str
    recognise: Callable[[AtPort], Firmware | None]
    capabilities: frozenset[Capability] = frozenset({Capability.AT})
    anonymous: bool = False
    unrecognised: str = ""
    framed: Mapping[str, FramedUrc] = field(default_factory=dict)
    at_shell: bool = False
    terminator: Terminator = Terminator.CR
    terminators: tuple[Terminator, ...] = ()
    queues: bool = False
    reset: str = ""
    to_known_state: Callable[[AtPort], None] = lambda _port: None
    driver: Callable[[AtPort, Firmware], MqttDriver] = WithoutMqtt
    watcher: Callable[[], MqttWatcher] | None = None
    words: Words | None = None
    restart: re.Pattern[str] | None = None
    sockets: Mapping[Capability, MakeSocket] = field(default_factory=dict)
    http: Callable[[AtPort], BoardHttp] | None = None
    log: Callable[[str], Callable[[list[Draft]], list[Draft]]] | None = None
    own: OwnSetup | None = None

    def socket(self, firmware: Firmware) -> MakeSocket | None:
        """Return what makes a new socket of a board's modem; None: what the board runs has none.

        ``firmware``: what the board said that it runs.
        """
        return next((make for needed, make in self.sockets.items() if needed in firmware.capabilities), None)
