"""What a board's device is in its team, over whole runs: found as a former run left it, and left as it has to be."""

from __future__ import annotations

import json

import pytest

from tests.integration.runs import run
from tests.integration.test_cli import lab as lab  # a cloud and a board that outlive the runs on them
from tests.integration.test_kept_state import rest_of

KILLED = """
import os, signal
from harness.policy import Membership

def test_killed(board, provisioned):
    board.be(Membership.{membership})
    os.kill(os.getpid(), signal.SIGKILL)
"""

CHANGED = """
from harness.policy import Membership

def test_changed(board, provisioned):
    board.be(Membership.{membership})
"""

FOUND = """
from harness.policy import Membership
from harness.trial import Outcome

def test_membership(board):
    print("found", board.device.membership)

def test_member(trial, board, provisioned):
    assert board.device.membership is Membership.ASSOCIATED
    topic = f"{board.cloud.account.mqtt_prefix}gateways/{provisioned.device_id}/g2c"
    trial.publish(topic, witness=None).expect(Outcome.POLICY_DISCONNECT)
"""


@pytest.fixture
def up(lab):
    """A lab of one board, provisioned the given way, and runs of tests on it."""
    up = lab("--boards", "1")

    def start(origin, tests, *arguments, **names):
        for name, value in names.items():
            tests = tests.replace(f"{{{name}}}", value)
        options = ("--boards", str(up.boards_file), "--key-origin", origin, "--lab-ca", str(up.folder / "ca"))
        return run(up.folder, "", tests, *options, *arguments)

    start.lab = up  # type: ignore[attr-defined]
    return start


def records(lab):
    """The devices' records in the account."""
    return rest_of(lab.ready).get("/devices")["items"]


@pytest.mark.parametrize("origin", ["device", "cloud"])
def test_a_gateway_that_a_killed_run_made_is_made_anew(up, origin):
    """The next run deletes what a killed one has put into the account."""
    assert up(origin, KILLED, membership="GATEWAY").exit_code == -9
    result = up(origin, FOUND, "-s")
    assert result.exit_code == 0, result.output
    assert "found associated" in result.output


def test_a_gateway_that_a_killed_run_made_of_a_device_that_stays_is_known_for_one(up):
    assert up.lab.run("provision", "virtual-1", "--lab-ca", str(up.lab.folder / "ca")).code == 0
    assert up("device", KILLED, membership="GATEWAY").exit_code == -9
    result = up("device", FOUND, "-s")
    assert result.exit_code == 0, result.output
    assert "found gateway" in result.output


def test_a_device_that_a_killed_run_left_in_no_team_comes_back(up):
    assert up("device", KILLED, membership="PROVISIONED").exit_code == -9
    result = up("device", FOUND)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("origin", ["device", "cloud"])
def test_a_run_leaves_nothing_behind_though_the_device_was_in_no_team(up, origin):
    result = up(origin, CHANGED, membership="PROVISIONED")
    assert result.exit_code == 0, result.output
    assert "left behind" not in result.output
    assert records(up.lab) == []
    again = up(origin, FOUND)  # a device in no team could neither be found nor made again
    assert again.exit_code == 0, again.output


def test_a_device_that_stays_is_an_ordinary_member_again(up):
    assert up.lab.run("provision", "virtual-1", "--lab-ca", str(up.lab.folder / "ca")).code == 0
    result = up("device", CHANGED, membership="GATEWAY")
    assert result.exit_code == 0, result.output
    (record,) = records(up.lab)
    assert record["type"] == "Generic"


def test_a_device_without_its_ownership_code_is_not_taken_out_of_its_team(up):
    """It could not come back: what needs it elsewhere is skipped, and the rest goes on."""
    assert (
        up.lab.run("provision", "virtual-1", "--key-origin", "cloud", "--lab-ca", str(up.lab.folder / "ca")).code == 0
    )
    elsewhere = """
import pytest
from harness.policy import Membership

class TestElsewhere:
    @pytest.fixture
    def membership(self):
        return Membership.PROVISIONED

    def test_elsewhere(self, trial):
        raise AssertionError("the device is out of its team")
"""
    result = up("cloud", elsewhere + FOUND)
    assert result.exit_code == 0, result.output
    case = result.case("test_elsewhere")
    assert case.result == "skipped"
    assert "must stay associated" in case.message
    assert result.case("test_member[").properties["credentials"] == "kept"


