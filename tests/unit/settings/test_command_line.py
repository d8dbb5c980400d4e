"""Options of a command line: what they make, and that a mistake costs one clear line."""

import argparse

import pytest

from harness.settings import (
    BoardFault,
    FirmwareName,
    Limits,
    Model,
    ProcessSettings,
    TerminatorName,
    UnreadableSettings,
    WrongOption,
    add_options,
    settings_of,
)

from ..virtual.attestation_maker import Board


def parsed(line, document=b""):
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_options(parser)
    return settings_of(parser.parse_args(line if isinstance(line, list) else line.split()), lambda: document)


def test_defaults():
    settings = parsed("")
    (board,) = settings.boards
    assert (board.name, board.model, board.firmware, board.faults) == ("virtual-1", "nrf9151", None, ())
    assert (board.baud, board.time_scale, board.terminator, board.colour) == (0, 0.05, "cr", False)
    assert (board.seed, board.imei, board.device_uuid) == (None, None, None)
    assert (settings.directory, settings.network, settings.die_with_stdin) == (None, {}, False)
    cloud = settings.cloud
    assert (cloud.on_violation, cloud.close_style, cloud.cert_refusal) == ("close", "notify", "close")
    assert (cloud.policies, cloud.jitp_delay, cloud.proxy, cloud.tenant, cloud.state) == (
        "page",
        0.05,
        None,
        None,
        None,
    )
    assert (cloud.limits, cloud.trust_identities) == (Limits(), ())


def test_several_boards_with_the_same_settings():
    settings = parsed("--boards 2 --model nrf9160 --fault no-sim --fault denied --baud 9600 --time-scale 1")
    assert [board.name for board in settings.boards] == ["virtual-1", "virtual-2"]
    for board in settings.boards:
        assert (board.model, board.baud, board.time_scale) == (Model.NRF9160, 9600, 1.0)
        assert board.faults == (BoardFault.NO_SIM, BoardFault.DENIED)


def test_boards_that_differ():
    settings = parsed(
        "--seed s --names a --board b,model=nrf9160,firmware=at-client,terminator=lf,fault=no-sim,fault=store-full"
        " --board c,firmware=shell,colour,time-scale=2 --board d,colour=false"
    )
    a, b, c, d = settings.boards
    assert (a.name, a.model, a.firmware, a.seed) == ("a", "nrf9151", None, "s")
    assert (b.name, b.model, b.firmware, b.terminator, b.seed) == ("b", "nrf9160", "at-client", TerminatorName.LF, "s")
    assert b.faults == (BoardFault.NO_SIM, BoardFault.STORE_FULL)
    assert (c.firmware, c.colour, c.time_scale, d.colour) == (FirmwareName.SHELL, True, 2.0, False)


def test_boards_of_their_own_need_no_number():
    assert [board.name for board in parsed("--board x").boards] == ["x"]
    assert [board.name for board in parsed("--board x --boards 1").boards] == ["virtual-1", "x"]


def test_the_cloud():
    key = Board()
    settings = parsed(
        "--on-violation suback80 --close-style rst --cert-refusal alert --jitp-delay 2.5 --proxy 0 --policies current"
        " --limit payload=1000 --limit first-packet=0.5 --tenant 11111111222233334444AAAAAAAAAAAA --maximum-tls 1.3"
        f" --hash-matches-parent --trust-identity {key.uuid}={key.point}"
    )
    cloud = settings.cloud
    assert (cloud.on_violation, cloud.close_style, cloud.cert_refusal) == ("suback80", "rst", "alert")
    assert (cloud.jitp_delay, cloud.proxy, cloud.policies, cloud.maximum_tls) == (2.5, 0, "current", "1.3")
    assert (cloud.limits, cloud.hash_matches_parent) == (Limits(payload=1000, first_packet=0.5), True)
    assert cloud.tenant == "11111111-2222-3333-4444-aaaaaaaaaaaa"
    assert cloud.trust_identities == (f"{key.uuid}={key.point}",)


