"""Throughput and round trip of MQTT through a board's raw socket, against what the UART alone takes (8N1).

The board is a virtual one whose UART has the pace of its baud rate. paho-mqtt's own client publishes through
``Board.bridge``. The peer is the line: bytes of MQTT x 10 / baud.
"""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from benchmarks.common import Row, percentile
from harness.lab import Lab, load_boards_file
from harness.run import Board, Cloud

BAUDS = (115200, 1000000)
PAYLOAD = 4096
MESSAGES = {115200: 12, 1000000: 60}
ROUND_TRIPS = 30
_DEADLINE = 120.0
_BITS = 10
_BOARDS = """boards:
  - {{name: paced, virtual: {{baud: {baud}}}, firmware: raw-sockets, baud: {baud}}}
"""


def run() -> list[Row]:
    """Measure at each speed."""
    rows = []
    for baud in BAUDS:
        with _board(baud) as board, _client(board) as client:
            topic = f"{board.cloud.account.mqtt_prefix}m/d/{board.device.id}/d2c"
            for qos in (0, 1):
                share = _throughput(client, board, topic, qos, baud)
                name = f"bridge at {baud} baud: share of the line, {PAYLOAD} B publishes, QoS {qos}"
                rows.append(Row(name, share, 100.0, f"{share / 100:.2f}x", ">= 85", "%"))
            trips = [_round_trip(client, topic) for _ in range(ROUND_TRIPS)]
            line = _line_time(topic, baud)
            name = f"bridge at {baud} baud: QoS 1 publish of 32 B until its PUBACK, median"
            middle = percentile(trips, 0.5) * 1000
            rows.append(Row(name, middle, line * 1000, f"{middle / line / 1000:.2f}x", "-", "ms"))
    return rows


class _Paho:
    """A client that counts what is acknowledged."""

    def __init__(self, client_id: str, address: tuple[str, int]) -> None:
        self.acknowledged = threading.Semaphore(0)
        connected = threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv311)
        self.client.on_connect = lambda *_: connected.set()
        self.client.on_publish = lambda *_: self.acknowledged.release()
        self.client.connect(*address)
        self.client.loop_start()
        assert connected.wait(_DEADLINE)

    def publish(self, topic: str, payload: bytes, qos: int, count: int = 1) -> None:
        """Publish and wait until everything is acknowledged (QoS 0: written)."""
        for _ in range(count):
            self.client.publish(topic, payload, qos)
        for _ in range(count):
            assert self.acknowledged.acquire(timeout=_DEADLINE)


def _throughput(client: _Paho, board: Board, topic: str, qos: int, baud: int) -> float:
    """Return the share of the line in percent: from the first publish until the last has reached the cloud."""
    count = MESSAGES[baud]
    size = count * (PAYLOAD + len(topic) + 2 + 3 + 2 * qos)
    started = time.perf_counter()
    client.publish(topic, b"x" * PAYLOAD, qos, count)
    if qos == 0:
        client.publish(topic, b"the last", 1)  # MQTT keeps the order
    seconds = time.perf_counter() - started
    return size * _BITS / baud / seconds * 100


def _round_trip(client: _Paho, topic: str) -> float:
    started = time.perf_counter()
    client.publish(topic, b"x" * 32, 1)
    return time.perf_counter() - started


def _line_time(topic: str, baud: int) -> float:
    """Return the seconds that the UART alone takes: publish, PUBACK, and the AT lines around both."""
    sent = len("AT#XSEND=0,2,0,100\r") + 32 + len(topic) + 6 + len("AT#XRECV=0,0,64,1\r")
    heard = len("\r\nOK\r\n\r\n#XDATAMODE: 0\r\n\r\n#XAPOLL: 0,1\r\n\r\n#XRECV: 0,0,4\r\n") + 4 + len("\r\nOK\r\n")
    return (sent + heard) * _BITS / baud


@contextmanager
def _board(baud: int) -> Iterator[Board]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "boards.yaml"
        path.write_text(_BOARDS.format(baud=baud))
        file = load_boards_file(path)
        with Lab(file) as lab:
            (config,) = lab.select(["paced"])
            cloud = Cloud(lab, config.cloud, folder / "ca")
            board = Board(lab, config, cloud, ca_folder=folder / "ca")
            board.begin()
            try:
                yield board
            finally:
                board.close()
                cloud.close()


@contextmanager
def _client(board: Board) -> Iterator[_Paho]:
    with board.sockets.bridge(board.sockets.to()) as bridge:
        made = _Paho(board.device.id, bridge.address)
        try:
            yield made
        finally:
            made.client.disconnect()
            made.client.loop_stop()
