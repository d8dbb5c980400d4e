"""What may be given on the command line, and what is said to who gives something else."""

from importlib.metadata import version
from pathlib import Path

import pytest

from harness.cli.arguments import make_parser, parse
from harness.cli.main import COMMANDS, load
from harness.credentials import KeyOrigin
from harness.lab import BUILT_IN_LAB
from harness.policy import Membership
from harness.settings import settings_of


def test_provision_and_its_defaults():
    given = parse(["provision", "dk-1", "dk-2"])
    assert (given.command, given.several) == ("provision", ["dk-1", "dk-2"])
    assert (given.boards, given.cloud) == (Path("boards.yaml"), None)
    assert (given.key_origin, given.reprovision, given.json, given.lab_ca, given.transcript) == (
        None,
        False,
        False,
        None,
        None,
    )


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        parse(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"nrf91-harness {version('nrf91-harness')}\n"


def test_without_a_boards_file_the_built_in_lab_is_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse(["provision", "virtual-1"]).boards == BUILT_IN_LAB


def test_provision_with_everything():
    options = ["--key-origin", "cloud", "--reprovision", "--boards", "lab.yaml", "--cloud", "beta"]
    given = parse(["provision", "dk-1", *options, "--lab-ca", "ca", "--transcript", "t", "--json"])
    assert (given.key_origin, given.reprovision, given.boards) == (KeyOrigin.CLOUD, True, Path("lab.yaml"))
    assert (given.cloud, given.lab_ca, given.transcript, given.json) == ("beta", Path("ca"), Path("t"), True)


@pytest.mark.parametrize("name", ["list", "verify", "delete"])
def test_credentials(name):
    given = parse(["credentials", name, "dk-1"])
    assert (given.command, given.board) == (f"credentials {name}", "dk-1")


def test_tokens():
    given = parse(["attest", "dk-1", "--challenge", "00" * 16])
    assert (given.command, given.challenge, given.show) == ("attest", bytes(16), False)
    given = parse(["jwt", "dk-1"])
    assert (given.command, given.sec_tag, given.identity, given.key_type) == ("jwt", None, False, 2)
    assert (given.expires_in, given.subject, given.audience, given.show) == (600, "", "", False)


def test_virtual_up():
    given = parse(["virtual", "up", "--boards", "2", "--firmware", "shell", "--proxy", "0", "--json"])
    assert (given.command, given.json) == ("virtual up", True)
    settings = settings_of(given, bytes)
    assert [board.name for board in settings.boards] == ["virtual-1", "virtual-2"]
    assert {board.firmware for board in settings.boards} == {"shell"}
    assert settings.cloud.proxy == 0


def test_policy():
    given = parse(["policy", "check", "a.json", "b.json"])
    assert (given.command, given.files) == ("policy check", [Path("a.json"), Path("b.json")])
    given = parse(["policy", "explain", "dk-1", "publish", "a/b"])
    assert (given.command, given.board, given.verb, given.topic) == ("policy explain", "dk-1", "publish", "a/b")
    assert (given.membership, given.retain, given.device_id, given.tenant, given.live) == (
        Membership.ASSOCIATED,
        False,
        None,
        None,
        False,
    )
    given = parse(
        ["policy", "trials", "dk-1", "--full", "--mutants", "--membership", "gateway", "--membership", "provisioned"]
    )
    assert (given.full, given.mutants, given.memberships) == (True, True, [Membership.GATEWAY, Membership.PROVISIONED])
    given = parse(["policy", "probe", "dk-1", "--cloud", "nrfcloud"])
    assert (given.command, given.cloud, given.memberships) == ("policy probe", "nrfcloud", [])


@pytest.mark.parametrize("command", ["trials", "probe"])
def test_a_membership_that_is_named_twice_is_one(command):
    states = [word for state in ("gateway", "associated", "gateway") for word in ("--membership", state)]
    assert parse(["policy", command, "dk-1", *states]).memberships == [Membership.GATEWAY, Membership.ASSOCIATED]
    assert parse(["policy", command, "dk-1"]).memberships == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["policy", "check"], "the following arguments are required: FILE"),
        (["policy", "explain", "a", "receive", "t"], "argument verb: invalid choice: 'receive'"),
        (
            ["policy", "trials", "a", "--membership", "not-attached"],
            "'not-attached' is not one of provisioned, associated",
        ),
        ([], "the following arguments are required: COMMAND"),
        (["provision"], "the following arguments are required: BOARD"),
        (
            ["provision", "a", "--key-origin", "phone"],
            "argument --key-origin: 'phone' is not one of device, host, cloud",
        ),
        (["credentials", "delete", "a", "--sec-tag", "-1"], "'-1' is not a sec_tag, which is 0 to 4294967295"),
        (
            ["credentials", "delete", "a", "--sec-tag", "4294967296"],
            "'4294967296' is not a sec_tag, which is 0 to 42949",
        ),
        (["jwt", "a", "--sec-tag", "2147483648"], "'2147483648' is not a sec_tag, which is 0 to 2147483647"),
        (["attest", "a", "--challenge", "00"], "'00' is not 32 hex digits"),
        (["attest", "a", "--challenge", "zz" * 16], "is not 32 hex digits"),
        (["jwt", "a", "--expires-in", "1.5"], "'1.5' is not a whole number of seconds"),
        (["jwt", "a", "--sec-tag", "1", "--identity"], "argument --identity: not allowed with argument --sec-tag"),
        (["virtual", "down"], "unknown command 'down'"),
        (["doctor", "--board", "b"], "unrecognized arguments: --board"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_code_2(capsys, arguments, said):
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("nrf91-harness: ")
    assert said in line
    assert line.endswith("--help")


@pytest.mark.parametrize(
    ("words", "meant"),
    [(["provison"], "provision"), (["credentials", "lsit"], "list"), (["boards", "sugest"], "suggest")],
)
def test_an_unknown_command_is_answered_with_the_nearest(words, meant, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(words)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert f"unknown command {words[-1]!r}; nearest known command is {meant!r}; see " in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["lease"], "'boards lease'"),
        (["list"], "'boards list' or 'credentials list'"),
        (["boards", "explain"], "'policy explain'"),
    ],
)
def test_a_command_of_a_group_is_known_without_the_group(words, meant, capsys):
    """``nrf91-harness lease`` was answered with "nearest known command is 'flash'"."""
    with pytest.raises(SystemExit) as ended:
        parse(words)
    assert ended.value.code == 2
    assert f"unknown command {words[-1]!r}; nearest known command is {meant}; see " in capsys.readouterr().err


def test_every_command_of_the_parser_is_carried_out():
    def commands(parser):
        for action in parser._actions:
            for child in (action.choices or {}).values() if isinstance(action.choices, dict) else ():
                yield from commands(child)
        if command := parser.get_default("command"):
            yield command

    assert sorted(commands(make_parser())) == sorted(COMMANDS)
    for command in COMMANDS:
        assert callable(load(command))


def test_bridge_and_its_defaults():
    given = parse(["bridge", "dk-1", "--listen", "1883"])
    assert (given.command, given.board, given.listen, given.to, given.sec_tag) == ("bridge", "dk-1", 1883, None, None)
    assert parse(["bridge", "dk-1", "--listen", "0", "--to", "h:8883"]).to == ("h", 8883)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--listen", "65536"], "'65536' is not a port, which is a number from 0 to 65535"),
        (["--listen", "x"], "'x' is not a port"),
        (["--listen", "1", "--to", "h"], "'h' is not HOST:PORT"),
        (["--listen", "1", "--to", "h:0"], "'h:0' is not HOST:PORT"),
        ([], "required: --listen"),
    ],
)
def test_what_a_bridge_cannot_be_told(wrong, said, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(["bridge", "dk-1", *wrong])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
