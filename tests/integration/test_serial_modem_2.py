"""Serial Modem 2.0 to be, found out and driven: REST by its own HTTP client, and messages whose header comes last."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from tests.integration.runs import EARLY, LEAN, TIMEOUT, Result
from tests.integration.warm_start import run_python

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(EARLY)
TESTS = (
    "tests/scenarios/test_rest_through_board.py",
    "tests/scenarios/test_subscribe.py::TestProvisionedPolicy::test_own_shadow_get",
)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sm2")
    command = [sys.executable, "-m", "pytest", *TESTS, "-q", "-n", "0", "-p", "no:cacheprovider", *LEAN]
    command += ["--boards", "tests/boards/serial-modem-2.yaml", "--reports", str(folder / "reports")]
    command += ["--lab-ca", str(folder / "ca")]
    done = run_python(command, ROOT, os.environ, TIMEOUT)
    return Result(folder, done.returncode, done.stdout + done.stderr)


def transcript(result, test, board):
    (run,) = (result.folder / "reports").glob("2*")
    (found,) = run.glob(f"transcripts/*{test}-{board}.*")
    return found.read_text()


def test_rest_and_messages_run_on_each(result):
    assert result.exit_code == 0, result.output
    assert {case.result for case in result.cases} == {"passed"}


@pytest.mark.parametrize(("board", "more"), [("preview", ""), ("main", ",[01]")])
def test_the_firmwares_own_client_is_used_for_what_it_can_send(result, board, more):
    read = transcript(result, "test_own_record_with_a_token_without_an_end", board)
    assert "Authorization:Bearer <redacted" in read
    assert re.search(rf"#XHTTPCHEAD: 0,200,(\d+)\n(?:.*\n)*?.*#XHTTPCSTAT: 0,200,\1{more}\n", read), read
    assert "verdict: authorised" in read
    assert re.search(r"#XHTTPCHEAD: 0,401,\d+", transcript(result, "test_own_record_without_a_token", board))


def test_what_the_client_cannot_send_goes_through_a_socket(result):
    """It has no PATCH, and no room for a token with its end."""
    patched = transcript(result, "test_own_state", "main")
    assert "the firmware's HTTP client cannot send this (PATCH); it goes through a socket" in patched
    assert "HTTP PATCH" in patched
    own = transcript(result, "test_own_record", "preview")
    assert re.search(r"cannot send this \(\d+ bytes of headers, of 511 at most\)", own)
    assert "AT#XHTTPCREQ" not in transcript(result, "test_own_record", "preview-sockets")


@pytest.mark.parametrize(("board", "first"), [("preview", "topic"), ("main", "header")])
def test_a_message_is_read_whichever_of_its_parts_comes_first(result, board, first):
    lines = transcript(result, "test_own_shadow_get", board).splitlines()
    read = next(at for at, line in enumerate(lines) if f"{board} " in line and "~ message on $aws/" in line)
    header = max(at for at, line in enumerate(lines[:read]) if "#XMQTTMSG: " in line)
    topics = [at for at, line in enumerate(lines[:read]) if re.search(r"< \$aws/\S+\Z", line)]
    assert bool(topics and topics[0] < header) is (first == "topic")
