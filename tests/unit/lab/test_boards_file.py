"""Every mistake in boards.yaml: where it is shown, what is said, and that none hides another."""

import errno
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cli.main import main
from harness.errors import Misuse
from harness.lab import (
    BoardsFileError,
    Lab,
    LocalCloudConfig,
    NrfCloudAccount,
    expected_documents,
    load_boards_file,
    select,
)
from harness.policy import load_profile
from harness.settings import BoardFault, BoardSettings, FirmwareName, Model, Release

GOOD = """\
clouds:
  twin: {kind: local, on_violation: suback80, close_style: rst}
  beta: {kind: nrfcloud, api_key_env: BETA_KEY, rest: "https://beta.lan/v1/", mqtt: mqtt.beta.lan:8883}
lab_ca: ../ca
boards:
  - name: dk-1
    serial: "1051216197"
    vcom: 1
    baud: 1000000
    flow_control: true
    sec_tag: 42
    cloud: beta
    tags: [smoke, dk]
    device_id: lab-dk-1
  - name: virtual-1
    virtual: {time_scale: 1, model: nrf9160, firmware: at-client, faults: [no-sim, store-full]}
    firmware: at-client
    provision: cloud
    sec_tags: [7, 8]
    adopt: true
"""


def load(tmp_path: Path, text: str | bytes):
    path = tmp_path / "boards.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_boards_file(path)


def mistakes(tmp_path: Path, text: str | bytes) -> list[str]:
    with pytest.raises(BoardsFileError) as caught:
        load(tmp_path, text)
    assert isinstance(caught.value, Misuse)
    prefix = f"{tmp_path / 'boards.yaml'}:"
    assert str(caught.value).split("\n") == caught.value.lines
    assert all(line.startswith(prefix) for line in caught.value.lines)
    return [line.removeprefix(prefix) for line in caught.value.lines]


def board(extra: str) -> str:
    return f"boards:\n  - name: a\n    virtual: {{}}\n    {extra}\n"


def test_every_key(tmp_path):
    file = load(tmp_path, GOOD)
    dk, virtual = file.boards
    assert (dk.name, dk.serial, dk.vcom, dk.baud, dk.flow_control, dk.sec_tag) == (
        "dk-1",
        "1051216197",
        1,
        10**6,
        True,
        42,
    )
    assert (dk.cloud, dk.tags, dk.device_id, dk.virtual, dk.port) == ("beta", ("smoke", "dk"), "lab-dk-1", None, None)
    assert (dk.provision, dk.all_sec_tags, dk.adopt) == ("device", (42,), False)
    assert virtual.virtual == BoardSettings(
        model=Model.NRF9160,
        firmware=FirmwareName.AT_CLIENT,
        faults=(BoardFault.NO_SIM, BoardFault.STORE_FULL),
        baud=0,
        time_scale=1,
    )
    assert (virtual.firmware, virtual.provision, virtual.all_sec_tags, virtual.adopt) == (
        "at-client",
        "cloud",
        (7, 8),
        True,
    )
    assert file.lab_ca == tmp_path / ".." / "ca"
    assert file.clouds["twin"] == LocalCloudConfig(kind="local", on_violation="suback80", close_style="rst")
    assert file.clouds["beta"] == NrfCloudAccount(
        kind="nrfcloud",
        api_key_env="BETA_KEY",
        rest="https://beta.lan/v1",
        mqtt="mqtt.beta.lan:8883",
    )


def test_defaults(tmp_path):
    file = load(tmp_path, "boards: [{name: a, port: /dev/ttyACM0}]")
    (only,) = file.boards
    assert (only.firmware, only.baud, only.flow_control, only.sec_tag) == (None, 115200, False, 16842753)
    assert (only.cloud, only.tags, only.device_id) == ("local", (), None)
    assert (only.provision, only.all_sec_tags, only.adopt, file.lab_ca) == ("device", (16842753,), False, None)
    assert file.clouds["local"] == LocalCloudConfig(kind="local")
    account = file.clouds["nrfcloud"]
    assert isinstance(account, NrfCloudAccount)
    assert (account.rest, account.api_key_env, account.mqtt) == (
        "https://api.nrfcloud.com/v1",
        "NRFCLOUD_API_KEY",
        None,
    )
    assert (account.api_key_file, account.rest_ca, account.root_ca, account.network) == (None, None, None, {})
    assert account.jitp == "mqtt.nrfcloud.com:8443"


