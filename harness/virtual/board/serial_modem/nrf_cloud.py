"""#XNRFCLOUD: the firmware's own connection to nRF Cloud, by the nRF Cloud library over MQTT.

Sources: Serial Modem 1.0 and Serial LTE Modem documentation, "nRF Cloud AT commands"; sdk-nrf, nRF Cloud library (order
of subscriptions and requests, pairing, ``+/r`` in place of c2d). The device id is the device UUID, the sec_tag that of
CONFIG_NRF_CLOUD_SEC_TAG. A connection that fails is told to nobody. Not simulated: location; CoAP, by which previews of
Serial Modem 2.0 connect. An AT command from the cloud (appId MODEM) is not carried out.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from harness.virtual.board.commands import Args, Commands, Forms, Refused, Reply
from harness.virtual.board.outputs import LinkEvent, Outbox
from harness.virtual.board.serial_modem.mqtt_client import BrokerLogin, EvtType, MqttClient
from harness.virtual.board.sockets.host import SocketHost

NRF_CLOUD_LINK: Final = 101
HOST: Final = "mqtt.nrfcloud.com"
PORT: Final = 8883
SEC_TAG: Final = 16842753
KEEPALIVE: Final = 1200
DISCONNECT, CONNECT, SEND = 0, 1, 2


class NrfCloudCommands:
    """``device_id``: the device UUID."""

    def __init__(self, host: SocketHost, outbox: Outbox, device_id: str, traffic: Callable[[], None]) -> None:
        self._host = host
        self._id = device_id
        self._location = 0
        self._ready = False
        self._d2c = ""
        self._awaited = 0  # SUBACKs
        self._mqtt = MqttClient(
            outbox,
            notify=self._notify,
            message=self._message,
            opened=lambda _ok: None,
            traffic=traffic,
            link=NRF_CLOUD_LINK,
        )

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        return {"#XNRFCLOUD": Forms(set=self._run, read=self._read, test="#XNRFCLOUD: (0,1,2),<send_location>")}

    def link(self, event: LinkEvent) -> None:
        """Take what happened on the link."""
        self._mqtt.link(event)

    def network_lost(self) -> None:
        """The data connection has ended."""
        self._mqtt.abort()

    def _run(self, args: Args) -> Reply:
        operation = args.choice(0, (DISCONNECT, CONNECT, SEND))
        if operation == CONNECT:
            if self._mqtt.broker is not None or not self._host.attached:
                raise Refused
            self._location = args.choice(1, (0, 1), 0)
            self._mqtt.connect(BrokerLogin(HOST, PORT, SEC_TAG, self._id, KEEPALIVE, clean_session=True))
            return None
        if not self._ready:
            raise Refused
        if operation == SEND:
            self._host.enter_data_mode(self._send)
        else:
            self._mqtt.disconnect()
        return None

    def _read(self) -> Reply:
        return f'#XNRFCLOUD: {int(self._ready)},{self._location},{SEC_TAG},"{self._id}"'

    def _send(self, payload: bytes) -> bool:
        if not self._ready:
            return False
        self._publish(self._d2c, payload)
        return True

    def _publish(self, topic: str, payload: bytes) -> None:
        self._mqtt.publish(topic, payload, qos=1, retain=False, packet_id=self._mqtt.next_publish_id())

    def _subscribe(self, *filters: str) -> None:
        self._awaited = len(filters)
        for topic_filter in filters:
            self._mqtt.subscribe(topic_filter, 1)

    def _notify(self, event: EvtType, result: int) -> None:
        if event is EvtType.CONNACK and result == 0:
            aws = f"$aws/things/{self._id}/shadow"
            self._subscribe(f"{self._id}/shadow/get/accepted", f"{aws}/get/rejected", f"{aws}/update/delta")
        elif event is EvtType.SUBACK:
            self._awaited -= 1
            if self._awaited == 0 and self._d2c:
                self._tell(True)
            elif self._awaited == 0:
                self._publish(f"$aws/things/{self._id}/shadow/get", b"")
        elif event is EvtType.DISCONNECT:
            self._d2c = ""
            if self._ready:
                self._tell(False)

    def _tell(self, ready: bool) -> None:
        self._ready = ready
        self._host.urc(b"\r\n#XNRFCLOUD: %d,%d\r\n" % (ready, self._location))

    def _message(self, topic: bytes, payload: bytes) -> None:
        if self._ready:
            self._host.urc(b"\r\n#XNRFCLOUD: %s\r\n" % payload)
        elif not self._d2c and topic.endswith(b"/shadow/get/accepted"):
            self._pair(json.loads(payload))

    def _pair(self, document: dict[str, Any]) -> None:
        """Take the topics out of the device's shadow; a device outside every team has none, and never gets ready."""
        desired = document.get("state", document).get("desired", {})
        topics = desired.get("pairing", {}).get("topics")
        if not topics:
            return
        self._d2c, c2d = topics["d2c"], topics["c2d"]
        reported = {
            "pairing": {"state": "paired", "topics": topics},
            "nrfcloud_mqtt_topic_prefix": desired.get("nrfcloud_mqtt_topic_prefix"),
            "connection": {"keepalive": KEEPALIVE},
        }
        report = json.dumps({"state": {"reported": reported}}).encode()
        self._publish(f"$aws/things/{self._id}/shadow/update", report)
        self._subscribe(c2d.removesuffix("c2d") + "+/r" if c2d.endswith("/c2d") else c2d)
