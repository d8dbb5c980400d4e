"""A firmware's own MQTT session with nRF Cloud: connect, shadow, pairing, publish. No I/O, no log.

Sources: sdk-nrf, nRF Cloud library (nrf_cloud_fsm.c, nrf_cloud_codec_internal.c: order of subscriptions and requests,
what makes a device associated, c2d topics that are rewritten to ``+/r``); nRF Cloud documentation, "nRF Cloud MQTT
topics". The library of before 2023 is played, whose shadow topics are the page's.
"""

import json
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Final

from harness.device_errno import ECONNREFUSED
from harness.virtual.board.outputs import LinkEvent, Outbox
from harness.virtual.board.serial_modem.mqtt_client import BrokerLogin, EvtType, MqttClient

HOST: Final = "mqtt.nrfcloud.com"
PORT: Final = 8883
SEC_TAG: Final = 16842753  # CONFIG_NRF_CLOUD_SEC_TAG
KEEPALIVE: Final = 1200


class SessionEvent(Enum):
    """What the session tells the application."""

    CONNECTED = auto()  # CONNACK 0
    ASSOCIATION_REQUEST = auto()  # the device is in no team
    ASSOCIATED = auto()  # it has become a member: the application has to connect anew
    READY = auto()
    ACKNOWLEDGED = auto()  # PUBACK
    CLOSED = auto()  # code: 0 asked for, else the device's errno
    REFUSED = auto()  # code: the connect's errno, or CONNACK's number
    NETWORK_GONE = auto()  # it was up, and the network below it ended