def test_where_the_file_names_a_firmware_is_kept_for_a_board_that_runs_another(tmp_path):
    text = "boards:\n  - {name: a, virtual: {}}\n  - name: b\n    virtual: {}\n    firmware: 'slm-sockets'\n"
    assert load(tmp_path, text).firmware_lines == {"b": f"{tmp_path / 'boards.yaml'}:5: firmware: slm-sockets"}


@pytest.mark.parametrize("keys", ["virtual: {firmware: shell, provisioning: true}", "port: /dev/ttyACM0"])
def test_a_board_that_can_be_claimed_or_may_prove_to_be(tmp_path, keys):
    (one,) = load(tmp_path, f"boards:\n  - {{name: a, {keys}, provision: claim}}\n").boards
    assert one.provision == "claim"


def test_a_release_needs_no_quotes(tmp_path):
    (only,) = load(tmp_path, "boards: [{name: a, virtual: {release: 1.0}}]").boards
    assert only.virtual.release is Release.STABLE


def test_a_real_board_that_names_no_cloud_is_a_mistake_for_whoever_needs_its_cloud(tmp_path):
    text = """\
boards:
  - {name: a, virtual: {}}
  - {name: b, port: /dev/ttyACM0}
  - {name: c, place: dk-1, cloud: nrfcloud}
"""
    file = load(tmp_path, text)
    line = (
        f"{tmp_path / 'boards.yaml'}:3:5: a real board without 'cloud' uses 'local', which only this computer can"
        " reach; write cloud: nrfcloud"
    )
    assert file.without_cloud == {"b": line}
    with pytest.raises(Misuse) as caught:
        Lab(file).select()
    assert str(caught.value) == line
    assert [each.cloud for each in Lab(file, cloud_override="nrfcloud").select()] == ["nrfcloud"] * 3
    assert load(tmp_path, "clouds: {local: {kind: nrfcloud}}\n" + text).without_cloud == {}


