"""The scenarios of firmware that connects by itself: passed on a good cloud, failed where the cloud tolerates all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from harness.report.recorded_verdicts import judge_run
from harness.trial import Outcome
from harness.trial.rejudge import Rejudged
from tests.integration.runs import EARLY, LEAN, TIMEOUT, Result
from tests.integration.warm_start import run_python

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(EARLY)
BOARDS = """
clouds:
  tolerant: {kind: local, on_violation: tolerate}
boards:
  - {name: cloud-client, virtual: {}, firmware: {kind: cloud-library, sample: cloud_client}}
  - {name: asset-tracker, virtual: {}, firmware: {kind: cloud-library, sample: asset_tracker}}
  - {name: asset-tracker-2, virtual: {}, firmware: {kind: cloud-library, sample: asset_tracker_v2}}
  - {name: template, virtual: {}, firmware: {kind: cloud-library, sample: asset_tracker_template}}
  - {name: modem-shell, virtual: {colour: true}, firmware: shell}
  - {name: xnrfcloud, virtual: {}, firmware: serial-modem}
  - {name: tolerant, virtual: {}, cloud: tolerant, firmware: {kind: cloud-library, sample: nrf_cloud_multi_service}}
"""
TESTS = ("tests/scenarios/test_own_connection.py", "tests/scenarios/test_nrf_cloud_commands.py")
GOOD = ("cloud-client", "asset-tracker", "asset-tracker-2", "template", "modem-shell")
CHAINS = {
    "cloud-client": (
        "POLLHUP: 'Socket error: POLLHUP'",
        "CLOSED_BY_REMOTE: 'Connection was closed by the cloud.'",
        "CLOUD_EVT_DISCONNECTED: 'CLOUD_EVT_DISCONNECTED'",
    ),
    "asset-tracker": ("POLLHUP: not visible at this log level", "CLOSED_BY_REMOTE: '[", "CLOUD_EVT_DISCONNECTED: 1'"),
    "asset-tracker-2": ("MQTT input error: -128' stands for it", "CLOSED_BY_REMOTE: not visible at this log level"),
    "template": ("Cloud MQTT input error: -128' stands for it", "CLOSED_BY_REMOTE: not visible at this log level"),
    "modem-shell": (
        "POLLHUP: not visible at this log level",
        "CLOSED_BY_REMOTE: 'nRF Cloud event: NRF_CLOUD_EVT_TRANSPORT_DISCONNECTED, status: 1'",
        "CLOUD_EVT_DISCONNECTED: 'nRF Cloud event: NRF_CLOUD_EVT_TRANSPORT_DISCONNECTED, status: 1'",
    ),
}
"""What each firmware's log shows of the page's chain, in its order."""
PAIRING = "test_violation_pairing_topics_of_another_team"


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "boards.yaml").write_text(BOARDS)
    command = [sys.executable, "-m", "pytest", *TESTS, "-q", "-p", "no:cacheprovider"]
    command += [*LEAN, "--boards", str(folder / "boards.yaml"), "--reports", str(folder / "reports")]
    command += ["--lab-ca", str(folder / "ca"), "--jobs", "2"]  # each more is a second of processor time
    done = run_python(command, ROOT, os.environ, TIMEOUT)
    return Result(folder, done.returncode, done.stdout + done.stderr)


def results(result, name):
    return {case.properties.get("board"): case.result for case in result.cases if case.name.startswith(f"{name}[")}


def test_all_pass_that_the_firmware_can_do(result):
    failed = {(case.name, case.message) for case in result.cases if case.result in ("failed", "error")}
    assert {name for name, _ in failed} == {f"{PAIRING}[tolerant]"}, result.output
    connects = results(result, "test_connects_by_itself")
    assert {connects[name] for name in GOOD} == {"passed"}


def test_a_violation_is_proved_by_whatever_the_firmware_shows(result):
    pairing = results(result, PAIRING)
    pairs = [name for name in GOOD if name != "template"]
    assert {name: pairing[name] for name in pairs} == dict.fromkeys(pairs, "passed")
    assert results(result, "test_violation_message")["template"] == "passed"


def test_a_cloud_that_tolerates_it_is_a_failure(result):
    (case,) = [case for case in result.cases if case.name == f"{PAIRING}[tolerant]"]
    assert case.result == "failed"
    assert "expected policy disconnect, got tolerated" in case.message


def test_the_pages_chain_stands_in_the_transcript(result):
    (run,) = (result.folder / "reports").glob("2*")
    (transcript,) = run.glob(f"transcripts/*{PAIRING}-cloud-client*")
    lines = transcript.read_text().splitlines()
    chain = [
        next(index for index, line in enumerate(lines) if f"cloud-client < {text}" in line)
        for text in ("Socket error: POLLHUP", "Connection was closed by the cloud.", "CLOUD_EVT_DISCONNECTED")
    ]
    assert chain == sorted(chain)


def test_every_verdict_is_judged_anew_from_the_saved_timeline_alone(result):
    """As ``nrf91-harness judge`` does it: the same outcome, and the same evidence."""
    (run,) = (result.folder / "reports").glob("2*")
    judged: dict[str, list[Rejudged]] = {}
    for test in judge_run(run).tests:
        judged.setdefault(test.board, []).extend(test.verdicts)
    assert set(judged) == {*GOOD, "xnrfcloud", "tolerant"}
    assert [one.outcome for one in judged["xnrfcloud"]] == [Outcome.POLICY_DISCONNECT]
    differing = [(name, one.evidence, one.anew.evidence) for name in judged for one in judged[name] if not one.same]
    assert differing == []
    for name in GOOD:
        assert {Outcome.TOLERATED, Outcome.POLICY_DISCONNECT} <= {one.outcome for one in judged[name]}, name
    for name, links in CHAINS.items():
        (provoked,) = [one for one in judged[name] if one.outcome is Outcome.POLICY_DISCONNECT]
        places = [provoked.anew.evidence.find(link) for link in links]
        assert places[0] > -1, (name, provoked.anew.evidence)
        assert places == sorted(places), (name, provoked.anew.evidence)


def test_removing_the_association_is_said_to_end_the_open_connection_or_not(result):
    """The stand-in takes rights at CONNECT, so there the open one stays."""
    said = [
        case.properties.get("evidence", "")
        for case in result.cases
        if case.name.startswith("test_asks_to_be_added") and case.result == "passed"
    ]
    assert said
    assert all("without its association the open connection stayed" in text for text in said)
