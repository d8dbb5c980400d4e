"""Would the scenarios notice? The whole suite on clouds that are wrong in one way each."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.policy import allowed_by, at_home, load_document, load_profile
from harness.policy_trials.trials import cases_for
from harness.report.recorded_verdicts import judge_run
from harness.trial import Outcome, Verdict
from tests.integration.runs import AT_LAST, LEAN, Result, shared
from tests.integration.warm_start import run_python

ROOT = Path(__file__).parents[2]
HANGS = 600  # seconds after which a run counts as hung, on a computer that is busy with other things too
pytestmark = pytest.mark.timeout(3 * HANGS)  # a test waits for a run, or for another process that waits for it

DERIVED = ("tests/scenarios/test_policy.py",)
NAMES = "tests/scenarios/test_policy_names.py"
BY_HAND = ("tests/scenarios", "--deselect", *DERIVED, "--deselect", NAMES)
OF_KEYS = tuple(
    f"tests/scenarios/test_{name}.py"
    for name in ("association", "connection", "jitp", "mqtt_authentication", "provisioning", "rest_authorisation")
)
"""Scenarios to which it matters where a key was made."""
QUICK = ("--confidence", "1e-2")  # fewer connections for each refusal, on links that nothing disturbs
RUNS = {
    "without-m": ("without-m.yaml", BY_HAND),
    "without-m, derived": ("without-m.yaml", (*DERIVED, *QUICK)),
    "tolerant": ("tolerant.yaml", BY_HAND),
    "tolerant, derived": ("tolerant.yaml", (*DERIVED, *QUICK)),
    "own policies, derived": ("own-policies.yaml", (*DERIVED, *QUICK)),
    "own names": ("own-names.yaml", (*DERIVED, NAMES, *QUICK)),
    "source address": ("source-address.yaml", ("tests/scenarios", "-k", "publish or association")),
    "suback80": ("suback80.yaml", (*BY_HAND, "-m", "violation")),
    "three ways": ("three-ways.yaml", (*OF_KEYS, *QUICK)),
    "claimed": ("claim.yaml", BY_HAND),
    "firmwares": ("firmwares.yaml", (*BY_HAND, *QUICK)),
}


@pytest.fixture
def result_of(tmp_path_factory) -> Callable[[str], Result]:
    """The result of one of the runs; several tests read each."""
    return lambda name: shared(tmp_path_factory, name, lambda folder: run_scenarios(folder, *RUNS[name]))


def run_scenarios(tmp_path: Path, boards: str, scenarios: tuple[str, ...]) -> Result:
    """Run scenarios on a boards file of tests/boards."""
    command = [sys.executable, "-m", "pytest", *scenarios, "-q", *LEAN, "-p", "no:cacheprovider"]
    command += ["--boards", f"tests/boards/{boards}", "--reports", str(tmp_path / "reports")]
    command += ["--lab-ca", str(tmp_path / "ca")]
    done = run_python(command, ROOT, os.environ, HANGS)
    return Result(tmp_path, done.returncode, done.stdout + done.stderr)


def not_passed(result: Result) -> set[str]:
    return {case.name.partition("[")[0] for case in result.cases if case.result in ("failed", "error")}


def test_lost_right_fails_the_scenarios_that_need_it_and_only_those(result_of):
    result = result_of("without-m")
    assert result.exit_code == 1
    assert not_passed(result) == {
        "test_device_message",
        "test_device_message_in_data_mode",
        "test_message_of_another_device_of_the_team",
        "test_publish_on_a_team_topic_works_again",
        "test_a_message_of_the_firmware_arrives",
        "test_violation_message_on_a_topic_of_another_team",
    }
    assert {case.result for case in result.cases} == {"passed", "failed", "skipped"}
    assert "expected tolerated, got policy disconnect" in result.case("test_message_of_another_device").message


def derived(result: Result, outcome: str) -> set[str]:
    """Ids of the derived cases with this outcome, without the board's name."""
    found = [case for case in result.cases if case.name.startswith("test_derived[") and case.result == outcome]
    return {case.name.removeprefix(f"test_derived[{case.properties['board']}-").removesuffix("]") for case in found}