def test_the_default_file_of_the_project_is_good():
    file = load_boards_file(Path(__file__).parents[3] / "boards.yaml")
    assert [(b.name, b.virtual is not None, b.cloud) for b in file.boards] == [("virtual-1", True, "local")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (board("bauds: 9600"), "4:5: unknown key 'bauds'; nearest known key is 'baud'; correct it"),
        (
            "board: []\nboards: [{name: a, virtual: {}}]",
            "1:1: unknown key 'board'; nearest known key is 'boards'; correct it",
        ),
        (
            "clouds: {x: {kind: nrfcloud, api_key: 1}}\n" + board(""),
            "1:30: unknown key 'api_key'; nearest known key is 'api_key_env'; correct it",
        ),
        (
            "boards: [{name: a, virtual: {zzz: 1}}]",
            "1:30: unknown key 'zzz'; known keys: model, firmware, terminator, release, sample, shell, colour,"
            " provisioning, faults, baud, rfc2217, time_scale, seed, imei, device_uuid, pin;"
            " use one of them or leave it out",
        ),
        (board("name: b"), "4:5: key 'name' is in line 2 too; keep one of the two"),
        (
            board("baud: '115200'"),
            "4:11: 'baud' cannot be '115200': it must be a whole number; write 115200 without quotes",
        ),
        (board("baud: yes"), "4:11: 'baud' cannot be true: it must be a whole number; correct it"),
        (board("baud: 0"), "4:11: 'baud' cannot be 0: it must be greater than 0; correct it"),
        (board("baud:"), "4:10: 'baud' cannot be empty: it must be a whole number; correct it"),
        (board("flow_control: rts"), "4:19: 'flow_control' cannot be 'rts': it must be true or false; correct it"),
        (board("tags: smoke"), "4:11: 'tags' cannot be 'smoke': it must be a list; write [smoke]"),
        (board("tags: [a, 7]"), "4:15: an entry of 'tags' cannot be 7: it must be text; write \"7\""),
        (
            board("sec_tag: 2147483648"),
            "4:14: 'sec_tag' cannot be 2147483648: it must be 0 to 2147483647; higher ones are reserved; correct it",
        ),
        (
            board("sec_tag: -1"),
            "4:14: 'sec_tag' cannot be -1: it must be 0 to 2147483647; higher ones are reserved; correct it",
        ),
        (
            board("device_id: nrf-350"),
            "4:16: 'device_id' cannot be 'nrf-350': it must not begin with nrf-, which is reserved for Nordic;"
            " correct it",
        ),
        (
            board("device_id: a b"),
            "4:16: 'device_id' cannot be 'a b': it must be 1 to 64 letters, digits, ':', '_' and '-'; correct it",
        ),
        (board("cloud: nrfclod"), "4:12: unknown cloud 'nrfclod'; nearest known cloud is 'nrfcloud'; correct it"),
        (
            board("firmware: no-such"),
            f"4:15: 'firmware' cannot be 'no-such'; known values: {', '.join(FirmwareName)};"
            " use one of them or leave it out",
        ),
        (
            board("port: /dev/ttyACM0"),
            "4:5: the board has 'virtual' and 'port'; keep one of them: a board is in one place",
        ),
        (
            board("vcom: 1"),
            "4:5: 'vcom' chooses among the ports of a USB serial number; give 'serial' or remove 'vcom'",
        ),
        (
            "boards: [{name: a}]",
            "1:10: the board has no address; give it one of virtual, port, serial and place",
        ),
        (
            "boards: [{name: a, virtual: {shell: at-shell}}]",
            "1:30: 'shell' changes nothing on firmware serial-modem; write firmware: shell, or take 'shell' out",
        ),
        (
            "boards: [{name: a, virtual: {release: 2.0}}]",
            "1:39: 'release' cannot be 2.0: it must be one of 1.0, 2.0-preview, 2.0-main; correct it",
        ),
        (
            "boards: [{name: a, virtual: {faults: [no-sim, denied, no-sim]}}]",
            "1:38: 'faults' has 'no-sim' twice; correct it",
        ),
        (
            "boards:\n  - name: a\n    virtual: {sample: asset_tracker}\n"
            "    firmware: {kind: cloud-library, sample: cloud_client}",
            "3:23: the board's firmware is sample 'cloud_client', and this one is 'asset_tracker';"
            " take one of the two out",
        ),
        (
            "boards: [{name: a, virtual: {release: 2.0-main}, firmware: {kind: cloud-library, sample: cloud_client}}]",
            "1:30: 'release' changes nothing on firmware cloud-library; write firmware: serial-modem or"
            " firmware: raw-sockets, or take 'release' out",
        ),
        (
            "boards: [{name: a, virtual: {firmware: shell, terminator: lf}, firmware: auto}]",
            "1:47: 'terminator' changes nothing on firmware shell; write firmware: at-client, or take 'terminator' out",
        ),
        ("boards: [{name: a, virtual: }]", "1:20: 'virtual' has no value; give it one, virtual: {} for the defaults"),
        (
            "boards: [{name: a, virtual: {}}, {name: a, virtual: {}}]",
            "1:41: a board in line 1 is named 'a' too; give this one another name",
        ),
        ("boards: [{virtual: {}}]", "1:10: key 'name' is missing; add it"),
        (
            "boards: [{name: a, serial: 001051216147}]",
            "1:28: 'serial' cannot be 145038439: it must be text; write \"001051216147\"",
        ),
        (
            "boards: [{name: a, port: COM3}]",
            "1:26: 'port' cannot be 'COM3': it must be a path or a URL (rfc2217://HOST:PORT, socket://HOST:PORT);"
            " correct it",
        ),
        (
            "boards: [{name: a, virtual: {model: nrf9152}}]",
            "1:37: 'model' cannot be 'nrf9152'; nearest known value is 'nrf9151'; correct it",
        ),
        (
            "boards: [{name: a, virtual: nrf9151}]",
            "1:29: 'virtual' cannot be 'nrf9151': it must be a mapping of keys to values; correct it",
        ),
        ("boards: [7]", "1:10: an entry of 'boards' cannot be 7: it must be a mapping of keys to values; correct it"),
        ("boards: []", "1:9: 'boards' is an empty list; add a board to it"),
        ("boards: {name: a}", "1:9: 'boards' must be a list, not a mapping; correct it"),
        ("clouds: {}", "1:1: key 'boards' is missing; add it"),
        (
            "clouds: {a/b: {kind: local}}\n" + board(""),
            "1:10: 'cloud name' cannot be 'a/b': it must be one word of letters, digits, '_' and '-'; correct it",
        ),
        (
            "clouds: {7: {kind: local}}\n" + board(""),
            "1:10: 'cloud name' cannot be 7: it must be text; correct it",
        ),
        ("clouds: {x: {}}\n" + board(""), "1:13: key 'kind' is missing; add kind: local or kind: nrfcloud"),
        (
            "clouds: {x: {kind: lokal}}\n" + board(""),
            "1:20: 'kind' cannot be 'lokal'; nearest known value is 'local'; correct it",
        ),
        (
            "clouds: {x: {kind: local, close_style: bang}}\n" + board(""),
            "1:40: 'close_style' cannot be 'bang'; nearest known value is 'hang'; correct it",
        ),
        (
            "clouds: {x: {kind: nrfcloud, mqtt: host}}\n" + board(""),
            "1:36: 'mqtt' cannot be 'host': it must be HOST:PORT, e.g. mqtt.nrfcloud.com:8883; correct it",
        ),
        (
            board("provision: claim"),
            "4:16: firmware 'serial-modem' has no client of the provisioning service, so the board cannot be claimed;"
            " write firmware: shell, or choose another key origin",
        ),
        (
            "boards:\n  - {name: a, virtual: {}, firmware: shell, provision: claim}\n",
            "2:56: the virtual board has no client of the provisioning service; write virtual: {provisioning: true}",
        ),
        (
            "boards:\n  - {name: a, virtual: {firmware: raw-sockets}, provision: claim}\n",
            "2:60: firmware 'raw-sockets' has no client of the provisioning service, so the board cannot be claimed;"
            " write firmware: shell, or choose another key origin",
        ),
        (
            "boards: [{name: a, virtual: {firmware: [shell], terminator: cr}}]",
            "1:40: 'firmware' cannot be a list; nearest known value is 'shell'; correct it",
        ),
        (
            board("provision: clowd"),
            "4:16: 'provision' cannot be 'clowd'; nearest known value is 'cloud'; correct it",
        ),
        (
            board("firmware: at_client"),
            "4:15: 'firmware' cannot be 'at_client'; nearest known value is 'at-client'; correct it",
        ),
        (
            "boards: [{name: a, virtual: {framing: at-client}}]",
            "1:30: key 'framing' is called 'firmware' now; rename it",
        ),
        (
            "boards: [{name: a, virtual: {imei: 490154203237518}}]",
            "1:36: 'imei' cannot be 490154203237518: it must be text; write \"490154203237518\"",
        ),
        (
            "clouds: {x: {kind: local, limits: {paylod: 1}}}\n" + board(""),
            "1:36: unknown key 'paylod'; nearest known key is 'payload'; correct it",
        ),
        (
            "clouds: {x: {kind: local, maximum_tls: 1.3}}\n" + board(""),
            "1:40: 'maximum_tls' cannot be 1.3: it must be text; write \"1.3\"",
        ),
        (board("sec_tags: []"), "4:15: 'sec_tags' is an empty list; add an entry to it"),
        (board("sec_tags: 7"), "4:15: 'sec_tags' cannot be 7: it must be a list; write [7]"),
        (
            board("sec_tags: [7, 3000000000]"),
            "4:19: 'sec_tags' cannot be 3000000000: it must be 0 to 2147483647; higher ones are reserved; correct it",
        ),
        (board("sec_tags: [7, 7]"), "4:15: 'sec_tags' must name each sec_tag once; correct it"),
        (
            board("sec_tags: [7]\n    sec_tag: 7"),
            "4:5: the board has 'sec_tag' and 'sec_tags'; keep one of them: sec_tag is the short form for one",
        ),
        (board("adopt: 1"), "4:12: 'adopt' cannot be 1: it must be true or false; correct it"),
        (
            "boards: [{name: a, virtual: {model: nrf9162}}]",
            "1:37: 'model' cannot be 'nrf9162'; nearest known value is 'nrf9161'; correct it",
        ),
        (
            "boards: [{name: a, virtual: {faults: [no_sim]}}]",
            "1:39: 'faults' cannot be 'no_sim'; nearest known value is 'no-sim'; correct it",
        ),
        (
            "clouds: {x: {kind: nrfcloud, api_key_file: boards.yaml, api_key_env: KEY}}\n" + board(""),
            "1:30: the cloud has 'api_key_env' and 'api_key_file'; keep one of them: there is one API key",
        ),
        (
            "clouds: {x: {kind: nrfcloud, network: {'a:1': b}}}\n" + board(""),
            "1:47: 'a:1' cannot be 'b': it must be HOST:PORT, e.g. mqtt.nrfcloud.com:8883; correct it",
        ),
        (
            "clouds: {x: {kind: nrfcloud, network: {a: 'b:1'}}}\n" + board(""),
            "1:40: 'address' cannot be 'a': it must be HOST:PORT, e.g. mqtt.nrfcloud.com:8883; correct it",
        ),
        ("lab_ca: ''\n" + board(""), "1:9: 'lab_ca' cannot be '': it must have at least 1 character; correct it"),
        ("- a", "1:1: the file must be a mapping of keys to values, not a list; correct it"),
        ("null", "1:1: the file cannot be empty: it must be a mapping of keys to values; correct it"),
        ("", "1:1: the file is empty; write 'boards:' and a list of boards"),
        ("# nothing\n\n", "1:1: the file is empty; write 'boards:' and a list of boards"),
        ("boards:\n\t- a", "2:1: YAML syntax: found character '\\t' that cannot start any token; indent with spaces"),
        (
            "boards: [{name: a, virtual: {}}]\n---\nb: 1",
            "2:1: YAML syntax: but found another document; keep one document in the file",
        ),
        (b"boards: []\n# \xe4rger", "2:3: the file is not UTF-8; save it as UTF-8"),
        ("boards:\n  - \x07", "2:5: YAML syntax: character U+0007; remove it"),
    ],
)
def test_one_mistake_is_one_line_at_its_place(tmp_path, text, line):
    assert mistakes(tmp_path, text) == [line]


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("boards:\n" + "  [" * 5000, "1:1: YAML syntax: lists and mappings are nested too deeply; flatten them"),
        ("boards: []\nlab_ca: 2026-02-30", "2:9: YAML cannot read this value (day is out of range for month); quote"),
        ("boards: []\nlab_ca: " + "9" * 5000, "2:9: YAML cannot read this value (Exceeds the limit (4300 digits)"),
    ],
)
def test_what_yaml_itself_chokes_on(tmp_path, text, beginning):
    (line,) = mistakes(tmp_path, text)
    assert line.startswith(beginning)