LEFTOVER = """
import pytest
from harness.policy import Membership

def test_gateway(board, provisioned):
    board.be(Membership.GATEWAY)

def test_record(board, cloud, provisioned):
    assert cloud.device(provisioned.device_id)["type"] == "Generic"

def test_no_team(board, provisioned):
    board.be(Membership.PROVISIONED)

def test_record_is_there(board, cloud, provisioned):
    assert cloud.device(provisioned.device_id)["tenantId"] == board.cloud.account.tenant_id

class TestAsked:
    @pytest.fixture
    def membership(self):
        return Membership.GATEWAY

    def test_gateway_as_asked(self, board, cloud, provisioned):
        assert board.device.membership is Membership.GATEWAY
        assert cloud.device(provisioned.device_id)["type"] == "Gateway"
"""

ONE = """
boards:
  - {name: one, virtual: {}}
"""


def test_what_one_test_made_of_the_device_does_not_reach_the_next(tmp_path):
    result = run(tmp_path, ONE, LEFTOVER)
    assert result.exit_code == 0, result.output


HALF = """
from harness.cloud import RestError
from harness.policy import Membership
from harness.trial import Outcome

def test_half(board, provisioned, monkeypatch):
    def refuse(*arguments):
        raise RestError("POST", "/devices/x", 500, 50010, "internal error", attempts=3)

    monkeypatch.setattr(board.cloud.api, "onboard_device", refuse)
    board.be(Membership.GATEWAY)

def test_next(trial, board, provisioned):
    topic = f"{board.cloud.account.mqtt_prefix}m/d/{provisioned.device_id}/d2c"
    trial.publish(topic, witness=None).expect(Outcome.TOLERATED)
"""


def test_half_a_change_is_the_labs_error_and_harms_no_later_test(tmp_path):
    result = run(tmp_path, ONE, HALF)
    half = result.case("test_half")
    assert half.result == "error", result.output
    assert "was associated and did not become gateway: POST /devices/x answered 500" in half.message
    assert result.case("test_next").result == "passed", result.output
    assert "left behind" not in result.output


GONE = """
from helpers import kill_boards, kill_cloud
from harness.policy import Membership

def test_gone(board, provisioned):
    board.be(Membership.PROVISIONED)
    kill_{what}()
"""


def test_a_device_that_cannot_be_brought_back_is_named_in_one_line(tmp_path):
    result = run(tmp_path, ONE, GONE.replace("{what}", "cloud"))
    lines = [line for line in result.output.splitlines() if line.startswith("left behind: one: ")]
    assert len(lines) == 1, result.output
    assert "may not be an ordinary member of its team again" in lines[0]
    assert "Traceback" not in result.output


def test_a_lost_board_does_not_keep_its_device_from_coming_back(tmp_path):
    result = run(tmp_path, ONE, GONE.replace("{what}", "boards"))
    assert "may not be an ordinary member" not in result.output, result.output


def test_the_port_may_go_away_while_the_device_is_in_no_team(tmp_path):
    """Just-in-time provisioning: nobody but this run can bring it back."""
    tests = """
from harness.policy import Membership

def test_out(board, provisioned):
    board.be(Membership.PROVISIONED)
    board.opened.port.close()

def test_back(board, provisioned):
    assert board.device.membership is Membership.ASSOCIATED
    assert board.device.cannot_be(Membership.GATEWAY) is None
"""
    result = run(tmp_path, ONE, tests, "--key-origin", "cloud")
    assert result.exit_code == 0, result.output
    assert result.case("test_back").properties["credentials"] == "kept"


def test_probing_leaves_an_ordinary_member(lab, tmp_path):
    up = lab("--boards", "1")
    done = up.run("policy", "probe", "virtual-1", "--membership", "gateway", "--lab-ca", str(tmp_path / "ca"))
    assert done.code == 0, done.err
    assert json.loads(done.out)["lacks"] == []
    (record,) = records(up)
    assert record["type"] == "Generic"