def test_boards_only():
    settings = parsed("--no-cloud --network mqtt.nrfcloud.com:8883=127.0.0.1:1 --network x:1=y:2 --dir d")
    assert settings.cloud is None
    assert settings.network == {"mqtt.nrfcloud.com:8883": "127.0.0.1:1", "x:1": "y:2"}
    assert settings.directory == "d"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--boards -1", "--boards cannot be '-1': it must be a number from 0 to 64; correct it"),
        ("--boards 65", "--boards cannot be '65': it must be a number from 0 to 64; correct it"),
        ("--names a,,b", "--names cannot be '': it must be one word of letters, digits, '_' and '-'; correct it"),
        ("--names ../a", "--names cannot be '../a': it must be one word of letters, digits, '_' and '-'; correct it"),
        ("--names api-key", "a board cannot be called 'api-key', which is a file of the cloud; correct it"),
        ("--names a,a", "boards must have different names, but two are called 'a'; correct it"),
        ("--board a --names a", "boards must have different names, but two are called 'a'; correct it"),
        ("--names a,b --boards 3", "--boards 3 contradicts --names, which has 2"),
        ("--boards 2 --imei 490154203237518", "boards must have different numbers, but two have imei 490154203237518"),
        ("--boards 2 --rfc2217 5077", "boards must have different numbers, but two have rfc2217 5077; correct it"),
        ("--imei 490154203237510", "--imei cannot be '490154203237510': it must be 15 digits with a valid check digit"),
        ("--device-uuid x", "--device-uuid cannot be 'x': it must be a UUID; correct it"),
        ("--model nrf9169", "--model cannot be 'nrf9169'; nearest known value is 'nrf9161'; correct it"),
        ("--firmware at_client", "--firmware cannot be 'at_client'; nearest known value is 'at-client'; correct it"),
        ("--framing shell", "--framing is called --firmware now; rename it"),
        ("--terminator tab", "--terminator cannot be 'tab'; known values: cr, lf, crlf, nul; use one of them"),
        ("--fault no_sim", "--fault cannot be 'no_sim'; nearest known value is 'no-sim'; correct it"),
        ("--fault no-sim --fault denied --fault no-sim", "--fault has 'no-sim' twice; correct it"),
        ("--board a,fault=no-sim,fault=no-sim", "--fault has 'no-sim' twice; correct it"),
        ("--baud -5", "--baud cannot be -5: it must be greater than or equal to 0; correct it"),
        ("--baud 1e3", "--baud cannot be '1e3': it must be a whole number; correct it"),
        ("--time-scale nan", "--time-scale cannot be nan: it must be a finite number; correct it"),
        ("--time-scale 1_0", "--time-scale cannot be '1_0': it must be a number; correct it"),
        ("--network mqtt=1", "--network mqtt cannot be 'mqtt': it must be HOST:PORT"),
        ("--network mqtt", "--network cannot be 'mqtt': it must be of the form NAME:PORT=HOST:PORT; correct it"),
        ("--network a:1=b:65536", "--network a:1 cannot be 'b:65536': it must be HOST:PORT"),
        ("--reasons FOO=x", "--reasons FOO cannot be 'FOO': it must be one of AUTH_ERROR, CLIENT_ERROR, CLIENT_INI"),
        ("--limit paylod=3", "--limit: unknown key 'paylod'; nearest known key is 'payload'; correct it"),
        ("--limit payload=x", "--limit payload cannot be 'x': it must be a whole number; correct it"),
        (
            "--on-violation maybe",
            "--on-violation cannot be 'maybe'; known values: close, ack-close, tolerate, suback80; use one",
        ),
        ("--tenant me", "--tenant cannot be 'me': it must be a UUID; correct it"),
        ("--no-cloud --state x", "--state has no effect together with --no-cloud"),
        ("--no-cloud --policies page", "--policies has no effect together with --no-cloud"),
        ("--proxy 65536", "--proxy cannot be 65536: it must be less than or equal to 65535; correct it"),
        ("--jitp-delay -1", "--jitp-delay cannot be -1.0: it must be greater than or equal to 0; correct it"),
        ("--trust-identity x", "--trust-identity cannot be 'x': it must be UUID=HEX with a point on P-256; correct it"),
        ("--board a,modl=mute", "--board 'a,modl=mute': unknown key 'modl'; nearest known key is 'model'; correct it"),
        ("--shell at-shell", "--shell changes nothing on firmware serial-modem; give --firmware shell"),
        (
            "--board a,firmware=shell,release=2.0-main",
            "--release changes nothing on firmware shell; give --firmware serial-modem or --firmware raw-sockets",
        ),
        ("--board a,framing=shell", "--board 'a,framing=shell': key 'framing' is called 'firmware' now; rename it"),
        ("--board a,model=x", "--model cannot be 'x'; known values: nrf9160,"),
        (
            "--board a,colour=red",
            "--board 'a,colour=red': colour cannot be 'red': it must be true or false",
        ),
        ("--settings x --model mute", "--model has no effect together with --settings; write it into the document"),
        ("--settings x --boards 2", "--boards has no effect together with --settings; write it into the document"),
    ],
)
def test_mistakes(line, said):
    with pytest.raises(WrongOption) as caught:
        parsed(line)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_a_document_in_place_of_options(tmp_path):
    settings = parsed("--boards 2 --firmware shell --limit payload=1000 --dir d --network a:1=b:2")
    path = tmp_path / "settings.json"
    path.write_text(settings.model_dump_json(exclude_defaults=True))
    assert parsed(["--settings", str(path)]) == settings
    assert parsed("--settings -", path.read_bytes()) == settings
    assert parsed(["--settings", str(path), "--die-with-stdin"]).die_with_stdin is True


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is not JSON: EOF while parsing a value at line 1 column 0; correct it"),
        ('{"boards": [', "it is not JSON: EOF while parsing a list at line 1 column 12; correct it"),
        ("[]", "the document must be a mapping of keys to values, not a list; correct it"),
        ('{"boards": [{}]}', "key boards.0.name is missing; add it"),
        ('{"boards": [{"name": "a", "bauds": 1}]}', "unknown key 'boards.0.bauds'; nearest known key is 'baud'"),
        ('{"boards": [{"name": "a", "framing": "shell"}]}', "key 'boards.0.framing' is called 'firmware' now; rename"),
        ('{"boards": [{"name": "a", "baud": "1"}]}', "boards.0.baud cannot be '1': it must be a whole number"),
        (
            '{"boards": [{"name": "a", "faults": ["denied", "denied"]}]}',
            "boards.0.faults has 'denied' twice; correct it",
        ),
        ('{"boards": [{"name": "a", "faults": ["x"]}]}', "boards.0.faults.0 cannot be 'x'; known values: no-sim,"),
        ('{"cluod": {}}', "unknown key 'cluod'; nearest known key is 'cloud'; correct it"),
        ('{"cloud": {"limits": {"paylod": 1}}}', "unknown key 'cloud.limits.paylod'; nearest known key is 'payload'"),
        ('{"boards": [{"name": "a"}, {"name": "a"}]}', "boards must have different names, but two are called 'a'"),
        ('{"network": {"a": "b:1"}}', "network.a.[key] cannot be 'a': it must be HOST:PORT"),
    ],
)
def test_a_document_that_cannot_be_read_is_one_line(text, said):
    with pytest.raises(UnreadableSettings) as caught:
        parsed("--settings -", text.encode())
    assert str(caught.value).startswith(f"standard input: {said}")
    assert "\n" not in str(caught.value)


def test_a_document_that_is_not_there(tmp_path):
    with pytest.raises(UnreadableSettings, match="cannot read the settings: No such file or directory; name another"):
        parsed(["--settings", str(tmp_path / "none")])


def test_bytes_that_are_no_text():
    with pytest.raises(UnreadableSettings, match="standard input: it is not JSON"):
        parsed("--settings -", b"\xff\xfe")


def test_settings_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        ProcessSettings().directory = "x"  # type: ignore[misc]
