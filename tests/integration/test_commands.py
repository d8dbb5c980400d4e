"""Commands to a running process of stand-ins: what they do to boards and connections, and that it goes on."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
import serial

from harness.errors import BoardLost, Misuse
from harness.lab.stand_in import StandIn
from harness.settings import FirmwareName, Model, NamedBoard, ProcessCloud, ProcessSettings, TerminatorName
from tests.integration.cloud_lab import Identity, MqttPeer
from tests.integration.test_virtual_process import close_stdin, end, refused, stand_ins

BOARD: dict[str, Any] = {"seed": "x", "time_scale": 0.01}


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a process with these boards, and perhaps a cloud."""
    started = []

    def start(*boards, cloud=None, network=None):
        settings = ProcessSettings(
            boards=boards, cloud=cloud, network=network or {}, directory=str(tmp_path / "run"), die_with_stdin=True
        )
        started.append(StandIn("stand-ins", settings, log=tmp_path / "log", error=BoardLost))
        return started[-1]

    yield start
    assert [stand_in.stop() for stand_in in started] == [None] * len(started)


def ask(board, command):
    with serial.Serial(board["port"], 115200, timeout=30) as port:
        port.write(command + b"\r")
        return port.read_until(b"OK\r\n")


def test_a_fault_comes_and_goes(start):
    stand_in = start(NamedBoard(name="a", **BOARD), NamedBoard(name="b", **BOARD))
    a, b = stand_in.ready["boards"]
    assert stand_in.command("set-fault", board="a", fault="no-imei") == {"faults": ["no-imei"]}
    with serial.Serial(a["port"], 115200, timeout=30) as port:
        port.write(b"AT+CGSN\r")
        assert port.read_until(b"ERROR\r\n").endswith(b"ERROR\r\n")
    assert b["imei"].encode() in ask(b, b"AT+CGSN")
    assert stand_in.command("clear-fault", board="a", fault="no-imei") == {"faults": []}
    assert a["imei"].encode() in ask(a, b"AT+CGSN")


def test_several_models_and_firmwares_in_one_process(start):
    stand_in = start(
        NamedBoard(name="modem", **BOARD),
        NamedBoard(
            name="client",
            model=Model.NRF9160,
            firmware=FirmwareName.AT_CLIENT,
            terminator=TerminatorName.LF,
            **BOARD,
        ),
        NamedBoard(name="shell", model=Model.NRF9161, firmware=FirmwareName.SHELL, **BOARD),
    )
    modem, client, shell = stand_in.ready["boards"]
    assert [board["firmware"] for board in stand_in.ready["boards"]] == ["serial-modem", "at-client", "shell"]
    assert b"nRF9151" in ask(modem, b"AT+CGMM")
    with serial.Serial(client["port"], 115200, timeout=30) as port:
        port.write(b"AT+CGMM\n")
        assert port.read_until(b"OK\r\n") == b"nRF9160-SICA\r\nOK\r\n"
    with serial.Serial(shell["port"], 115200, timeout=30) as port:
        port.write(b"at 'AT+CGMM'\r")
        assert b"nRF9161-LACA" in port.read_until(b"OK\r\n")


def test_a_board_is_unplugged_and_plugged_in_again(start):
    stand_in = start(NamedBoard(name="a", **BOARD))
    (board,) = stand_in.ready["boards"]
    stand_in.command("unplug-board", board="a")
    assert not os.path.lexists(board["port"])
    for command, how in (("unplug-board", "unplugged already"), ("reset-board", "unplugged; plug it in first")):
        with pytest.raises(Misuse, match=f"board 'a' is {how}"):
            stand_in.command(command, board="a")
    stand_in.command("plug-board", board="a")
    with pytest.raises(Misuse, match="board 'a' is plugged in already"):
        stand_in.command("plug-board", board="a")
    assert board["imei"].encode() in ask(board, b"AT+CGSN")


def test_a_reset_starts_the_firmware_anew(start):
    stand_in = start(NamedBoard(name="a", **BOARD))
    with serial.Serial(stand_in.ready["boards"][0]["port"], 115200, timeout=30) as port:
        port.read_until(b"Ready\r\n")
        stand_in.command("reset-board", board="a")
        assert port.read_until(b"Ready\r\n").endswith(b"Ready\r\n")


@pytest.mark.parametrize(
    ("how", "heard"), [("garble", b"\r\n\xb0K\r\n"), ("double", b"\r\nOOK\r\n"), ("drop", b"\r\nK\r\n")]
)
def test_one_byte_arrives_wrong(start, how, heard):
    stand_in = start(NamedBoard(name="a", **BOARD))
    (board,) = stand_in.ready["boards"]
    assert stand_in.command("disturb-output", board="a", place=2, how=how) == {}
    with serial.Serial(board["port"], 115200, timeout=30) as port:
        port.reset_input_buffer()
        port.write(b"AT\r")
        assert port.read_until(b"K\r\n") == heard
        port.write(b"AT\r")
        assert port.read_until(b"K\r\n") == b"\r\nOK\r\n"