def test_lost_right_fails_exactly_the_derived_trials_that_notice_it(result_of):
    result = result_of("without-m, derived")
    page = load_profile(account="123456789012")
    spoilt = page | {
        "associated": load_document(ROOT / "tests/boards/policies-without-m/associated.json", account="123456789012")
    }
    cases = cases_for(tuple(page.values()), full=False)
    notice = {
        case.id for case, allowed in zip(cases, allowed_by(cases, spoilt), strict=True) if allowed != case.allowed
    }
    assert notice
    assert derived(result, "failed") == notice
    assert derived(result, "passed") == {case.id for case in cases} - notice
    message = next(case.message for case in result.cases if case.result == "failed")
    assert "/m/test" in message
    assert "allowed by associated statement 2" in message


def test_policies_of_ones_own_are_tested_like_nrf_clouds(result_of):
    result = result_of("own policies, derived")
    profile = load_profile("current", account="123456789012")
    files = [ROOT / f"tests/boards/{folder}/lab.json" for folder in ("own-policies", "own-policies-lost")]
    labs = at_home(load_document(file, account="123456789012") for file in files)  # they name a real account
    expected, enforced = (profile | {"lab": lab} for lab in labs)
    cases = cases_for(tuple(expected.values()), full=False)
    notice = {
        case.id for case, allowed in zip(cases, allowed_by(cases, enforced), strict=True) if allowed != case.allowed
    }
    assert notice == {"gateway-publish-prod/{tenant}/m/secret"}
    assert derived(result, "failed") == notice
    assert derived(result, "passed") == {case.id for case in cases} - notice
    message = next(case.message for case in result.cases if case.result == "failed")
    assert "explicit deny" in message


def test_documents_that_look_at_names_are_tested_with_the_real_ones(result_of):
    """No device called {device} may connect there, so nothing but that can be derived before the board is open."""
    result = result_of("own names")
    assert derived(result, "passed") == {"gateway-connect-{device}"}
    case = result.case("test_own_names")
    assert case.result == "failed"
    assert "expected policy disconnect, got tolerated" in case.message
    verdicts = case.properties["verdict"].split(", ")
    assert len(verdicts) >= 40
    (line,) = (line for line in result.output.splitlines() if " of cloud local: " in line)
    assert f"; own-names: {len(verdicts)} more trials (for its own names {len(verdicts)} trials, " in line


def test_what_the_harness_cannot_know_fails_nothing(result_of):
    """The cloud refuses what the documents refuse at this address, and allow at others."""
    result = result_of("source address")
    assert result.exit_code == 0, result.output
    doubtful = [case.name.partition("[")[0] for case in result.cases if "depends on aws:SourceIp" in case.message]
    assert sorted(doubtful) == [
        "test_device_message",
        "test_device_message_in_data_mode",
        "test_message_of_another_device_of_the_team",
        "test_publish_on_a_team_topic_works_again",
    ]


def test_tolerance_fails_exactly_the_derived_trials_that_must_be_refused(result_of):
    result = result_of("tolerant, derived")
    cases = cases_for(tuple(load_profile(account="123456789012").values()), full=False)
    assert derived(result, "failed") == {case.id for case in cases if not case.allowed}
    assert derived(result, "passed") == {case.id for case in cases if case.allowed}


def violations(result: Result) -> set[str]:
    found = [
        case for case in result.cases if "test_violation" in case.properties["transcript"] and case.result != "skipped"
    ]
    assert len(found) >= 16
    return {case.name.partition("[")[0] for case in found}


def test_every_violation_scenario_fails_on_a_tolerant_cloud(result_of):
    result = result_of("tolerant")
    assert result.exit_code == 1
    # That a device is known already shows over HTTPS in the refusal of its publish, so JITP needs a strict cloud too.
    jitp = {
        "test_first_request_starts_it_and_a_later_one_finds_it_done",
        "test_association_needs_the_right_ownership_code",
    }
    assert not_passed(result) == violations(result) | jitp
    another_program = "test_violation_throws_another_program_out"  # its connection is no trial, and has no verdict
    for case in result.cases:
        if case.name.startswith(another_program):
            continue
        if case.result not in ("passed", "skipped") and "jitp" not in case.properties["transcript"]:
            assert case.result == "failed", case
            assert case.properties["verdict"] in ("tolerated", "ignored"), case