def test_broken_syntax_has_a_place(tmp_path):
    (line,) = mistakes(tmp_path, "boards:\n  - {name: a, virtual: {}\n")
    assert line.startswith("3:1: YAML syntax: ")
    assert line.endswith("; check indentation, quotes and colons here and on the line before")


def test_python_tags_are_not_built(tmp_path):
    (line,) = mistakes(tmp_path, "boards: !!python/object/apply:os.getcwd []")
    assert line.startswith("1:9: YAML syntax: could not determine a constructor for the tag")


def test_all_mistakes_are_reported_together(tmp_path):
    text = """\
clouds:
  x: {kind: local, policies: [nowhere.json]}
boards:
  - {name: a, virtual: {}, bauds: 1}
  - {name: a, port: /dev/ttyACM0, cloud: y}
  - {name: b}
"""
    assert mistakes(tmp_path, text) == [
        f"2:31: no such file: {tmp_path / 'nowhere.json'}; give policy documents, relative to this file",
        "4:28: unknown key 'bauds'; nearest known key is 'baud'; correct it",
        "5:12: a board in line 4 is named 'a' too; give this one another name",
        "5:42: unknown cloud 'y'; known clouds: local, nrfcloud, x; use one of them or leave it out",
        "6:5: the board has no address; give it one of virtual, port, serial and place",
    ]


