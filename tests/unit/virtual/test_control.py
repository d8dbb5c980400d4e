"""From a command's line to its effect and its answer, on boards and a cloud that only note what is done to them."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.settings import BoardFault
from harness.virtual.board import Network
from harness.virtual.control import StandIns, respond
from harness.virtual.control_cloud import CloudControl


class Board:
    """Notes what happens to it."""

    def __init__(self, name):
        self.name, self.faults, self.plugged, self.done = name, set(), True, []

    def power_on(self):
        self.done.append("power_on")

    def unplug(self):
        self.done.append("unplug")
        self.plugged = False

    async def start(self):
        self.done.append("start")
        self.plugged = True


class Broker:
    """Has one client, x."""

    def __init__(self):
        self.done: list[Any] = []
        self.taken = False
        self.interference = SimpleNamespace()

    def disconnect(self, client_id, *, style):
        self.done.append((client_id, style))
        return client_id == "x"

    async def stop(self):
        self.done.append("stop")

    async def start(self, host, port):
        if self.taken:
            raise OSError(98, "Address already in use")
        self.done.append(("start", host, port))
        return port


@pytest.fixture
def cloud():
    """A cloud with that broker, in which names are client ids."""
    return cast(Any, SimpleNamespace(broker=Broker(), mqtt_address=("127.0.0.1", 8883), clients=lambda name: [name]))


@pytest.fixture
def stand_ins(cloud):
    boards: Any = {"a": Board("a"), "b": Board("b")}
    return StandIns(boards, CloudControl(cloud), Network({}))


@pytest.fixture
def say(stand_ins):
    """Send a command, return its answer without the id, which must be the command's."""

    def say(command, **fields):
        line = json.dumps({"id": "n", "command": command, **fields}).encode()
        answer = json.loads(asyncio.run(respond(line, stand_ins)))
        assert answer.pop("id") == "n"
        return answer

    return say


def test_faults_of_one_board(say, stand_ins):
    assert say("set-fault", board="a", fault="no-sim") == {"ok": True, "faults": ["no-sim"]}
    assert say("set-fault", board="a", fault="denied") == {"ok": True, "faults": ["denied", "no-sim"]}
    assert say("clear-fault", board="a", fault="no-sim") == {"ok": True, "faults": ["denied"]}
    assert say("clear-fault", board="a", fault="no-sim") == {"ok": True, "faults": ["denied"]}
    assert (stand_ins.boards["a"].faults, stand_ins.boards["b"].faults) == ({BoardFault.DENIED}, set())


def test_power_of_a_board(say, stand_ins):
    assert say("reset-board", board="b") == {"ok": True}
    assert say("plug-board", board="b") == {"ok": False, "error": "board 'b' is plugged in already"}
    assert say("unplug-board", board="b") == {"ok": True}
    assert say("unplug-board", board="b") == {"ok": False, "error": "board 'b' is unplugged already"}
    assert say("reset-board", board="b") == {"ok": False, "error": "board 'b' is unplugged; plug it in first"}
    assert say("plug-board", board="b") == {"ok": True}
    assert stand_ins.boards["b"].done == ["power_on", "unplug", "start"]


def test_routes(say, stand_ins):
    assert say("set-route", name="mqtt.nrfcloud.com:8883", target="127.0.0.1:7") == {"ok": True}
    assert stand_ins.network.resolve("mqtt.nrfcloud.com", 8883) == ("127.0.0.1", 7)
    assert say("remove-route", name="mqtt.nrfcloud.com:8883") == {"ok": True}
    assert stand_ins.network.resolve("mqtt.nrfcloud.com", 8883) is None
    gone = {"ok": False, "error": "no route has the name 'mqtt.nrfcloud.com:8883'"}
    assert say("remove-route", name="mqtt.nrfcloud.com:8883") == gone


def test_connections(say, cloud):
    assert say("close-connection", client_id="x") == {"ok": True}
    assert say("close-connection", client_id="x", style="rst") == {"ok": True}
    assert say("close-connection", client_id="y") == {"ok": False, "error": "client 'y' has no connection"}
    assert cloud.broker.done == [("x", "notify"), ("x", "rst"), ("y", "notify")]


def test_the_broker(say, cloud):
    broker, address = cloud.broker, {"ok": True, "mqtt": ["127.0.0.1", 8883]}
    assert say("start-broker") == {"ok": False, "error": "the broker runs already"}
    assert say("stop-broker") == address
    assert say("stop-broker") == {"ok": False, "error": "the broker is stopped already"}
    broker.taken = True
    assert say("start-broker") == {"ok": False, "error": "[Errno 98] Address already in use"}
    broker.taken = False
    assert say("start-broker") == address  # what failed can be tried again
    assert broker.done == ["stop", ("start", "127.0.0.1", 8883)]


def test_without_a_cloud_and_without_boards():
    nothing = StandIns({}, None, Network({}))
    for line, said in (
        (b'{"id": 1, "command": "stop-broker"}', "no cloud here: the process has boards only"),
        (b'{"id": 1, "command": "reset-board", "board": "a"}', "no board 'a' here; boards: none"),
    ):
        assert json.loads(asyncio.run(respond(line, nothing))) == {"id": 1, "ok": False, "error": said}


def test_a_bad_line_changes_nothing(stand_ins):
    answer = json.loads(asyncio.run(respond(b"reset a", stand_ins)))
    assert (answer["id"], answer["ok"]) == (None, False)
    assert stand_ins.boards["a"].done == []
