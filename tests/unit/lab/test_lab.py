"""The lab's own logic, with a small script in place of the stand-ins."""

import json
import os
import signal
import sys
from functools import partial
from pathlib import Path

import pytest

from harness.errors import BoardLost, CloudUnreachable, Misuse, PortBusy, PortMissing
from harness.lab import Lab, MissingApiKey, load_boards_file, stand_ins
from harness.lab.stand_in import StandIn
from harness.policy import load_profile, profile_folder
from harness.settings import BoardSettings, CloudSettings
from tests.unit.lab.test_stand_in import FAKE, gone

AMAZON = (Path(stand_ins.__file__).parents[1] / "cloud" / "ca" / "AmazonRootCA1.pem").read_text()
FILE = """\
clouds:
  local: {kind: local, on_violation: tolerate, close_style: fin}
  twin: {kind: nrfcloud, api_key_env: TWIN_KEY, rest: "https://twin.lan/v1", mqtt: "twin.lan:1234"}
  near:
    kind: nrfcloud
    rest: "https://127.0.0.1:4443/v1"
    rest_ca: rest.pem
    root_ca: root.pem
    api_key_file: api-key
    network:
      mqtt.nrfcloud.com:8883: 127.0.0.1:4883
      mqtt.nrfcloud.com:8443: 127.0.0.1:4884
      broker.invalid:8883: 127.0.0.1:4883
boards:
  - {name: v1, virtual: {baud: 115200, time_scale: 0.5}, tags: [smoke]}
  - {name: v2, virtual: {model: nrf9160, faults: [no-sim, denied]}, firmware: at-client, cloud: near}
  - {name: dk, port: /dev/null, cloud: nrfcloud}
  - {name: gone, port: /dev/ttyNOWHERE, cloud: nrfcloud}
  - {name: remote, port: "socket://127.0.0.1:5000", cloud: nrfcloud}
"""


@pytest.fixture
def make_lab(tmp_path, monkeypatch):
    (tmp_path / "boards.yaml").write_text(FILE)
    (tmp_path / "rest.pem").write_text(AMAZON)
    (tmp_path / "root.pem").write_text(f"# Amazon\n{AMAZON}")
    (tmp_path / "api-key").write_text("fedcba9876543210\n")
    (tmp_path / "api-key").chmod(0o600)
    labs = []

    def make(manner="good", **arguments):
        monkeypatch.setattr(stand_ins, "StandIn", partial(StandIn, program=(sys.executable, str(FAKE), manner)))
        file = load_boards_file(tmp_path / "boards.yaml")
        labs.append(Lab(file, **{"folder": tmp_path / "run", "leases": tmp_path} | arguments))
        return labs[-1]

    yield make
    for lab in labs:
        lab.close()


def board(lab, name):
    return lab.select([name])[0]


def kill(stand_in):
    os.kill(stand_in.pid, signal.SIGKILL)
    os.waitid(os.P_PID, stand_in.pid, os.WEXITED | os.WNOWAIT)


def test_a_local_cloud_is_started_once(make_lab, tmp_path):
    lab = make_lab()
    cloud = lab.clouds.endpoints("local")
    assert lab.clouds.endpoints("local") is cloud
    folder = tmp_path / "run" / "stand-ins" / "cloud-local"
    assert (cloud.rest, cloud.rest_ca) == ("https://127.0.0.1:4443/v1", folder / "ca.pem")
    assert (cloud.device_mqtt, cloud.observer_mqtt) == (("mqtt.nrfcloud.com", 8883), ("127.0.0.1", 4883))
    assert (cloud.root_ca_pem, cloud.public) == ("-----BEGIN CERTIFICATE-----\n", False)
    assert cloud.dead() is None
    assert lab.clouds.api_key("local") == "0123456789abcdef0123"
    (started,) = lab.stand_ins._running.values()
    assert started.ready["settings"] == {
        "cloud": {"on_violation": "tolerate", "close_style": "fin"},
        "directory": str(folder),
        "die_with_stdin": True,
    }


