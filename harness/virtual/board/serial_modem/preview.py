"""Serial Modem 2.0 as it is previewed, and as it is made: what their AT server does otherwise than 1.0.

Sources: ncs-serial-modem, v2.0.0-preview1, main (sm_at_host.c, sm_at_mqtt.c, sm_at_httpc.c); migration notes for 2.0.
URCs wait until 100 ms have passed since the host's last byte, and no command runs. In preview1 the header of a message
goes that way and its topic and payload do not, so they stand before it. Since 7c1cb92 (August 2026) they are one again;
UNCONFIRMED whether all of it waits: here it is written at once.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from harness.virtual.board.outputs import Output
from harness.virtual.board.serial_modem.application import ApplicationCommands
from harness.virtual.board.serial_modem.groups import CommandGroup, Sockets
from harness.virtual.board.serial_modem.preview_http import MAIN, PREVIEW_1, Dialect, PreviewHttp
from harness.virtual.board.serial_modem.server import SerialModem
from harness.virtual.board.serial_modem.socket_commands import SocketCommands

QUIET: Final = 0.1


class SerialModemPreview(SerialModem):
    """v2.0.0-preview1. See SerialModem."""

    version = "2.0.0-preview1"
    _http_dialect: Dialect = PREVIEW_1
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
        self._http = PreviewHttp(self, self._outbox, sockets, self._http_dialect)
        return sockets

    def _groups(self) -> Iterable[CommandGroup]:
        yield from super()._groups()
        personality = replace(self._personality, application=self.version)
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


class SerialModemMain(SerialModemPreview):
    """The branch main, from August 2026 on."""

    version = "1.99.0"
    _http_dialect = MAIN

    def _message_arrived(self, topic: bytes, payload: bytes) -> None:
        if self._data_mode is None:
            self._send(b"\r\n#XMQTTMSG: %d,%d\r\n%s\r\n%s\r\n" % (len(topic), len(payload), topic, payload))
        else:
            super()._message_arrived(topic, payload)
