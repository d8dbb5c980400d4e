"""Nordic's ``claim_and_provision_device`` (nRF Cloud Utils), unmodified: from a virtual board to a device of a team.

It claims the board by its attestation token, asks for a CSR over the air, signs it with a CA of its own, sends the
certificate the same way, and onboards the device. It looks for results every 5 s, so this takes a while.
"""

import json
import os
import subprocess
import sys
import time

import pytest
import requests

from tests.integration.runs import EARLY
from tests.interop.stand_ins import SEC_TAG, program, run

DEADLINE = 120.0
TOOL = program("claim_and_provision_device")

pytestmark = [
    pytest.mark.skipif(TOOL is None, reason="nrfcloud-utils (PyPI) is not installed"),
    pytest.mark.timeout(EARLY),
]


@pytest.fixture
def ready():
    command = [sys.executable, "-m", "harness.virtual", "--firmware", "shell", "--provisioning", "--time-scale", "0.01"]
    command += ["--proxy", "0", "--die-with-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield json.loads(process.stdout.readline())
        process.stdin.close()
        process.wait(DEADLINE)


def test_a_board_is_claimed_and_provisioned_by_nordics_own_tool(ready, tmp_path):
    board, cloud = ready["boards"][0], ready["cloud"]
    with open(cloud["api_key_file"]) as file:
        key = file.read()
    maker = program("create_ca_cert")
    assert maker
    assert TOOL
    run([maker, "-c", "NO", "-p", str(tmp_path), "-f", "own"])
    (ca,) = tmp_path.glob("*ca.pem")
    (ca_key,) = tmp_path.glob("*prv.pem")
    port = os.path.realpath(board["port"])
    arguments = ["--port", port, "--all", "--cmd-type", "at_shell", "--rtscts-off", "--api-key", key, "--plain"]
    arguments += ["--ca", str(ca), "--ca-key", str(ca_key), "--id-str", "claimed-1", "--sectag", str(SEC_TAG)]
    variables = {"HTTPS_PROXY": cloud["proxy"], "REQUESTS_CA_BUNDLE": cloud["ca"], "NO_PROXY": ""}
    run([TOOL, *arguments], ports=(port,), variables=variables)
    session = requests.Session()
    session.trust_env = False
    session.verify = cloud["ca"]
    session.headers["Authorization"] = f"Bearer {key}"
    assert [one["status"] for one in operations(session, cloud["rest"])] == ["SUCCEEDED"]
    device = session.get(f"{cloud['rest']}/devices/claimed-1", timeout=DEADLINE)
    assert device.json()["firmware"]["supports"] == ["APP", "MODEM"]


def operations(session, rest):
    """Return the bulk operations once they are over; the tool does not wait for that."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        items = session.get(f"{rest}/bulk-ops-requests", timeout=DEADLINE).json()["items"]
        if not any(one["status"] in ("PENDING", "IN_PROGRESS") for one in items):
            return items
    raise AssertionError(items)
