"""What each sample prints, at its default log level, and what it does when its connection ends.

Sources: sdk-nrf, samples nrf_cloud_mqtt_device_message, nrf_cloud_multi_service and cloud_client, application
asset_tracker_v2; Asset Tracker Template, ``examples/modules/cloud/cloud_mqtt.c``; nrf_cloud_transport.c, mqtt_helper.c
(the lines of a failed connect and of a hang-up). UNCONFIRMED: asset_tracker_v2's table of waits before another attempt,
and after what time the other samples try again; what stands here is of that order.
"""

from typing import Final

from harness.device_errno import ENOTCONN
from harness.settings import Sample
from harness.virtual.board.cloud_library.cloud_api import AssetTracker, CloudClient
from harness.virtual.board.cloud_library.sample_code import SampleCode
from harness.virtual.board.cloud_library.session import SessionEvent


class _NrfCloudSample(SampleCode):
    """What nrf_cloud_mqtt_device_message and nrf_cloud_multi_service print alike."""

    def network_lost(self) -> None:
        """See SampleCode."""
        self._inf("Network connectivity lost!")

    def refused(self, code: int) -> None:
        """See SampleCode."""
        super().refused(code)
        self._voice.log("err", self.module, "Could not connect to nRF Cloud, error: -9")

    def closed(self) -> None:
        """See SampleCode."""
        self._inf("Successfully disconnected from nRF Cloud")


class DeviceMessage(_NrfCloudSample):
    """nrf_cloud_mqtt_device_message."""

    module = "nrf_cloud_mqtt_device_message"

    def booted(self) -> None:
        """See SampleCode."""
        self._inf("nRF Cloud MQTT Device Message Sample, version: 1.0.0")
        self._inf("Reset reason: 0x10000")

    def missing(self, names: list[str]) -> None:
        """See SampleCode."""
        self._voice.log("wrn", self.module, "Missing required nRF Cloud credential(s) in sec tag 16842753:")
        for name in names:
            self._voice.log("wrn", self.module, f"\t-{name}")
        self._inf("Waiting for credentials to be installed...")

    def attached(self) -> None:
        """See SampleCode."""
        for text in ("Connected to LTE", "Waiting for modem to acquire network time...", "Network time obtained"):
            self._inf(text)

    def connecting(self) -> None:
        """See SampleCode."""
        self._inf("Connecting to nRF Cloud...")

    def ready(self) -> None:
        """See SampleCode."""
        self._inf("Connection to nRF Cloud ready")
        self._voice.session.publish(self._voice.session.d2c, '{"sample_message":"Hello World"}')
        self._inf("Sent Hello World message with ID: 1")

    def not_associated(self) -> None:
        """See SampleCode."""
        self._inf("Please add this device to your nRF Cloud account in the portal.")

    def sent(self, count: int) -> None:
        """See SampleCode."""
        self._inf(f"Sent button press message with count: {count}")


class MultiService(_NrfCloudSample):
    """nrf_cloud_multi_service."""

    module = "cloud_connection"

    def booted(self) -> None:
        """See SampleCode."""
        self._voice.log("inf", "main", "nRF Cloud multi-service sample has started, version: 1.0.0, protocol: MQTT")

    def attached(self) -> None:
        """See SampleCode."""
        self._inf("Network connectivity gained!")

    def connecting(self) -> None:
        """See SampleCode."""
        self._inf("Connecting to nRF Cloud")

    def ready(self) -> None:
        """See SampleCode."""
        self._inf("Connected to nRF Cloud")

    def not_associated(self) -> None:
        """See SampleCode."""
        self._inf("Please add this device to your cloud account in the nRF Cloud portal.")

    def kicked(self, code: int) -> None:
        """See SampleCode."""
        super().kicked(code)
        self._inf("Disconnecting from nRF Cloud")

    def told(self, what: SessionEvent, code: int) -> None:
        """See SampleCode."""
        if what is SessionEvent.ASSOCIATED:
            self._inf("Device successfully associated with cloud! Reconnecting")
        super().told(what, code)


