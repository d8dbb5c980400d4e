"""The scenarios of firmware that connects by itself: passed on a good cloud, failed where the cloud tolerates all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.runs import LEAN, TIMEOUT, Result

ROOT = Path(__file__).parents[2]
BOARDS = """
clouds:
  tolerant: {kind: local, on_violation: tolerate}
boards:
  - {name: cloud-client, virtual: {}, firmware: {kind: cloud-library, sample: cloud_client}}
  - {name: asset-tracker-2, virtual: {}, firmware: {kind: cloud-library, sample: asset_tracker_v2}}
  - {name: template, virtual: {}, firmware: {kind: cloud-library, sample: asset_tracker_template}}
  - {name: modem-shell, virtual: {colour: true}, firmware: shell}
  - {name: tolerant, virtual: {}, cloud: tolerant, firmware: {kind: cloud-library, sample: nrf_cloud_multi_service}}
"""
GOOD = ("cloud-client", "asset-tracker-2", "template", "modem-shell")
PAIRING = "test_violation_pairing_topics_of_another_team"


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "boards.yaml").write_text(BOARDS)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "tests/scenarios/test_own_connection.py", "-q", "-p", "no:cacheprovider"),
            *(*LEAN, "--boards", str(folder / "boards.yaml"), "--reports", str(folder / "reports")),
            *("--lab-ca", str(folder / "ca")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
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
    assert [pairing[name] for name in ("cloud-client", "asset-tracker-2", "modem-shell")] == ["passed"] * 3
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
