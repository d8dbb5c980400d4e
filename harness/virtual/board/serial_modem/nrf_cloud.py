"""#XNRFCLOUD: the firmware's own connection to nRF Cloud, by the nRF Cloud library over MQTT.

Source: Serial Modem 1.0 and Serial LTE Modem documentation, "nRF Cloud AT commands". The device id is the device UUID,
the sec_tag that of CONFIG_NRF_CLOUD_SEC_TAG. A connection that fails is told to nobody. Not simulated: location; CoAP,
by which previews of Serial Modem 2.0 connect. An AT command from the cloud (appId MODEM) is not carried out.
"""

from typing import Final

from harness.virtual.board.cloud_library.session import SEC_TAG, CloudSession, SessionEvent
from harness.virtual.board.commands import Args, Commands, Forms, Refused, Reply
from harness.virtual.board.outputs import LinkEvent, Outbox
from harness.virtual.board.sockets.host import SocketHost

NRF_CLOUD_LINK: Final = 101
DISCONNECT, CONNECT, SEND = 0, 1, 2


class NrfCloudCommands:
    """``host``: the AT server. ``outbox``: takes what goes to the network. ``device_id``: the device UUID."""

    def __init__(self, host: SocketHost, outbox: Outbox, device_id: str) -> None:
        self._host = host
        self._location = 0
        self._ready = False
        self._session = CloudSession(
            outbox, device_id, self._told, lambda: host.attached, hear=self._heard, link=NRF_CLOUD_LINK
        )

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        return {"#XNRFCLOUD": Forms(set=self._run, read=self._read, test="#XNRFCLOUD: (0,1,2),<send_location>")}

    def link(self, event: LinkEvent) -> None:
        """Take what happened on the link."""
        self._session.link(event)

    def network_lost(self) -> None:
        """The data connection has ended."""
        self._session.lost()

    def _run(self, args: Args) -> Reply:
        operation = args.choice(0, (DISCONNECT, CONNECT, SEND))
        if operation == CONNECT:
            location = args.choice(1, (0, 1), 0)
            if not self._session.start():
                raise Refused
            self._location = location
            return None
        if not self._ready:
            raise Refused
        if operation == SEND:
            self._host.enter_data_mode(self._session.send)
        else:
            self._session.stop()
        return None

    def _read(self) -> Reply:
        return f'#XNRFCLOUD: {int(self._ready)},{self._location},{SEC_TAG},"{self._session.client_id}"'

    def _told(self, told: SessionEvent, _code: int) -> None:
        ready = self._session.ready
        if ready != self._ready:
            self._ready = ready
            self._host.urc(b"\r\n#XNRFCLOUD: %d,%d\r\n" % (ready, self._location))

    def _heard(self, payload: bytes) -> None:
        self._host.urc(b"\r\n#XNRFCLOUD: %s\r\n" % payload)