@pytest.mark.parametrize("key", ["rest_ca", "root_ca", "api_key_file"])
def test_a_file_that_is_not_there(tmp_path, key):
    text = f"clouds: {{x: {{kind: nrfcloud, {key}: none.pem}}}}\n" + board("")
    assert mistakes(tmp_path, text) == [
        f"1:{32 + len(key)}: no such file: {tmp_path / 'none.pem'};"
        " give one relative to this file, or leave the key out"
    ]


@pytest.mark.parametrize("value", ["ca", "ca/deeper", "./link"])
def test_a_lab_ca_that_is_no_folder(tmp_path, value):
    (tmp_path / "ca").write_text("a plain file")
    (tmp_path / "link").symlink_to("nowhere")
    wrong = tmp_path / ("link" if "link" in value else "ca")
    assert mistakes(tmp_path, f"lab_ca: {value}\n" + board("")) == [
        f"1:9: {wrong} is not a folder; the lab CA needs a folder, which the first run makes"
    ]


@pytest.mark.parametrize("value", [".", "new/ca", "link"])
def test_a_lab_ca_that_is_a_folder_or_can_be_one(tmp_path, value):
    (tmp_path / "link").symlink_to(".")
    assert load(tmp_path, f"lab_ca: {value}\n" + board("")).lab_ca == tmp_path / value
    assert not (tmp_path / "new").exists()


