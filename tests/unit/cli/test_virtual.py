"""The boards file that ``virtual up`` writes."""

import stat

import pytest

from harness.cli.virtual import boards_file, write_boards_file
from harness.errors import Misuse
from harness.lab import Lab, load_boards_file


@pytest.fixture
def ready(tmp_path):
    (tmp_path / "ca.pem").write_text("root")
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
            "network": {"mqtt.nrfcloud.com:8883": ["127.0.0.1", 4883]},
        },
        "boards": [
            {"name": "a", "port": "/dev/null", "model": "nrf9151", "imei": "350000000000001"},
            {"name": "b", "port": "/dev/null", "model": "nrf9160", "imei": "350000000000002"},
        ],
    }


def test_it_reaches_the_stand_ins_by_configuration_alone(ready, tmp_path):
    path = write_boards_file(ready, "at_client")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    file = load_boards_file(path)
    assert [(board.name, board.port, board.cloud, board.firmware) for board in file.boards] == [
        ("a", "/dev/null", "virtual", "at-client"),
        ("b", "/dev/null", "virtual", "at-client"),
    ]
    assert [board.device_id for board in file.boards] == [None, "b-350000000000002"]
    with Lab(file, folder=tmp_path / "run") as lab:
        cloud = lab.endpoints("virtual")
        assert lab.api_key("virtual") == "0123456789abcdef"
    assert (cloud.rest, cloud.rest_ca, cloud.root_ca_pem) == ("https://127.0.0.1:4443/v1", tmp_path / "ca.pem", "root")
    assert (cloud.device_mqtt, cloud.observer_mqtt) == (("mqtt.nrfcloud.com", 8883), ("127.0.0.1", 4883))
    assert (cloud.jitp, cloud.public) == (("127.0.0.1", 4884), False)


def test_serial_modem_needs_no_word(ready):
    assert boards_file(ready, "serial-modem")["boards"][0] == {
        "name": "a",
        "port": "/dev/null",
        "cloud": "virtual",
        "sec_tags": [16842753, 16842754],
    }


def test_a_file_of_others_is_not_overwritten(ready, tmp_path):
    (tmp_path / "boards.yaml").write_text("mine")
    with pytest.raises(Misuse, match=r"boards\.yaml: File exists: name another folder with --dir"):
        write_boards_file(ready, "serial-modem")
    assert (tmp_path / "boards.yaml").read_text() == "mine"