@pytest.fixture
def peer(start, tmp_path):
    """A process with a cloud alone, and a device that is connected to it."""
    stand_in = start(cloud=ProcessCloud())
    cloud = stand_in.ready["cloud"]
    identity = Identity("dev-1")
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {Path(cloud['api_key_file']).read_text()}"
        url, body = f"{cloud['rest']}/devices/dev-1", {"certificate": identity.certificate_pem}
        assert session.post(url, json=body, verify=cloud["ca"], timeout=30).status_code == 202
    device = MqttPeer(
        "dev-1",
        identity.certificate_pem,
        identity.private_key_pem,
        ca_file=cloud["ca"],
        address=tuple(cloud["mqtt"]),
        folder=tmp_path,
    ).ready()
    yield stand_in, device
    device.close()


@pytest.mark.parametrize("style", [{}, {"style": "fin"}, {"style": "rst"}])
def test_a_connection_is_closed(peer, style):
    stand_in, device = peer
    assert stand_in.command("close-connection", client_id="dev-1", **style) == {}
    assert device.ended.wait(30)
    with pytest.raises(Misuse, match="command 'close-connection' refused: client 'dev-1' has no connection"):
        stand_in.command("close-connection", client_id="dev-1")
    device.client.loop_stop()
    device.ready()


def test_the_broker_stops_and_goes_on(peer):
    stand_in, device = peer
    address = stand_in.command("stop-broker")["mqtt"]
    assert device.ended.wait(30)
    device.client.loop_stop()
    with pytest.raises(ConnectionRefusedError):
        device.client.connect(*device.address)
    with pytest.raises(Misuse, match="the broker is stopped already"):
        stand_in.command("stop-broker")
    assert stand_in.command("start-broker") == {"mqtt": address}
    with pytest.raises(Misuse, match="the broker runs already"):
        stand_in.command("start-broker")
    device.ready()


def test_a_board_of_another_process_is_trusted(peer):
    stand_in, _ = peer
    key = (
        "04"
        + "6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
        + ("4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5")
    )  # the base point of P-256
    device = "11111111-2222-3333-4444-555555555555"
    assert stand_in.command("trust-identity", identity=f"{device}={key}") == {}
    with pytest.raises(Misuse, match="'identity' is not a UUID with a point on P-256"):
        stand_in.command("trust-identity", identity=f"{device}=04{'00' * 64}")


def test_names_lead_elsewhere_from_now_on(start):
    stand_in = start(NamedBoard(name="a", **BOARD))
    assert stand_in.command("set-route", name="mqtt.nrfcloud.com:8883", target="127.0.0.1:1") == {}
    assert stand_in.command("remove-route", name="mqtt.nrfcloud.com:8883") == {}


def test_what_is_not_there_is_one_answer_and_the_process_goes_on(start):
    stand_in = start(NamedBoard(name="a", **BOARD))
    for name, fields, said in (
        ("set-fault", {"board": "x", "fault": "denied"}, "no board 'x' here; boards: a"),
        ("stop-broker", {}, "no cloud here: the process has boards only"),
        ("set_fault", {}, "unknown command 'set_fault'; nearest known command is 'set-fault'; correct it"),
    ):
        with pytest.raises(Misuse) as caught:
            stand_in.command(name, **fields)
        assert str(caught.value) == f"stand-ins: command {name!r} refused: {said}"
    assert stand_in.command("set-fault", board="a", fault="denied") == {"faults": ["denied"]}


def test_lines_that_are_no_commands_are_answered_one_by_one():
    with stand_ins("--no-cloud") as (process, _):
        process.stdin.write('no json\n\n[1]\n{"id": "a", "command": "set-fault"}\n')
        process.stdin.write('{"id": 9, "command": "set-fault", "board": "virtual-1", "fault": "denied"}')
        code, out, err = end(process, close_stdin)
        answers = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert [(answer["id"], answer["ok"]) for answer in answers] == [
        (None, False),
        (None, False),
        (None, False),
        ("a", False),
        (9, True),
    ]


def test_answers_that_nobody_reads_stop_nothing():
    with stand_ins("--no-cloud") as (process, ready):
        process.stdin.write("x\n" * 20_000)  # more answers than the pipe holds
        process.stdin.flush()
        (board,) = ready["boards"]
        assert board["imei"].encode() in ask(board, b"AT+CGSN")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_no_settings_on_standard_input_is_one_line():
    code, message = refused("--settings", "-")
    assert (code, message) == (
        2,
        "python -m harness.virtual: standard input: it is not JSON: EOF while parsing a value at line 1 column 0;"
        " correct it\n",
    )


def test_settings_on_standard_input_and_then_commands():
    async def run():
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "harness.virtual", "--settings", "-", "--die-with-stdin"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        text = (
            b'{"boards": [{"name": "a"}]}\n{"id": 1, "command": "set-fault", "board": "a", "fault": "denied"}\n\n  \n'
        )
        return (await process.communicate(text))[0].splitlines()

    ready, answer, *nothing = map(json.loads, asyncio.run(asyncio.wait_for(run(), 20)))
    assert (ready["cloud"], [board["name"] for board in ready["boards"]]) == (None, ["a"])
    assert answer == {"id": 1, "ok": True, "faults": ["denied"]}
    assert nothing == [{"id": None, "ok": False, "error": "the line is not JSON: ''; send one JSON object a line"}] * 2