def test_every_setting_of_a_local_cloud_reaches_its_process(make_lab, tmp_path):
    said = {
        "on_violation": "suback80",
        "close_style": "rst",
        "close_delay": 2.5,
        "refused_delivery": 0.5,
        "refuse_only": 3,
        "throttled": "drop",
        "no_connection_state": True,
        "reason_delay": 1.5,
        "reasons": {"AUTH_ERROR": "CLIENT_ERROR"},
        "cert_refusal": "alert",
        "policy_refresh": "live",
        "hash_matches_parent": True,
        "retained_by_wildcard": True,
        "maximum_tls": "1.2",
        "limits": {"payload": 1000, "first_packet": 0.5},
        "jitp_delay": 2.5,
        "bulk_step": 1,
        "tenant": "11111111-2222-3333-4444-aaaaaaaaaaaa",
        "state": "state",
        "trust_identities": ["11111111-2222-3333-4444-aaaaaaaaaaaa=04" + "0" * 128],
        "proxy": 0,
    }
    assert said.keys() == CloudSettings.model_fields.keys()
    text = FILE.replace(
        "{kind: local, on_violation: tolerate, close_style: fin}", json.dumps({"kind": "local", **said})
    )
    (tmp_path / "boards.yaml").write_text(text)
    lab = make_lab()
    lab.clouds.endpoints("local")
    sent = lab.stand_ins.of("local").ready["settings"]["cloud"]
    assert sent == {**said, "state": str(tmp_path / "state")}


OF_FIRMWARE: dict[str, dict[str, object]] = {
    "shell": {"shell": "at-shell", "colour": True, "provisioning": True},
    "at-client": {"terminator": "lf"},
    "serial-modem": {"release": "2.0-preview"},
    "cloud-library": {"sample": "cloud_client"},
}


@pytest.mark.parametrize("firmware", OF_FIRMWARE)
def test_every_setting_of_a_virtual_board_reaches_its_process(make_lab, tmp_path, firmware):
    said = {
        "model": "nrf9160",
        "firmware": firmware,
        "rfc2217": 0,
        "faults": ["no-sim"],
        "baud": 9600,
        "time_scale": 1.0,
        "seed": "mine",
        "imei": "490154203237518",
        "device_uuid": "11111111-2222-3333-4444-aaaaaaaaaaaa",
        "pin": "1234",
        **OF_FIRMWARE[firmware],
    }
    others = {key for keys in OF_FIRMWARE.values() for key in keys}
    assert said.keys() | others == BoardSettings.model_fields.keys()
    expected = ", firmware: {kind: cloud-library, sample: cloud_client}" if firmware == "cloud-library" else ""
    text = FILE.replace("{baud: 115200, time_scale: 0.5}", f"{json.dumps(said)}{expected}")
    (tmp_path / "boards.yaml").write_text(text)
    lab = make_lab()
    lab.port_url(board(lab, "v1"))
    (sent,) = lab.stand_ins.of(board(lab, "v1")).ready["settings"]["boards"]
    assert {key: sent[key] for key in said} == said


def policies_of(make_lab, tmp_path, cloud):
    text = FILE.replace("{kind: local, on_violation: tolerate, close_style: fin}", cloud)
    (tmp_path / "boards.yaml").write_text(text)
    lab = make_lab()
    lab.clouds.endpoints("local")
    (started,) = lab.stand_ins._running.values()
    folder = started.ready["settings"]["cloud"].get("policies")
    return folder and Path(folder)


def test_a_local_cloud_enforces_its_profile(make_lab, tmp_path):
    assert policies_of(make_lab, tmp_path, "{kind: local}") is None
    assert policies_of(make_lab, tmp_path, "{kind: local, profile: current}") == profile_folder("current")


PUBLISHING = '{"Statement": {"Effect": "Allow", "Action": "iot:Publish", "Resource": "arn:aws:iot:::topic/%s"}}'


