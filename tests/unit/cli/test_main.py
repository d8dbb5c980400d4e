"""Exit codes, and what goes to which stream."""

import json
import os
import signal
import subprocess
import sys
import threading
from unittest.mock import Mock

import pytest

from harness.cli import tokens
from harness.cli.main import main
from harness.cli.result import Result
from harness.errors import CloudUnreachable, Misuse, NoAnswer, Refusal
from harness.redact import SECRETS


@pytest.fixture
def outcome(monkeypatch):
    """Let ``attest`` end in a given way."""

    def set_outcome(value):
        def command(_given, progress):
            progress("asking")
            if isinstance(value, BaseException):
                raise value
            return value

        monkeypatch.setattr(tokens, "attest", command)

    return set_outcome


def test_a_result_for_readers_and_for_programs(outcome, capsys):
    outcome(Result({"nonce": "00"}, ["first", "second"]))
    assert main(["attest", "a"]) == 0
    assert capsys.readouterr().out == "first\nsecond\n"
    assert main(["attest", "a", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"ok": True, "nonce": "00"}
    assert err == "   0.0 s  asking\n"


def test_a_result_that_says_no_is_exit_code_1(outcome, capsys):
    outcome(Result({"checks": []}, ["differs"], code=1))
    assert main(["attest", "a", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"ok": False, "checks": []}


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (Refusal("no"), 1, "refused"),
        (Misuse("wrong"), 2, "misuse"),
        (NoAnswer("silent"), 3, "lab"),
        (CloudUnreachable("gone"), 3, "lab"),
    ],
)
def test_an_error_has_its_exit_code_and_its_line(outcome, capsys, error, code, kind):
    outcome(error)
    assert main(["attest", "a"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1] == f"nrf91-harness: {error}"
    assert main(["attest", "a", "--json"]) == code
    assert json.loads(capsys.readouterr().out) == {"ok": False, "error": kind, "message": str(error)}


def test_notes_on_an_error_are_part_of_its_line(outcome, capsys):
    error = NoAnswer("silent")
    error.add_note("the board holds half of its credentials")
    outcome(error)
    assert main(["attest", "a"]) == 3
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "nrf91-harness: silent; the board holds half of its credentials"


def test_ctrl_c_is_130(outcome, capsys):
    outcome(KeyboardInterrupt())
    assert main(["attest", "a"]) == 130
    assert capsys.readouterr().err.endswith("nrf91-harness: interrupted\n")


@pytest.mark.usefixtures("hang_up_ends")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_command_as_ctrl_c_does(monkeypatch, capsys, number):
    """And the second one does not end the cleaning."""
    cleaned = []

    def command(_given, _progress):
        try:
            os.kill(os.getpid(), number)
            threading.Event().wait(10.0)
        finally:
            os.kill(os.getpid(), number)
            cleaned.append(True)

    monkeypatch.setattr(tokens, "attest", command)
    former = signal.getsignal(number)
    assert main(["attest", "a"]) == 130
    assert cleaned
    assert capsys.readouterr().err.endswith("nrf91-harness: interrupted\n")
    assert signal.getsignal(number) is former


def test_no_secret_in_an_error(outcome, capsys):
    SECRETS.add("d8be845e816e45d4a9529a6cfcd459c88e3c22b5")
    outcome(Refusal("key d8be845e816e45d4a9529a6cfcd459c88e3c22b5 is wrong"))
    assert main(["attest", "a", "--json"]) == 1
    out, err = capsys.readouterr()
    assert "d8be845e" not in out + err
    assert json.loads(out)["message"] == "key <redacted> is wrong"


@pytest.mark.parametrize(
    ("where", "code", "said"),
    [
        ("> /dev/full", 3, "nrf91-harness: cannot write to standard output: No space left on device\n"),
        (">&-", 0, ""),
        (">&- 2>&- <&-", 0, ""),
    ],
)
def test_an_output_that_takes_nothing_is_no_traceback(where, code, said):
    command = f"{sys.executable} -m harness.cli boards schema {where}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (code, said)


IMPORTING = """
import sys
class Finder:
    def find_spec(self, name, *_):
        if name == "harness.cli.parsers":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder())
import harness.cli
"""


def test_ctrl_c_while_it_is_loaded_is_130_too():
    done = subprocess.run([sys.executable, "-c", IMPORTING], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (130, "nrf91-harness: interrupted\n")


def test_ctrl_c_while_arguments_are_read_is_130_too(monkeypatch, capsys):
    monkeypatch.setattr(sys.modules["harness.cli.main"], "parse", Mock(side_effect=KeyboardInterrupt))
    assert main(["attest", "a"]) == 130
    assert capsys.readouterr().err == "nrf91-harness: interrupted\n"


def test_reader_that_stops_early_sees_no_traceback():
    command = f"{sys.executable} -m harness.cli policy trials virtual-1 --full --membership associated | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.startswith("profile page")
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