class CloudSession:
    """At most one session. ``tell`` is called with what happens. ``attached``: whether there is a network.

    ``outbox``: takes what goes to the network. ``client_id``: the device's. ``extra``: filters below the client id that
    the application subscribes to in place of pairing; None: it pairs. ``hear``: called with the payload of each message
    for the application. ``link``: number of its link.
    """

    def __init__(
        self,
        outbox: Outbox,
        client_id: str,
        tell: Callable[[SessionEvent, int], None],
        attached: Callable[[], bool],
        *,
        extra: tuple[str, ...] | None = None,
        hear: Callable[[bytes], None] = lambda _payload: None,
        link: int = 0,
    ) -> None:
        self._hear = hear
        self.client_id = client_id
        self.ready = False
        self.d2c = ""
        """Where the application's messages go, once it is paired."""
        self._tell = tell
        self._attached = attached
        self._extra = extra
        self._awaited: list[str] = []
        self._pairing = False
        self._waits = False
        self._losing = False
        self._mqtt = MqttClient(
            outbox,
            notify=self._notify,
            message=self._message,
            opened=self._opened,
            traffic=lambda: None,
            link=link,
        )

    @property
    def active(self) -> bool:
        """A connection is there or being made."""
        return self._mqtt.broker is not None

    def start(self) -> bool:
        """Connect. False: there is a session already, or no network."""
        if self.active or not self._attached():
            return False
        self._forget()
        self._mqtt.connect(BrokerLogin(HOST, PORT, SEC_TAG, self.client_id, KEEPALIVE, clean_session=True))
        return True

    def stop(self) -> None:
        """Say goodbye."""
        if self._mqtt.connected:
            self._mqtt.disconnect()

    def lost(self) -> None:
        """The network has ended."""
        if self.active:
            self._losing = True
            self._mqtt.abort()
            self._losing = False

    def link(self, event: LinkEvent) -> None:
        """Take what happened on the link."""
        self._mqtt.link(event)

    def send(self, payload: bytes) -> bool:
        """Send a message of the application; False: the session is not ready."""
        return self.ready and self.publish(self.d2c, payload)

    def publish(self, topic: str, payload: str | bytes) -> bool:
        """Publish with QoS 1; False without a connection."""
        if not self._mqtt.accepted:
            return False
        number = self._mqtt.next_publish_id()
        data = payload.encode() if isinstance(payload, str) else payload
        self._mqtt.publish(topic, data, qos=1, retain=False, packet_id=number)
        return True

    def _forget(self) -> None:
        self.ready, self.d2c = False, ""
        self._awaited, self._pairing, self._waits = [], False, False

    def _opened(self, ok: bool) -> None:
        if not ok:
            self._tell(SessionEvent.NETWORK_GONE if self._losing else SessionEvent.REFUSED, -ECONNREFUSED)

    def _notify(self, event: EvtType, result: int) -> None:
        match event:
            case EvtType.CONNACK if result == 0:
                self._tell(SessionEvent.CONNECTED, 0)
                self._subscribe_control()
            case EvtType.CONNACK:
                self._tell(SessionEvent.REFUSED, result)
            case EvtType.SUBACK:
                self._subscribed()
            case EvtType.PUBACK:
                self._tell(SessionEvent.ACKNOWLEDGED, 0)
            case EvtType.DISCONNECT:
                self._forget()
                self._tell(SessionEvent.NETWORK_GONE if self._losing else SessionEvent.CLOSED, result)

    def _subscribe_control(self) -> None:
        own, aws = self.client_id, f"$aws/things/{self.client_id}"
        if self._extra is not None:
            self._awaited = [f"{own}/{rest}" for rest in self._extra]
        else:
            self._awaited = [
                f"{own}/shadow/get/accepted",
                f"{aws}/shadow/get/rejected",
                f"{aws}/shadow/update/delta",
            ]
        for topic_filter in list(self._awaited):
            self._mqtt.subscribe(topic_filter, 1)

    def _subscribed(self) -> None:
        if self._awaited:
            self._awaited.pop(0)
        if self._awaited or self.ready:
            return
        if self._extra is not None or self._pairing:
            self.ready = True
            self._tell(SessionEvent.READY, 0)
        elif not self._waits:
            self.publish(f"$aws/things/{self.client_id}/shadow/get", "")

    def _message(self, topic: bytes, payload: bytes) -> None:
        if self.ready:
            self._hear(payload)
        if self._extra is not None or self.ready or self._pairing:
            return
        try:
            document = json.loads(payload)
        except ValueError:
            return
        if not isinstance(document, dict):
            return
        if topic.endswith(b"/shadow/get/accepted"):
            state = document.get("state", document)
            self._pair(state.get("desired", {}))
        elif self._waits and document.get("state", {}).get("pairing", {}).get("state") == "paired":
            self._tell(SessionEvent.ASSOCIATED, 0)  # on .../shadow/update/delta

    def _pair(self, desired: dict[str, Any]) -> None:
        pairing = desired.get("pairing", {})
        topics = pairing.get("topics") or {}
        update = f"$aws/things/{self.client_id}/shadow/update"
        if "nrfcloud_mqtt_topic_prefix" not in desired or not topics:
            self._waits = True
            report: dict[str, Any] = {"pairing": {"state": "not_associated", "topics": None, "config": None}}
            report |= {"stage": None, "nrfcloud_mqtt_topic_prefix": None, "connection": {"keepalive": None}}
            self.publish(update, json.dumps({"state": {"reported": report}}))
            self._tell(SessionEvent.ASSOCIATION_REQUEST, 0)
            return
        self.d2c, c2d = topics["d2c"], topics["c2d"]
        listening = c2d.removesuffix("c2d") + "+/r" if c2d.endswith("c2d") else c2d
        report = {
            "nrfcloud_mqtt_topic_prefix": desired["nrfcloud_mqtt_topic_prefix"],
            "pairing": {"state": "paired", "config": None, "topics": topics},
            "connection": {"keepalive": KEEPALIVE},
        }
        self.publish(update, json.dumps({"state": {"reported": report}}))
        self._pairing = True
        self._awaited = [listening]
        self._mqtt.subscribe(listening, 1)