def test_merged_keys_are_no_duplicates(tmp_path):
    text = """\
boards:
  - &dk {name: a, port: /dev/ttyACM0, baud: 9600}
  - {<<: *dk, name: b, port: /dev/ttyACM1}
"""
    assert [(b.name, b.baud, b.port) for b in load(tmp_path, text).boards] == [
        ("a", 9600, "/dev/ttyACM0"),
        ("b", 9600, "/dev/ttyACM1"),
    ]


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(BoardsFileError) as caught:
        load_boards_file(tmp_path / "none.yaml")
    assert caught.value.lines == [
        f"{tmp_path / 'none.yaml'}: cannot read the boards file: No such file or directory;"
        " name an existing file, or write one: docs/boards-yaml.md describes it"
    ]


def test_a_file_that_is_there_and_cannot_be_read_is_not_asked_to_exist(tmp_path, monkeypatch):
    def broken(path):
        raise OSError(errno.EIO, "Input/output error", str(path))

    monkeypatch.setattr("harness.lab.boards_file.read_boards_text", broken)
    with pytest.raises(BoardsFileError, match=r"Input/output error; name another file$"):
        load_boards_file(tmp_path / "boards.yaml")


def unreadable(kind: str, path: Path) -> None:
    """Make something of this kind under the name of a boards file."""
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    elif kind == "a socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
    else:
        path.touch()
        os.truncate(path, 100_000_000)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("a pipe", "it is a pipe, not a file; it would be read more than once: save it as a file and name that"),
        ("a folder", "it is a folder, not a file; name the boards file"),
        ("a device", "it is a device, not a file; name the boards file"),
        ("a socket", "it is a socket, not a file; name the boards file"),
        ("a disk image", "it has 100.0 MB, and a boards file at most 1; name the boards file"),
    ],
)
@pytest.mark.parametrize("command", ["boards check", "boards suggest --boards", "doctor --boards"])
def test_what_is_no_file_is_not_read_but_one_line(tmp_path, kind, said, command, capsys):
    path = tmp_path / "lab"
    unreadable(kind, path)
    assert main([*command.split(), str(path)]) == 2
    told = capsys.readouterr()
    (line,) = (told.out + told.err).splitlines()
    assert line.removeprefix("nrf91-harness: ") == f"{path}: cannot read the boards file: {said}"


def test_a_file_that_may_not_be_read_is_one_line(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "lab.yaml").write_text(GOOD)
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(BoardsFileError) as caught:
        load_boards_file(tmp_path / "lab.yaml")
    assert caught.value.lines == [
        f"{tmp_path / 'lab.yaml'}: cannot read the boards file: Permission denied;"
        " let your user read it, or name another file"
    ]


@given(st.binary(max_size=60) | st.text(alphabet="ab:-[]{}\n \t'\"&*!|>#?,0", max_size=60).map(str.encode))
def test_no_file_whatever_ends_in_a_traceback(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_bytes(content)
    with pytest.raises(BoardsFileError):
        load_boards_file(path)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ((), ["dk-1", "virtual-1"]),
        (("smoke",), ["dk-1"]),
        (("virtual-1", "dk-1"), ["dk-1", "virtual-1"]),
        (("dk", "dk-1"), ["dk-1"]),
    ],
)
def test_select(tmp_path, names, found):
    assert [b.name for b in select(load(tmp_path, GOOD).boards, names)] == found


