"""Would the scenarios notice? The whole suite on clouds that are wrong in one way each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.integration.runs import Result

ROOT = Path(__file__).parents[2]


def run_scenarios(tmp_path: Path, boards: str) -> Result:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "tests/scenarios", "-q", "-p", "no:cacheprovider"),
            *("--boards", f"tests/boards/{boards}", "--reports", str(tmp_path / "reports")),
            *("--lab-ca", str(tmp_path / "ca")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    return Result(tmp_path, done.returncode, done.stdout + done.stderr)


def not_passed(result: Result) -> set[str]:
    return {case.name.partition("[")[0] for case in result.cases if case.result != "passed"}


def test_lost_right_fails_the_scenarios_that_need_it_and_only_those(tmp_path):
    result = run_scenarios(tmp_path, "without-m.yaml")
    assert result.exit_code == 1
    assert not_passed(result) == {
        "test_device_message",
        "test_device_message_in_data_mode",
        "test_message_of_another_device_of_the_team",
        "test_publish_on_a_team_topic_works_again",
    }
    assert {case.result for case in result.cases} == {"passed", "failed"}
    assert "expected tolerated, got policy disconnect" in result.case("test_message_of_another_device").message


def violations(result: Result) -> set[str]:
    found = [case for case in result.cases if "test_violation" in case.properties["transcript"]]
    assert len(found) >= 16
    return {case.name.partition("[")[0] for case in found}


def test_every_violation_scenario_fails_on_a_tolerant_cloud(tmp_path):
    result = run_scenarios(tmp_path, "tolerant.yaml")
    assert result.exit_code == 1
    assert not_passed(result) == violations(result)
    for case in result.cases:
        if case.result != "passed":
            assert case.result == "failed", case
            assert case.properties["verdict"] in ("tolerated", "ignored"), case


def test_refusal_without_hang_up_is_no_policy_disconnect(tmp_path):
    result = run_scenarios(tmp_path, "suback80.yaml")
    assert result.exit_code == 1
    # A refused CONNECT is closed by this cloud too.
    assert not_passed(result) == violations(result) - {"test_violation_wrong_client_id"}
    assert {case.result for case in result.cases} == {"passed", "failed"}
