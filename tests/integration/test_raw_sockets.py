"""MQTT through a virtual board's raw sockets: the modem's TLS, the local cloud's broker, paho-mqtt on this side."""

import asyncio
import threading
import time
from contextlib import contextmanager

import pytest

from harness.at import AtPort
from harness.firmware import (
    Capability,
    Login,
    MqttEventKind,
    NoSession,
    Will,
    kind_of,
    open_firmware,
    port_settings,
    synchronise,
    to_known_state,
)
from harness.firmware.bridge import SocketsTaken
from harness.settings import NamedBoard
from harness.timeline import Kind, Timeline
from harness.virtual.board import Network, VirtualBoard
from harness.virtual.board.modem.nvm import Credential
from tests.integration.cloud_lab import Identity, running_cloud

TAG = 16842753
HOST = "mqtt.nrfcloud.com"
DEADLINE = 10.0
DEVICE = "dev-raw"


class Rig:
    """A virtual board with a device's credentials, the cloud that knows them, and the event loop of the board."""

    def __init__(self, board, lab, firmware, loop):
        self.board, self.lab, self.firmware = board, lab, firmware
        self.loop = loop
        self.tcp_client = firmware == "slm-tcp-client"
        self.login = Login(DEVICE, HOST, 8883, TAG)
        self.prefix = lab.prefix

    @contextmanager
    def driver(self, *, known=True):
        """Port and driver, as a run opens them."""
        timeline = Timeline()
        settings = port_settings(self.firmware)
        with AtPort.open(str(self.board.port), name="raw", timeline=timeline, settings=settings) as port:
            synchronise(port, self.firmware)
            if known:
                to_known_state(port, self.firmware)
            mqtt = open_firmware(port, self.firmware)
            self.make_socket = kind_of(self.firmware).socket(mqtt.firmware)
            port.command("AT+CFUN=1")
            port.command("AT+CEREG=1")
            if not port.command("AT+CEREG?").value("+CEREG").startswith("1,1"):
                port.wait_line(r"\+CEREG: 1", DEADLINE, since=0)
            try:
                yield port, mqtt
            finally:
                mqtt.disconnect()