def test_select_nothing_lists_what_there_is(tmp_path):
    with pytest.raises(Misuse) as caught:
        select(load(tmp_path, GOOD).boards, ["dk-1", "smok"])
    assert str(caught.value) == "no board has the name or tag 'smok'; names: dk-1, virtual-1; tags: dk, smoke"


def policies(folder: Path, **documents: str) -> Path:
    folder.mkdir()
    for name, text in documents.items():
        (folder / f"{name}.json").write_text(text)
    return folder


def permit(topic: str) -> str:
    return f'{{"Statement": {{"Effect": "Allow", "Action": "iot:Publish", "Resource": "arn:aws:iot:::topic/{topic}"}}}}'


@pytest.mark.parametrize("kind", ["local", "nrfcloud"])
@pytest.mark.parametrize("chosen", ["page", "current"])
def test_profiles(tmp_path, kind, chosen):
    file = load(tmp_path, f"clouds: {{x: {{kind: {kind}, profile: {chosen}}}}}\n" + board("cloud: x"))
    assert file.clouds["x"].expected == f"profile {chosen}"
    assert expected_documents(file, "x") == load_profile(chosen, account="123456789012")


def test_the_profile_of_the_built_in_clouds_is_the_page(tmp_path):
    file = load(tmp_path, board(""))
    assert {name: cloud.profile for name, cloud in file.clouds.items()} == {"local": "page", "nrfcloud": "page"}
    assert expected_documents(file, "nrfcloud") == load_profile("page", account="123456789012")


def test_a_profile_that_is_none(tmp_path):
    text = "clouds:\n  x:\n    kind: nrfcloud\n    profile: curent\n" + board("cloud: x")
    assert mistakes(tmp_path, text) == [
        "4:14: 'profile' cannot be 'curent'; nearest known value is 'current'; correct it"
    ]


@pytest.mark.parametrize("kind", ["local", "nrfcloud"])
def test_own_policies_replace_the_profiles_and_join_them(tmp_path, kind):
    policies(tmp_path / "mine", gateway=permit("mine"), lab=permit("lab"))
    keys = f"kind: {kind}, profile: current, policies: [mine/gateway.json, ./mine/lab.json]"
    file = load(tmp_path, f"clouds: {{x: {{{keys}}}}}\n" + board("cloud: x"))
    assert file.clouds["x"].expected == "profile current with mine/gateway.json, ./mine/lab.json"
    documents = expected_documents(file, "x")
    assert list(documents) == ["provisioned", "associated", "gateway", "lab"]
    assert documents["provisioned"] == load_profile("current", account="123456789012")["provisioned"]
    assert [documents[name].statements[0].resources for name in ("gateway", "lab")] == [
        ("arn:aws:iot:::topic/mine",),
        ("arn:aws:iot:::topic/lab",),
    ]


@pytest.mark.parametrize("key", ["policies", "enforces"])
@pytest.mark.parametrize(
    ("files", "column", "said"),
    [
        (
            "[mine/ok.json, mine/lost.json]",
            15,
            "no such file: {mine}/lost.json; give policy documents, relative to this file",
        ),
        (
            "[mine/ok.json, ok.json]",
            15,
            "'ok.json' has the name of 'mine/ok.json'; a cloud has one document of a name; rename one",
        ),
        (
            "[mine/team-device.json]",
            1,
            "'team-device' is the name of the policy of MQTT team devices, which are not boards; rename the file",
        ),
        (
            "[mine/ok.json, mine/Associated.json]",
            15,
            "'Associated.json' would be enforced beside associated, not in its place; name it associated.json",
        ),
        (
            "[mine/cut.json]",
            1,
            "cut: not JSON, at line 1 column 2: Expecting property name enclosed in double quotes;"
            " correct {mine}/cut.json",
        ),
        (
            "[mine/odd.json]",
            1,
            "odd: $.Statement[0]: must hold exactly one of Action and NotAction; correct {mine}/odd.json",
        ),
    ],
)
def test_policy_documents_that_are_wrong(tmp_path, key, files, column, said):
    odd = '{"Statement": [{"Effect": "Allow", "Resource": "*"}]}'
    mine = policies(
        tmp_path / "mine", ok=permit("a"), cut="{", odd=odd, **{"team-device": permit("a")}, Associated=permit("a")
    )
    (tmp_path / "ok.json").write_text(permit("b"))
    (line,) = mistakes(tmp_path, f"clouds: {{x: {{kind: local, {key}: {files}}}}}\n" + board("cloud: x"))
    assert line == f"1:{29 + len(key) + column}: {said.format(mine=mine)}"