def write_policies(folder, **documents):
    folder.mkdir()
    for name, topic in documents.items():
        (folder / f"{name}.json").write_text(PUBLISHING % topic)


def test_own_policies_are_enforced_in_place_of_the_profiles_or_besides(make_lab, tmp_path):
    write_policies(tmp_path / "mine", associated="mine", lab="lab")
    write_policies(tmp_path / "wrong", lab="wrong")
    keys = "profile: current, policies: [mine/associated.json, mine/lab.json], enforces: [wrong/lab.json]"
    folder = policies_of(make_lab, tmp_path, f"{{kind: local, {keys}}}")
    assert (folder / "associated.json").read_text() == PUBLISHING % "mine"
    assert (folder / "lab.json").read_text() == PUBLISHING % "wrong"
    current = profile_folder("current") / "provisioned.json"
    assert (folder / "provisioned.json").read_bytes() == current.read_bytes()
    assert (tmp_path / "mine" / "lab.json").read_text() == PUBLISHING % "lab"


def test_the_expected_documents_are_the_files_whatever_is_enforced(make_lab, tmp_path):
    write_policies(tmp_path / "mine", associated="mine", lab="lab")
    policies_of(make_lab, tmp_path, "{kind: local, policies: [mine/lab.json], enforces: [mine/associated.json]}")
    *page, lab = make_lab().clouds.documents("local")
    assert page == list(load_profile("page", account="123456789012").values())
    assert (lab.name, lab.statements[0].resources) == ("lab", ("arn:aws:iot:::topic/lab",))


def test_a_virtual_board_is_started_once_into_its_clouds_network(make_lab, tmp_path):
    lab = make_lab()
    v1 = board(lab, "v1")
    folder = tmp_path / "run" / "stand-ins" / "board-v1"
    assert lab.port_url(v1) == lab.port_url(v1) == str(folder / "port")
    assert lab.stand_ins._running["board", "v1"].ready["settings"] == {
        "boards": [{"name": "v1", "baud": 115200, "time_scale": 0.5}],
        "network": {"mqtt.nrfcloud.com:8883": "127.0.0.1:4883"},
        "firmware_ca": str(lab.clouds.endpoints("local").rest_ca),
        "directory": str(folder),
        "die_with_stdin": True,
    }


def test_the_local_cloud_trusts_the_virtual_boards_that_use_it(make_lab):
    lab = make_lab()
    lab.port_url(board(lab, "v1"))
    heard = lab.stand_ins.of("local").command("what-was-before")["heard"]
    assert heard["id"] == 2  # the first one was trust-identity


def test_no_stand_in_runs_for_what_is_real_or_not_used_yet(make_lab):
    lab = make_lab()
    with pytest.raises(Misuse, match="no stand-in runs for board 'dk'; only virtual boards and local clouds have one"):
        lab.stand_ins.of(board(lab, "dk"))
    with pytest.raises(Misuse, match="no stand-in runs for cloud 'local'"):
        lab.stand_ins.of("local")


def test_a_virtual_board_may_use_nrf_cloud_itself(make_lab):
    lab = make_lab(cloud_override="nrfcloud")
    lab.port_url(board(lab, "v1"))
    (started,) = lab.stand_ins._running.values()
    assert started.ready["settings"]["network"] == {"mqtt.nrfcloud.com:8883": "mqtt.nrfcloud.com:8883"}


def test_nrf_cloud(make_lab):
    cloud = make_lab().clouds.endpoints("nrfcloud")
    assert (cloud.rest, cloud.rest_ca) == ("https://api.nrfcloud.com/v1", None)
    assert (cloud.device_mqtt, cloud.observer_mqtt) == (("mqtt.nrfcloud.com", 8883), None)
    assert (cloud.public, cloud.other_name, cloud.dead()) == (True, None, None)
    assert cloud.root_ca_pem.startswith("-----BEGIN CERTIFICATE-----\nMIIDQTCCAimgAwIBAgITBmyfz5m")


