"""The boards file that ``virtual up`` writes."""

import io
import shlex
import stat
from pathlib import Path

import pytest

import harness
from harness.cli.arguments import parse
from harness.cli.progress import Progress
from harness.cli.virtual import _announce, boards_file, up, write_boards_file
from harness.errors import Misuse
from harness.lab import Lab, load_boards_file

ROOT = (Path(harness.__file__).parent / "cloud" / "ca" / "AmazonRootCA1.pem").read_text()


@pytest.fixture
def ready(tmp_path):
    (tmp_path / "ca.pem").write_text(ROOT)
    key = tmp_path / "api-key"
    key.write_text("0123456789abcdef\n")
    key.chmod(0o600)
    return {
        "dir": str(tmp_path),
        "cloud": {
            "rest": "https://127.0.0.1:4443/v1",
            "mqtt": ["127.0.0.1", 4883],
            "ca": str(tmp_path / "ca.pem"),
            "api_key_file": str(key),
            "jitp": ["127.0.0.1", 4884],
            "provisioning": "https://127.0.0.1:4444/v1",
            "proxy": None,
            "network": {"mqtt.nrfcloud.com:8883": ["127.0.0.1", 4883]},
        },
        "boards": [
            {
                "name": "a",
                "port": "/dev/null",
                "model": "nrf9151",
                "firmware": "serial-modem",
                "imei": "350000000000001",
            },
            {"name": "b", "port": "/dev/zero", "model": "nrf9160", "firmware": "at-client", "imei": "350000000000002"},
        ],
    }


def test_it_reaches_the_stand_ins_by_configuration_alone(ready, tmp_path):
    path = write_boards_file(ready)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    file = load_boards_file(path)
    assert [(board.name, board.port, board.cloud, board.firmware) for board in file.boards] == [
        ("a", "/dev/null", "virtual", None),
        ("b", "/dev/zero", "virtual", "at-client"),
    ]
    assert [board.device_id for board in file.boards] == [None, "b-350000000000002"]
    with Lab(file, folder=tmp_path / "run") as lab:
        cloud = lab.clouds.endpoints("virtual")
        assert lab.clouds.api_key("virtual") == "0123456789abcdef"
    assert (cloud.rest, cloud.rest_ca) == ("https://127.0.0.1:4443/v1", tmp_path / "ca.pem")
    assert cloud.root_ca_pem == ROOT
    assert (cloud.device_mqtt, cloud.observer_mqtt) == (("mqtt.nrfcloud.com", 8883), ("127.0.0.1", 4883))
    assert (cloud.jitp, cloud.public) == (("127.0.0.1", 4884), False)
    assert cloud.provisioning == "https://127.0.0.1:4444/v1"


def test_serial_modem_needs_no_word(ready):
    assert boards_file(ready)["boards"][0] == {
        "name": "a",
        "port": "/dev/null",
        "cloud": "virtual",
        "sec_tags": [16842753, 16842754],
    }


def test_commands_to_copy_are_quoted(ready, capsys):
    ready["journal"] = "journal"
    _announce(given(""), ready, Path("/tmp/a b's/boards.yaml"))
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("try ")]
    assert shlex.split(line)[-2:] == ["--boards", "/tmp/a b's/boards.yaml"]


def test_a_file_of_others_is_not_overwritten(ready, tmp_path):
    (tmp_path / "boards.yaml").write_text("mine")
    with pytest.raises(Misuse, match=r"boards\.yaml: File exists: name another folder with --dir"):
        write_boards_file(ready)
    assert (tmp_path / "boards.yaml").read_text() == "mine"


def test_boards_without_a_cloud(ready):
    path = write_boards_file({**ready, "cloud": None})
    assert [board.cloud for board in load_boards_file(path).boards] == ["nrfcloud", "nrfcloud"]


def given(line):
    return parse(["virtual", "up", *line.split()])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--boards 0", "virtual up needs at least one board; leave --boards out, or give a number from 1"),
        ("--boards -1", "--boards cannot be '-1': it must be a number from 1 to 64; correct it"),
        ("--baud x", "--baud cannot be 'x': it must be a whole number; correct it"),
        ("--settings /nonexistent", "/nonexistent: cannot read the settings: No such file or directory; name another"),
    ],
)
def test_wrong_settings_are_misuse(line, message):
    with pytest.raises(Misuse) as caught:
        up(given(line), Progress(io.StringIO()))
    assert str(caught.value).startswith(message)


def test_a_file_in_place_of_the_folder_is_misuse(tmp_path):
    file = tmp_path / "FILE"
    file.touch()
    for path, why in ((file, "it is a file"), (file / "below", "Not a directory")):
        with pytest.raises(Misuse, match=f"cannot be the folder for the stand-ins: {why}; name another one with --dir"):
            up(given(f"--dir {path}"), Progress(io.StringIO()))
