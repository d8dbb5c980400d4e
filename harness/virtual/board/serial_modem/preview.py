"""Serial Modem 2.0 as it is previewed: what its AT server does otherwise than 1.0.

Sources: ncs-serial-modem, v2.0.0-preview1, main (sm_at_host.c, sm_at_mqtt.c); migration notes for 2.0. URCs wait until
100 ms have passed since the host's last byte, and no command runs. The header of a message goes that way and its topic
and payload do not, so they stand before it (until 7c1cb92, August 2026).
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from harness.virtual.board.outputs import Output
from harness.virtual.board.serial_modem.application import ApplicationCommands
from harness.virtual.board.serial_modem.groups import CommandGroup, Sockets
from harness.virtual.board.serial_modem.preview_http import PreviewHttp
from harness.virtual.board.serial_modem.server import SerialModem
from harness.virtual.board.serial_modem.socket_commands import SocketCommands

VERSION: Final = "2.0.0-preview1"
QUIET: Final = 0.1


class SerialModemPreview(SerialModem):
    """See SerialModem."""

    _quiet: int | None = None

    def receive(self, data: bytes) -> list[Output]:
        """Take bytes from the host: unsolicited results wait again."""
        if self._on:
            self._outbox.cancel(self._quiet)
            self._quiet = self._outbox.after(QUIET, self._be_quiet, real=True)
        return super().receive(data)

    def _be_quiet(self) -> None:
        self._quiet = None
        self._settle()

    def _boot(self) -> None:
        self._quiet = None
        super()._boot()

    def _new_sockets(self) -> Sockets:
        sockets = SocketCommands(self, self._outbox, self._traffic)
        self._http = PreviewHttp(self, self._outbox, sockets)
        return sockets

    def _groups(self) -> Iterable[CommandGroup]:
        yield from super()._groups()
        personality = replace(self._personality, application=VERSION)
        yield ApplicationCommands(self, personality, self._nvm.identity, lambda: self._application)
        yield self._http

    def _may_speak(self) -> bool:
        return self._quiet is None and super()._may_speak()

    def _message_arrived(self, topic: bytes, payload: bytes) -> None:
        if self._data_mode is None:
            self._send(b"%s\r\n%s\r\n" % (topic, payload))
            self._mqtt_says(b"#XMQTTMSG: %d,%d\r\n" % (len(topic), len(payload)))
        else:  # UNCONFIRMED: in data mode nothing is torn apart
            super()._message_arrived(topic, payload)