def test_another_installation_of_nrf_cloud(make_lab):
    cloud = make_lab().clouds.endpoints("twin")
    assert (cloud.rest, cloud.device_mqtt, cloud.observer_mqtt) == (
        "https://twin.lan/v1",
        ("twin.lan", 1234),
        ("twin.lan", 1234),
    )


def test_a_root_ca_that_boards_cannot_be_given(make_lab, tmp_path):
    (tmp_path / "root.pem").write_text("-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n")
    with pytest.raises(Misuse, match=f"^{tmp_path}/root.pem: a public key; give the certificate$"):
        make_lab().clouds.endpoints("near")
    (tmp_path / "root.pem").unlink()


@pytest.mark.parametrize("change", [lambda pem: pem.decode().encode("utf-16"), lambda pem: pem.replace(b"\n", b"")])
def test_cas_that_rest_calls_would_not_see(make_lab, tmp_path, change):
    path = tmp_path / "rest.pem"
    path.write_bytes(change(AMAZON.encode()))
    with pytest.raises(Misuse) as caught:
        make_lab().clouds.endpoints("near")
    how = "UTF-16, DER, one long line?"
    assert (
        str(caught.value)
        == f"{path}: REST calls need plain PEM ({how}); openssl x509 -in {path} -out ca.pem converts it"
    )


def test_a_cloud_on_this_computer_by_configuration_alone(make_lab, tmp_path):
    cloud = make_lab().clouds.endpoints("near")
    assert (cloud.rest, cloud.rest_ca) == ("https://127.0.0.1:4443/v1", tmp_path / "rest.pem")
    assert cloud.root_ca_pem == AMAZON
    assert (cloud.device_mqtt, cloud.observer_mqtt) == (("mqtt.nrfcloud.com", 8883), ("127.0.0.1", 4883))
    assert (cloud.jitp, cloud.other_name) == (("127.0.0.1", 4884), "broker.invalid")
    assert cloud.public is False


def test_a_virtual_board_takes_the_clouds_network_and_the_firmware_that_is_expected(make_lab):
    lab = make_lab()
    lab.port_url(board(lab, "v2"))
    settings = lab.stand_ins._running["board", "v2"].ready["settings"]
    assert settings["boards"] == [
        {"name": "v2", "model": "nrf9160", "firmware": "at-client", "faults": ["no-sim", "denied"]}
    ]
    assert settings["network"] == {
        "mqtt.nrfcloud.com:8883": "127.0.0.1:4883",
        "mqtt.nrfcloud.com:8443": "127.0.0.1:4884",
        "broker.invalid:8883": "127.0.0.1:4883",
    }


def test_the_api_key_may_come_from_a_private_file(make_lab, tmp_path):
    lab, path = make_lab(), tmp_path / "api-key"
    assert lab.clouds.api_key("near") == "fedcba9876543210"
    path.chmod(0o640)
    with pytest.raises(MissingApiKey) as open_to_others:
        lab.clouds.api_key("near")
    assert str(open_to_others.value) == f"{path}: other users can open this file with an API key: run chmod 600 on it"
    path.chmod(0o600)
    path.write_text(" \n")
    with pytest.raises(MissingApiKey, match="api-key is empty; put the API key for cloud 'near' into it"):
        lab.clouds.api_key("near")
    path.unlink()
    with pytest.raises(MissingApiKey, match="cannot read the API key for cloud 'near': No such file or directory"):
        lab.clouds.api_key("near")