class AssetTracker2(SampleCode):
    """asset_tracker_v2: at its default level the log does not say that it is connected.

    What it has to send meanwhile it keeps until it is.
    """

    module = "cloud_module"
    _kept = 0

    def booted(self) -> None:
        """See SampleCode."""
        for text in ("The Asset Tracker v2 has started", "Version: 2.9.0", "Cloud: nRF Cloud"):
            self._voice.print(f" {text}")
        self._voice.print(" Endpoint: mqtt.nrfcloud.com")

    def connecting(self) -> None:
        """See SampleCode."""
        self._voice.log("wrn", self.module, "Cloud connection establishment in progress")
        self._voice.log("wrn", self.module, "New connection attempt in 32 seconds if not successful")

    def press(self) -> None:
        """See SampleCode."""
        if self._voice.session.ready:
            super().press()
        else:
            self._kept += 1

    def ready(self) -> None:
        """See SampleCode."""
        kept, self._kept = self._kept, 0
        for _ in range(kept):
            super().press()

    def not_associated(self) -> None:
        """See SampleCode."""
        self._voice.log("wrn", "nrf_cloud_integration", "NRF_CLOUD_EVT_USER_ASSOCIATION_REQUEST")
        self._voice.log("wrn", "nrf_cloud_integration", "Add the device to nRF Cloud to complete user association")


class AssetTrackerTemplate(SampleCode):
    """Asset Tracker Template with its MQTT module: no pairing, topics below the client id, a shell."""

    module = "cloud"
    extra = ("shadow/get/accepted",)  # CONFIG_APP_CLOUD_MQTT_SUB_TOPIC, as it must be for nRF Cloud
    publishes_on: Final = "att-pub-topic"

    def connecting(self) -> None:
        """See SampleCode."""
        self._dbg("state_connecting_attempt_entry", "state_connecting_attempt_entry")

    def ready(self) -> None:
        """See SampleCode."""
        self._dbg("on_mqtt_suback", "Subscribed to topic with id: 2469")

    def told(self, what: SessionEvent, code: int) -> None:
        """See SampleCode."""
        if what is SessionEvent.CONNECTED:
            self._dbg("on_mqtt_connack", "MQTT connection established, session present: 0")
            self._dbg("state_connected_entry", "Connected to Cloud")
            own = self._voice.session.client_id
            self._inf(f"Subscribing to: {own}/{self.extra[0]}")
        elif what is SessionEvent.ACKNOWLEDGED:
            self._dbg("on_mqtt_puback", "Publish acknowledgment received, message id: 1")
        super().told(what, code)

    def refused(self, code: int) -> None:
        """See SampleCode."""
        self._voice.log("err", "mqtt_helper", f"mqtt_connect, error: {code}")
        self._voice.log("err", self.module, f"Failed connecting to MQTT, error code: {code}")

    def kicked(self, code: int) -> None:
        """See SampleCode."""
        self._voice.log("err", "mqtt_helper", f"Cloud MQTT input error: {-ENOTCONN}")

    def publish(self, payload: str) -> str:
        """Run ``att_cloud_publish_mqtt``; return what it prints."""
        self._count += 1
        document = f'"data":"{payload}","ts":{1_746_534_066_000 + self._count}'
        topic = f"{self._voice.session.client_id}/{self.publishes_on}"
        self._voice.session.publish(topic, "{" + document + "}")
        self._dbg("on_cloud_payload_json", "MQTT Publish Details:")
        self._dbg("on_cloud_payload_json", f" -Topic: {topic}")
        return f"Sending on payload channel: {document} ({len(document)} bytes)"

    def _dbg(self, function: str, text: str) -> None:
        self._voice.log("dbg", self.module, f"{function}: {text}")


SAMPLES: Final[dict[Sample, type[SampleCode]]] = {
    Sample.DEVICE_MESSAGE: DeviceMessage,
    Sample.MULTI_SERVICE: MultiService,
    Sample.ASSET_TRACKER_2: AssetTracker2,
    Sample.CLOUD_CLIENT: CloudClient,
    Sample.ASSET_TRACKER: AssetTracker,
    Sample.ASSET_TRACKER_TEMPLATE: AssetTrackerTemplate,
}
