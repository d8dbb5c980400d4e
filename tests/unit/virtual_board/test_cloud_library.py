"""Firmware built on the cloud libraries: what it says, byte for byte, and its flow with the cloud."""

from __future__ import annotations

import json

import pytest

from harness.settings import Sample
from harness.virtual.board.cloud_library import CloudOnAtHost, CloudOnShell
from harness.virtual.board.modem import Nvm, make_identity
from harness.virtual.board.modem.nvm import Credential
from harness.virtual.board.outputs import LinkClosed, LinkData, LinkFailed, LinkOpened, LinkSend, OpenLink
from harness.virtual.mqtt import FROM_CLIENT, Connack, Connect, Decoder, Packet, Publish, Suback, Subscribe
from tests.unit.virtual_board.bench import Bench

TAG = 16842753
KICK = "<err> nrf_cloud_transport: MQTT input error: -128\r\n"


class Cloud:
    """The far end of a board's link: answers what the flow needs."""

    def __init__(self, sample: Sample, *, credentials: bool = True, desired: dict | None = None) -> None:
        nvm = Nvm(make_identity("virtual-1"))
        if credentials:
            nvm.credentials |= {(TAG, kind): Credential(b"x") for kind in (0, 1, 2)}
        self.id = str(nvm.identity.device_uuid)
        own = f"prod/team/m/d/{self.id}"
        topics = {"d2c": f"{own}/d2c", "c2d": f"{own}/c2d"}
        paired = {"pairing": {"state": "paired", "topics": topics}, "nrfcloud_mqtt_topic_prefix": "prod/team/"}
        self.desired = paired if desired is None else desired
        firmware = CloudOnShell if sample is Sample.ASSET_TRACKER_TEMPLATE else CloudOnAtHost
        self.bench = Bench(nvm=nvm, firmware=firmware, sample=sample)
        self.heard = self.bench.banner + self.bench.advance(5)
        self.published: list[Publish] = []
        self.filters: list[str] = []
        self.refuse = ""
        self._decoder = Decoder(FROM_CLIENT)

    def run(self) -> str:
        """Play until nothing is asked any more; return all that the board printed, without prompts redrawn."""
        while actions := self.bench.taken():
            for action in actions:
                if isinstance(action, OpenLink):
                    self.heard += self.bench.link(LinkOpened())
                elif isinstance(action, LinkSend):
                    self._decoder.feed(action.data)
                    while (packet := self._decoder.next_packet()) is not None:
                        self._answer(packet)
        return self.heard.decode()

    def _answer(self, packet) -> None:
        answers: list[Packet] = []
        match packet:
            case Connect():
                answers = [Connack()]
            case Subscribe(number, filters):
                self.filters += [text for text, _ in filters]
                if self.refuse and self.refuse in filters[0][0]:
                    self.heard += self.bench.link(LinkClosed())
                    return
                answers = [Suback(number, (1,))]
            case Publish():
                self.published.append(packet)
                if packet.topic.endswith("/shadow/get"):
                    document = json.dumps({"desired": self.desired}).encode()
                    answers = [Publish(f"{self.id}/shadow/get/accepted", document)]
        for answer in answers:
            self.heard += self.bench.link(LinkData(answer.encode()))


READY = {
    Sample.DEVICE_MESSAGE: "<inf> nrf_cloud_mqtt_device_message: Connection to nRF Cloud ready\r\n",
    Sample.MULTI_SERVICE: "<inf> cloud_connection: Connected to nRF Cloud\r\n",
    Sample.CLOUD_CLIENT: "\r\nCLOUD_EVT_READY\r\n",
    Sample.ASSET_TRACKER: "<inf> asset_tracker: CLOUD_EVT_READY\r\n",
    Sample.ASSET_TRACKER_TEMPLATE: "<dbg> cloud: state_connected_entry: Connected to Cloud\r\n",
}


@pytest.mark.parametrize("sample", Sample)
def test_it_connects_by_itself_and_says_what_its_level_shows(sample):
    cloud = Cloud(sample)
    heard = cloud.run()
    for other, line in READY.items():
        assert (line in heard) is (other is sample)
    if sample is Sample.ASSET_TRACKER_TEMPLATE:
        assert cloud.filters == [f"{cloud.id}/shadow/get/accepted"]
    else:
        assert cloud.filters[-1] == f"prod/team/m/d/{cloud.id}/+/r"
        reports = [json.loads(each.payload) for each in cloud.published if b"paired" in each.payload]
        assert reports[0]["state"]["reported"]["pairing"]["state"] == "paired"