REAL = '{{"Statement": {{"Effect": "Allow", "Action": "iot:Publish", "Resource": "arn:aws:iot:{}:topic/x"}}}}'


def test_the_account_and_region_that_documents_name_are_the_clouds(tmp_path):
    policies(tmp_path / "mine", a=REAL.format("eu-west-1:987654321098"), gateway=REAL.format("*:*"))
    keys = "{kind: local, policies: [mine/a.json, mine/gateway.json]}"
    file = load(tmp_path, f"clouds: {{x: {keys}}}\n" + board("cloud: x"))
    resources = {name: one.statements[0].resources for name, one in expected_documents(file, "x").items()}
    assert resources["a"] == ("arn:aws:iot:us-east-1:123456789012:topic/x",)
    assert resources["gateway"] == ("arn:aws:iot:*:*:topic/x",)
    assert resources["provisioned"] == ("arn:aws:iot:*:123456789012:client/${iot:ClientId}",)


def test_documents_of_two_accounts(tmp_path):
    mine = policies(tmp_path / "mine", **{name: REAL.format(f"*:{name[1] * 12}") for name in ("a1", "a2", "a3")})
    keys = "{kind: local, policies: [mine/a1.json, mine/a2.json], enforces: [mine/a3.json]}"
    assert mistakes(tmp_path, f"clouds: {{x: {keys}}}\n" + board("cloud: x")) == [
        f"1:{column}: {name}: $.Statement[0].Resource: its account is {name[1] * 12}, but that of a1,"
        f" $.Statement[0].Resource, is 111111111111; a cloud has one: write that, or *; correct {mine}/{name}.json"
        for column, name in ((52, "a2"), (78, "a3"))
    ]


def test_a_document_that_is_replaced_may_be_of_another_account(tmp_path):
    """As mutated clouds have it: documents that were read already, beside the same as they are written."""
    policies(tmp_path / "mine", a=REAL.format("eu-west-1:111111111111"), b=REAL.format("*:*"))
    policies(tmp_path / "read", a=REAL.format("us-east-1:222222222222"))
    keys = "{kind: local, policies: [mine/a.json, mine/b.json], enforces: [read/a.json]}"
    file = load(tmp_path, f"clouds: {{x: {keys}}}\n" + board("cloud: x"))
    assert file.clouds["x"].enforces == ("read/a.json",)


@pytest.mark.parametrize("value", ["mine", "[]"])
def test_policies_are_a_list_of_files(tmp_path, value):
    (line,) = mistakes(tmp_path, f"clouds: {{x: {{kind: local, policies: {value}}}}}\n" + board("cloud: x"))
    assert line.startswith("1:37: 'policies' ")


def test_only_a_local_cloud_enforces_what_is_not_expected(tmp_path):
    policies(tmp_path / "mine", lab=permit("lab"))
    (line,) = mistakes(tmp_path, "clouds: {x: {kind: nrfcloud, enforces: [mine/lab.json]}}\n" + board("cloud: x"))
    assert "unknown key 'enforces'" in line


def test_documents_that_were_spoilt_after_the_file_was_read(tmp_path):
    folder = policies(tmp_path / "mine", lab=permit("lab"))
    file = load(tmp_path, "clouds: {x: {kind: local, policies: [mine/lab.json]}}\n" + board("cloud: x"))
    (folder / "lab.json").write_text("[]")
    with pytest.raises(Misuse, match=r"boards\.yaml: policies of cloud 'x': lab: \$: must be an object; correct"):
        expected_documents(file, "x")


@pytest.mark.parametrize(("said", "bound"), [("1e-3", 1e-3), ("1.0e-4", 1e-4), ("0.01", 0.01)])
def test_a_bound_is_a_number_however_it_is_written(tmp_path, said, bound):
    """YAML takes 1e-3, which has no point, for text."""
    path = tmp_path / "boards.yaml"
    path.write_text(f"verdicts: {{confidence: {said}}}\nboards: [{{name: a, virtual: {{}}}}]\n")
    assert load_boards_file(path).verdicts.confidence == bound
