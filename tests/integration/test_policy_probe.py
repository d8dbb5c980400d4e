"""``policy probe`` through a pty, real MQTT and the stand-ins."""

from __future__ import annotations

import json
import os
import shutil
import sys

import pytest

from harness.policy import profile_folder
from tests.integration.runs import EARLY
from tests.integration.warm_start import run_python

pytestmark = pytest.mark.timeout(EARLY)
BOARDS = """\
verdicts: {confidence: 1.0e-2}  # a quick look, on a link that nothing disturbs
clouds:
  page: {kind: local}
  drifted: {kind: local, enforces: [drifted/provisioned.json, drifted/associated.json]}
  suback80: {kind: local, on_violation: suback80}
boards:
  - {name: v, virtual: {}}
"""


@pytest.fixture
def probe(tmp_path):
    """Probe a cloud and return exit code and JSON."""
    (tmp_path / "boards.yaml").write_text(BOARDS)
    (tmp_path / "drifted").mkdir()
    for name in ("provisioned", "associated"):
        shutil.copy(profile_folder("page") / f"{name}.json", tmp_path / "drifted")

    def run(cloud):
        options = ["--boards", "boards.yaml", "--lab-ca", "ca", "--cloud", cloud, "--json"]
        command = [sys.executable, "-m", "harness.cli", "policy", "probe", "v", *options]
        done = run_python(command, tmp_path, os.environ, 120)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    return run


def drift(tmp_path, name, change):
    text = (profile_folder("page") / f"{name}.json").read_text()
    assert change(text) != text
    (tmp_path / "drifted" / f"{name}.json").write_text(change(text))


def test_a_cloud_as_the_documents_say(tmp_path, probe):
    drift(tmp_path, "associated", lambda text: text.replace("/m/*", "/m/d/*"))
    code, data = probe("page")
    assert (code, data["ok"], data["changes"], data["never_hung_up"]) == (0, True, [], {})
    assert (data["lacks"], data["gained"], data["stayed"]) == ([], [], [])
    assert data["profiles_that_fit"] == ["page"]
    assert data["changes_excluded"] > 150
    assert all(trial["found"] is not None and not trial["differs"] for trial in data["trials"])


def test_statements_that_a_cloud_lacks_or_has_gained(tmp_path, probe):
    # The right to publish on m/ is lost, that of current firmware to publish on its own shadow is there.
    drift(
        tmp_path,
        "associated",
        lambda text: text.replace(":topic/prod/${iot:Connection.Thing.Attributes[tenantId]}/m/", ":topic/prod/x/m/"),
    )
    drift(tmp_path, "provisioned", lambda _: (profile_folder("current") / "provisioned.json").read_text())
    code, data = probe("drifted")
    assert (code, data["ok"]) == (1, False)
    (lacking,) = data["lacks"]
    assert (lacking["statement"], lacking["trial"]) == (
        "associated statement 2",
        "associated-publish-prod/{tenant}/m/test",
    )
    assert {(one["statement"], one["trial"]) for one in data["gained"]} == {
        ("provisioned statement 3", f"associated-publish-{{device}}/shadow/{name}")
        for name in ("update", "get/trim", "get/tf")
    }
    changes = [change for group in data["changes"] for change in group]
    assert (
        "associated statement 2: resource topic/prod/${iot:Connection.Thing.Attributes[tenantId]}/m/* dropped"
        in changes
    )
    assert sum("as in profile current" in change for change in changes) == 3
    assert data["profiles_that_fit"] == []


def test_a_cloud_that_refuses_without_hanging_up(tmp_path, probe):
    """It grants nothing that the documents do not, and no statement of them is to blame."""
    drift(tmp_path, "associated", lambda text: text.replace("/m/*", "/m/d/*"))
    code, data = probe("suback80")
    assert (code, data["ok"], data["lacks"], data["gained"], data["changes"]) == (1, False, [], [], [])
    refused = [one for one in data["trials"] if not one["allowed"]]
    assert refused
    assert [one["trial"] for one in data["stayed"]] == [one["id"] for one in refused]
    assert {one["statement"] for one in data["stayed"]} == {None}
    counts = {"publishes": "-publish-", "subscriptions": "-subscribe-"}
    assert data["never_hung_up"] == {kind: sum(word in one["id"] for one in refused) for kind, word in counts.items()}
    assert data["profiles_that_fit"] == []
    assert not [one for one in data["trials"] if one["found"] == "inconclusive"]


def test_a_cloud_that_lets_the_device_not_even_connect(tmp_path, probe):
    drift(tmp_path, "provisioned", lambda text: text.replace("iot:Connect", "iot:Nothing"))
    code, data = probe("drifted")
    assert (code, data["ok"]) == (1, False)
    assert [one["statement"] for one in data["lacks"]] == ["provisioned statement 1"]
    assert {trial["evidence"] for trial in data["trials"][1:]} == {"not run: the device may not even connect"}


def test_a_right_that_others_rest_on_is_lacking_once(tmp_path, probe):
    """Without the right to ask for the shadow its answer cannot be made to come: that is no second thing lacking."""
    drift(tmp_path, "provisioned", lambda text: text.replace('/shadow/get"', '/shadow/none"'))
    code, data = probe("drifted")
    assert code == 1
    assert [one["statement"] for one in data["lacks"]] == ["provisioned statement 3"]
    assert {change.partition(":")[0] for group in data["changes"] for change in group} == {"provisioned statement 3"}