@pytest.mark.parametrize("sample", [each for each in Sample if each is not Sample.ASSET_TRACKER_TEMPLATE])
def test_a_hang_up_at_the_pairing_topic_shows_as_the_library_prints_it(sample):
    cloud = Cloud(sample)
    cloud.refuse = "/+/r"
    heard = cloud.run()
    assert READY.get(sample, "never") not in heard
    if sample is Sample.CLOUD_CLIENT:
        chain = "Socket error: POLLHUP\r\nConnection was closed by the cloud.\r\nCLOUD_EVT_DISCONNECTED\r\n"
        assert chain in heard
    elif sample is Sample.ASSET_TRACKER:
        assert "CLOUD_EVT_DISCONNECTED: 1\r\n" in heard  # the reason's number, and then in words
        assert heard.index("CLOUD_EVT_DISCONNECTED: 1") < heard.index("Disconnected by the cloud.")
    else:
        assert KICK in heard
        assert "POLLHUP" not in heard


def test_without_its_pairing_it_asks_for_an_association():
    cloud = Cloud(Sample.MULTI_SERVICE, desired={"pairing": {"state": "not_associated"}})
    assert "Please add this device to your cloud account" in cloud.run()
    assert not any("/m/d/" in text for text in cloud.filters)


def test_missing_credentials_are_told_and_nothing_is_opened():
    cloud = Cloud(Sample.DEVICE_MESSAGE, credentials=False)
    assert "Missing required nRF Cloud credential(s)" in cloud.heard.decode()
    assert "\t-Private Key" in cloud.heard.decode()
    assert not any(isinstance(action, OpenLink) for action in cloud.bench.taken())


def test_a_refused_tls_session_shows_the_swapped_port_and_minus_nine():
    cloud = Cloud(Sample.MULTI_SERVICE)
    cloud.bench.taken()
    heard = cloud.bench.link(LinkFailed("no")).decode()
    assert "MQTT Broker mqtt.nrfcloud.com, port: 45858. err: -111\r\n" in heard
    assert "Could not connect to nRF Cloud, error: -9\r\n" in heard


def test_the_network_goes_and_comes_back():
    cloud = Cloud(Sample.MULTI_SERVICE)
    cloud.run()
    lost = cloud.bench.type(b"AT+CFUN=4\r") + cloud.bench.advance(2)
    assert b"Network connectivity lost!" in lost
    assert b"MQTT input error" not in lost
    cloud.bench.taken()
    back = cloud.bench.type(b"AT+CFUN=1\r") + cloud.bench.advance(5)
    assert b"Connecting to nRF Cloud\r\n" in back
    assert any(isinstance(action, OpenLink) for action in cloud.bench.taken())


def test_the_button_publishes_on_the_paired_topic():
    cloud = Cloud(Sample.DEVICE_MESSAGE)
    cloud.run()
    cloud.heard += cloud.bench._collect(cloud.bench.core.press())
    assert "Sent button press message with count: 1\r\n" in cloud.run()
    assert cloud.published[-1].topic == f"prod/team/m/d/{cloud.id}/d2c"


def test_a_press_before_the_connection_is_kept_by_the_asset_tracker():
    cloud = Cloud(Sample.ASSET_TRACKER_2)
    cloud.bench._collect(cloud.bench.core.press())
    cloud.run()
    assert cloud.published[-1].topic == f"prod/team/m/d/{cloud.id}/d2c"


def test_the_template_publishes_what_is_typed():
    cloud = Cloud(Sample.ASSET_TRACKER_TEMPLATE)
    cloud.run()
    heard = cloud.bench.type(b"att_cloud_publish_mqtt hello\r")
    assert b"Sending on payload channel: " in heard
    assert heard.endswith(b"uart:~$ ")
    cloud.run()
    assert cloud.published[-1].topic == f"{cloud.id}/att-pub-topic"


def test_at_commands_and_the_log_share_the_port():
    cloud = Cloud(Sample.MULTI_SERVICE)
    cloud.run()
    assert cloud.bench.type(b"AT+CFUN?\r") == b"+CFUN: 1\r\nOK\r\n"