def test_refusal_without_hang_up_is_no_policy_disconnect(result_of):
    result = result_of("suback80")
    assert result.exit_code == 1
    # A refused CONNECT is closed by this cloud too.
    at_connect = {
        "test_violation_wrong_client_id",
        "test_violation_own_certificate_with_the_client_id_of_another_device",
    }
    assert not_passed(result) == violations(result) - at_connect
    assert {case.result for case in result.cases} == {"passed", "failed", "skipped"}


def test_three_ways_to_provision_pass_as_three_boards(result_of):
    result = result_of("three ways")
    assert result.exit_code == 0, result.output
    ways = {case.properties["board"]: case.properties for case in result.cases if "certificate_belongs" in case.name}
    assert {board: found["provisioned_by"] for board, found in ways.items()} == {
        "by-device": "device",
        "by-host": "host",
        "by-cloud": "cloud",
    }
    assert "never left" in ways["by-device"]["private_key"]
    assert "exposed" in ways["by-host"]["private_key"]
    assert "nRF Cloud" in ways["by-cloud"]["private_key"]
    assert int(ways["by-cloud"]["jitp_attempts"]) >= 2


def test_a_claimed_board_passes_or_skips_what_needs_mqtt(result_of):
    result = result_of("claimed")
    assert result.exit_code == 0, result.output
    assert "left behind" not in result.output
    (case,) = (case for case in result.cases if "certificate_belongs" in case.name)
    assert case.result == "passed"
    assert (case.properties["provisioned_by"], case.properties["credentials"]) == ("claim", "written")
    assert "ordered by the provisioning service" in case.properties["private_key"]
    skipped = {case.message for case in result.cases if case.result == "skipped"}
    assert "Modem Shell has no MQTT commands" in skipped
    assert all(reason.startswith("Modem Shell ") or "needs a board with" in reason for reason in skipped), skipped


def test_boards_without_mqtt_and_other_chips_pass_or_skip(result_of):
    result = result_of("firmwares")
    assert result.exit_code == 0, result.output
    for board, verdict in (("nrf9160-at-client", "authorised"), ("nrf9161-shell", "authorised")):
        ran = [case for case in result.cases if case.name == f"test_own_record[{board}]" and case.result == "passed"]
        assert [case.properties["verdict"] for case in ran] == [verdict]
    published = [case for case in result.cases if "nrf9161-serial-modem" in case.name and "publish" in case.name]
    others = {(case.result, case.message) for case in published if case.result != "passed"}
    assert others == {("skipped", "Serial Modem 1.0.0 has no MQTT will")}


@pytest.mark.timeout(AT_LAST)
@pytest.mark.parametrize("name", RUNS)
def test_the_verdicts_of_a_run_are_found_again_in_its_files(result_of, name):
    """With no board and no cloud: the same outcomes and the same evidence, for every test that has trials."""
    result = result_of(name)
    judged = judge_run(result.run_folder)
    assert not (*judged.notes, *judged.edited)
    found = {
        (test.board, test.test): " | ".join(
            str(Verdict(one.anew.outcome, one.action, one.anew.evidence, one.attempt)) for one in test.verdicts
        )
        for test in judged.tests
    }
    reported = {
        (entry["board"], entry["test"]): entry["properties"]["evidence"]
        for entry in result.journal
        if set(entry.get("properties", {}).get("verdict", "none").split(", ")) <= set(Outcome)
    }
    # A test that says more than its trials show has words of its own in its evidence.
    worded = {
        (entry["board"], entry["test"])
        for entry in result.journal
        if "verified" in entry.get("properties", {}).get("verdict", "").split(", ")
    }
    assert {key: said for key, said in found.items() if key not in worded} == reported
    assert [test.test for test in judged.tests if test.differing] == []
