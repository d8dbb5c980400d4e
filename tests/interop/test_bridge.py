"""Programs that other people wrote talk to the cloud through a board, by ``nrf91-harness bridge``."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop.stand_ins import DEADLINE, program, run

BOARDS = Path(__file__).parents[1] / "boards" / "raw-sockets.yaml"


class Bridge:
    """The running command. ``said``: its first line."""

    def __init__(self, process):
        self.process = process
        line = process.stdout.readline()
        assert line, process.stderr.read()
        self.said = json.loads(line)
        self.port = self.said["listen"].rpartition(":")[2]
        self.client_id = self.said["client_id"]

    def mosquitto_pub(self, topic, *more):
        """The command for one QoS 1 publish."""
        found = program("mosquitto_pub")
        if found is None:
            pytest.skip("needs mosquitto_pub (Debian: apt-get install mosquitto-clients)")
        who = ["-V", "mqttv311", "-h", "127.0.0.1", "-p", self.port, "-i", self.client_id]
        return [found, *who, "-q", "1", "-t", topic, *more]


@pytest.fixture(scope="module")
def bridge(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bridge")
    options = ["--boards", str(BOARDS), "--listen", "0", "--lab-ca", str(folder / "ca"), "--json"]
    command = [sys.executable, "-m", "harness.cli", "bridge", "raw-sockets", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        made = Bridge(process)
        yield made
        process.terminate()
        said = process.stderr.read()
        assert process.wait(DEADLINE) == 0, said
        assert "connections" in said.splitlines()[-1]


def test_mosquitto_pub_publishes(bridge, tmp_path):
    payload = tmp_path / "payload"
    payload.write_text(json.dumps({"state": {"reported": {"bridge": "+++" + "x" * 3000}}}))
    run(bridge.mosquitto_pub(f"$aws/things/{bridge.client_id}/shadow/update", "-f", str(payload)))


def test_mosquitto_pub_is_thrown_out_on_a_violation(bridge):
    command = bridge.mosquitto_pub("$aws/things/another/shadow/update", "-m", "{}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 7, done.stderr  # MOSQ_ERR_CONN_LOST
    assert "connection was lost" in done.stderr


def test_the_next_program_comes_through_all_the_same(bridge):
    run(bridge.mosquitto_pub(f"$aws/things/{bridge.client_id}/shadow/get", "-n"))