@pytest.mark.parametrize(("value", "state"), [(None, "empty"), ("  ", "empty")])
def test_a_missing_api_key_names_the_variable(make_lab, monkeypatch, value, state):
    monkeypatch.delenv("TWIN_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("TWIN_KEY", value)
    with pytest.raises(MissingApiKey) as caught:
        make_lab().clouds.api_key("twin")
    assert isinstance(caught.value, Misuse)
    assert str(caught.value) == f"environment variable TWIN_KEY is {state}; set it to the API key for cloud 'twin'"


def test_the_api_key_comes_from_its_variable(make_lab, monkeypatch):
    monkeypatch.setenv("TWIN_KEY", " 0123456789abcdef\n")
    assert make_lab().clouds.api_key("twin") == "0123456789abcdef"


def test_ports(make_lab):
    lab = make_lab()
    assert lab.port_url(board(lab, "dk")) == "/dev/null"
    assert lab.port_url(board(lab, "remote")) == "socket://127.0.0.1:5000"
    with pytest.raises(PortMissing, match="board 'gone': no such port: /dev/ttyNOWHERE; plug it in"):
        lab.port_url(board(lab, "gone"))


def test_clouds_of_boards(make_lab):
    lab = make_lab()
    assert [board.cloud for board in lab.select()] == ["local", "near", "nrfcloud", "nrfcloud", "nrfcloud"]
    assert [board.cloud for board in make_lab(cloud_override="twin").select()] == ["twin"] * 5
    with pytest.raises(Misuse, match="board 'dk' is a real board and cannot reach cloud 'local'"):
        make_lab(cloud_override="local").select()
    with pytest.raises(Misuse, match=r"no cloud 'moon' in .*; known clouds: local, nrfcloud, twin, near"):
        make_lab(cloud_override="moon")


def test_a_dead_cloud_is_told(make_lab):
    lab = make_lab()
    cloud = lab.clouds.endpoints("local")
    lab.stand_ins.check("local")
    stand_in = lab.stand_ins.of("local")
    kill(stand_in)
    said = f"local cloud 'local' (pid {stand_in.pid}) died with signal 9"
    assert cloud.dead() == said
    with pytest.raises(CloudUnreachable) as caught:
        lab.stand_ins.check("local")
    assert str(caught.value) == f"{said}; run again"
    lab.close()
    assert lab.faults == [said]


def test_a_dead_board_is_told(make_lab):
    lab = make_lab()
    v1 = board(lab, "v1")
    lab.stand_ins.check(v1)
    lab.port_url(v1)
    lab.stand_ins.check(v1)
    kill(lab.stand_ins._running["board", "v1"])
    for what in (v1, "v1"):
        with pytest.raises(BoardLost, match=r"virtual board 'v1' \(pid \d+\) died with signal 9; run again"):
            lab.stand_ins.check(what)


def test_close_ends_everything(make_lab):
    with make_lab() as lab:
        lab.port_url(board(lab, "v1"))
        pids = [stand_in.pid for stand_in in lab.stand_ins._running.values()]
        assert len(pids) == 2
    assert all(gone(pid) for pid in pids)
    assert lab.faults == []


def test_a_cloud_that_does_not_start(make_lab):
    with pytest.raises(
        CloudUnreachable, match=r"local cloud 'local' \(pid \d+\) ended with exit code 3; its last words"
    ):
        make_lab("crash").clouds.endpoints("local")


def test_leases(make_lab):
    one, other = make_lab(), make_lab()
    with one.lease(board(one, "dk")) as lease:
        assert (lease.board, lease.key) == ("dk", "port_dev_null")
        with pytest.raises(PortBusy, match="board 'dk' is in use by pid"):
            other.lease(board(other, "dk"), timeout=0.1)
    with one.lease(board(one, "v1")) as lease:
        assert lease.key == f"virtual-v1-{os.getpid()}"


def test_the_folder_of_stand_ins_is_private(make_lab, tmp_path):
    lab = make_lab()
    assert not (tmp_path / "run").exists()
    lab.clouds.endpoints("local")
    assert (tmp_path / "run" / "stand-ins").stat().st_mode & 0o777 == 0o700


def test_a_folder_of_its_own_is_private_and_goes_with_the_lab(make_lab):
    with make_lab(folder=None) as lab:
        folder = lab.clouds.endpoints("local").rest_ca.parents[1]
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()