@pytest.fixture(scope="module", params=["raw-sockets", "slm-sockets", "slm-tcp-client"])
def rig(tmp_path_factory, request):
    folder = tmp_path_factory.mktemp("raw")
    with running_cloud(folder) as lab:
        identity = Identity(DEVICE)
        assert lab.rest("POST", f"/devices/{DEVICE}", json={"certificate": identity.certificate_pem}).status_code == 202
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        network = Network({(HOST, 8883): lab.cloud.mqtt_address})
        said = NamedBoard(name="raw", time_scale=0.0, firmware=request.param)
        board = VirtualBoard(said, link=folder / "raw", network=network)
        board.nvm.credentials[TAG, 0] = Credential(lab.ca_file.read_bytes())
        board.nvm.credentials[TAG, 1] = Credential(identity.certificate_pem.encode())
        board.nvm.credentials[TAG, 2] = Credential(identity.private_key_pem.encode())
        asyncio.run_coroutine_threadsafe(board.start(), loop).result(DEADLINE)
        yield Rig(board, lab, request.param, loop)
        asyncio.run_coroutine_threadsafe(board.stop(), loop).result(DEADLINE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(DEADLINE)
        loop.close()


def wait(mqtt, kind, mark):
    found = mqtt.wait(lambda event: event.kind in (kind, MqttEventKind.CLOSED), since=mark, timeout=DEADLINE)
    assert found is not None, kind
    assert found.kind is kind, found
    return found


def sockets_of(port):
    """The handles of the sockets that the board has."""
    known = port.command("AT#XCLAC").lines
    if "AT#XTCPCLI" in known and not port.command("AT#XTCPCLI?").value("#XTCPCLI").startswith("-1,"):
        return ["the TCP client's"]
    selecting = known.count("AT#XSOCKETSELECT")
    name = "#XSOCKETSELECT" if selecting else "#XSSOCKET"
    return [line for line in port.command(f"AT{name}?").values(name) if "," in line]


def connect(rig, mqtt, **other):
    mark = mqtt.mark()
    mqtt.connect(rig.login if not other else Login(**{**vars_of(rig.login), **other}))
    wait(mqtt, MqttEventKind.ACCEPTED, mark)


def vars_of(login):
    return {name: getattr(login, name) for name in ("client_id", "host", "port", "sec_tag")}


def test_a_message_of_any_bytes_goes_and_comes_back(rig):
    payload = bytes(range(256)) * 20 + b"+++\r\n#XMQTTEVT: 2,0\r\n\r\nOK\r\n"
    topic = f"$aws/things/{DEVICE}/shadow/get"
    with rig.driver() as (port, mqtt):
        assert mqtt.firmware.lacks(Capability.WILL, Capability.SUBACK_CODE) is None
        connect(rig, mqtt)
        mark = mqtt.mark()
        assert mqtt.subscribe(f"{topic}/accepted")
        suback = wait(mqtt, MqttEventKind.SUBACK, mark)
        assert (suback.result, suback.packet_id) == (0, 1)
        assert mqtt.publish(f"{rig.prefix}m/d/{DEVICE}/d2c", payload)
        assert wait(mqtt, MqttEventKind.PUBACK, mark).packet_id == 2
        assert mqtt.publish(topic, b"")
        message = wait(mqtt, MqttEventKind.MESSAGE, mark)
        assert message.topic == f"{topic}/accepted"
        assert mqtt.is_connected()
        # what the board carried is on its timeline by size alone
        assert not any(payload[:40].decode("latin-1") in event.text for event in port.timeline.since(mark))
    rig.lab.journal.wait("publish", topic=f"{rig.prefix}m/d/{DEVICE}/d2c")


def test_what_has_come_to_the_board_is_an_event_before_it_disconnects(rig):
    topic = f"$aws/things/{DEVICE}/shadow/get"
    with rig.driver() as (port, mqtt):
        connect(rig, mqtt)
        mark = mqtt.mark()
        mqtt.publish(topic, b"")
        port.wait_line("#XAPOLL: 0,1|#XTCPDATA: ", DEADLINE, since=mark)
        mqtt.disconnect()
        kinds = [event.kind for event in mqtt.events(mark)]
        assert kinds[-1] is MqttEventKind.CLOSED
        assert MqttEventKind.PUBACK in kinds


def test_a_violation_reads_as_the_page_says(rig):
    with rig.driver() as (port, mqtt):
        connect(rig, mqtt)
        mark = mqtt.mark()
        assert mqtt.publish("$aws/things/other/shadow/update", b"{}")
        closed = wait(mqtt, MqttEventKind.CLOSED, mark)
        events = [event.text for event in port.timeline.since(mark)]
        if rig.tcp_client:
            assert str(closed) == "hung up: ECONNRESET (104)"
            assert '#XTCPCLI: -104,"disconnected"' in events or "#XDATAMODE: -104" in events
            assert "socket 0: POLLHUP (told as cause -104)" in events
        else:
            assert str(closed) == "hung up: ENOTCONN (128)"
            assert [text for text in events if text.startswith("#XAPOLL: ")] == ["#XAPOLL: 0,17"]
            assert "socket 0: POLLIN POLLHUP (17, 0x0011)" in events
        assert not mqtt.is_connected()
        assert not mqtt.publish("x", b"")
        assert sockets_of(port) == []


def test_what_was_sent_before_the_hang_up_is_answered_first(rig):
    with rig.driver() as (_, mqtt):
        connect(rig, mqtt)
        mark = mqtt.mark()
        for number in range(20):
            mqtt.publish(f"{rig.prefix}m/d/{DEVICE}/d2c", b"%d" % number)
        mqtt.publish("$aws/things/other/shadow/update", b"{}")
        mqtt.publish(f"{rig.prefix}m/d/{DEVICE}/d2c", b"behind")
        wait_closed = mqtt.wait(lambda event: event.kind is MqttEventKind.CLOSED, since=mark, timeout=DEADLINE)
        assert wait_closed is not None
        kinds = [event.kind for event in mqtt.events(mark)]
        assert kinds == [MqttEventKind.PUBACK] * 20 + [MqttEventKind.CLOSED]


def test_a_will_is_published_for_a_connection_that_is_dropped(rig):
    topic = f"{rig.prefix}m/d/{DEVICE}/d2c"
    with rig.driver() as (_, mqtt):
        connect(rig, mqtt, will=Will(topic, b"gone"))
        mark = mqtt.mark()
        mqtt.drop()
        assert wait(mqtt, MqttEventKind.CLOSED, mark).result == 0
    rig.lab.journal.wait("publish", topic=topic, client_id=DEVICE)


def test_a_will_that_is_not_allowed_is_refused_at_connect(rig):
    with rig.driver() as (_, mqtt):
        mark = mqtt.mark()
        mqtt.connect(Login(**vars_of(rig.login), will=Will("forbidden", b"")))
        assert wait(mqtt, MqttEventKind.CLOSED, mark).by_remote


def test_credentials_that_the_board_does_not_have(rig):
    with rig.driver() as (port, mqtt):
        with pytest.raises(NoSession, match="using sec_tag 7"):
            mqtt.connect(Login(DEVICE, HOST, 8883, 7))
        assert sockets_of(port) == []


def test_the_network_goes(rig):
    with rig.driver() as (port, mqtt):
        connect(rig, mqtt)
        mark = mqtt.mark()
        port.command("AT+CFUN=4", timeout=DEADLINE)
        assert str(wait(mqtt, MqttEventKind.CLOSED, mark)) == "hung up: ENETDOWN (115)"


def test_sockets_of_a_killed_run_are_closed_and_said(rig):
    with rig.driver() as (port, _):
        rig.make_socket(port).connect(HOST, 8883, TAG, timeout=DEADLINE)
    with rig.driver() as (port, _):
        assert sockets_of(port) == []
        said = [event.text for event in port.timeline.since(0) if event.kind is Kind.STEP]
        what = "the TCP client connected" if rig.tcp_client else "1 socket open"
        assert f"an earlier user left {what}: it is closed" in said


@pytest.mark.parametrize("count", [1, 4096])
def test_data_mode_of_a_killed_run_is_left(rig, count):
    counted = f"=0,2,0,{count}" if rig.firmware == "raw-sockets" else ""
    with rig.driver() as (port, _):
        rig.make_socket(port).connect(HOST, 8883, TAG, timeout=DEADLINE)
        port.shout("AT#XTCPSEND" if rig.tcp_client else f"AT#XSEND{counted}")
        port.wait_line("OK", DEADLINE, since=0)
    began = time.monotonic()
    with rig.driver() as (port, _):
        assert sockets_of(port) == []
    assert time.monotonic() - began < DEADLINE


def test_a_board_that_restarts_in_silence_is_not_connected(rig):
    with rig.driver() as (port, mqtt):
        connect(rig, mqtt)
        rig.loop.call_soon_threadsafe(rig.board.power_on)  # it restarts in silence: the socket is gone
        port.wait_line("Ready", DEADLINE, since=0)
        assert not mqtt.is_connected()


def test_sockets_are_all_taken(rig):
    with rig.driver() as (port, _):
        for number in range(8):
            made = rig.make_socket(port)
            made.connect(HOST, 8883, TAG, timeout=DEADLINE)
            if rig.tcp_client:
                break
            assert made.handle == number
        with pytest.raises(SocketsTaken) as caught:
            rig.make_socket(port).connect(HOST, 8883, TAG, timeout=0.2)
        if rig.tcp_client:
            assert "carries one connection at a time, and socket 0 is open" in str(caught.value)
        else:
            assert str(caught.value) == (
                "raw: all 8 sockets of the modem are taken; open are the handles 0, 1, 2, 3, 4, 5, 6, 7; end a program"
                " that is connected through the board, or start again: opening the board closes what an earlier run"
                " left open"
            )
        made.close()
        rig.make_socket(port).connect(HOST, 8883, TAG, timeout=DEADLINE)  # there is room again
    with rig.driver() as (port, _):
        assert sockets_of(port) == []
