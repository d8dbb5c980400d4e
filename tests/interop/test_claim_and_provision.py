"""Nordic's ``claim_and_provision_device`` (nRF Cloud Utils), unmodified: from a virtual board to a device of a team.

It claims the board by its attestation token, asks for a CSR over the air, signs it with a CA of its own, sends the
certificate the same way, and onboards the device. It looks for results every 5 s, so this takes a while.
"""

import json
import os
import subprocess
import sys

import pytest
import requests

from tests.interop.stand_ins import SEC_TAG, program, run

DEADLINE = 120.0
TOOL = program("claim_and_provision_device")

pytestmark = pytest.mark.skipif(TOOL is None, reason="nrfcloud-utils (PyPI) is not installed")


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
    proxy = cloud["proxy"] if str(cloud["proxy"]).startswith("http") else f"http://127.0.0.1:{cloud['proxy']}"
    variables = {"HTTPS_PROXY": proxy, "REQUESTS_CA_BUNDLE": cloud["ca"], "NO_PROXY": ""}
    run([TOOL, *arguments], ports=(port,), variables=variables)
    headers = {"Authorization": f"Bearer {key}"}
    answer = requests.get(f"{cloud['rest']}/bulk-ops-requests", headers=headers, verify=cloud["ca"], timeout=DEADLINE)
    assert [one["status"] for one in answer.json()["items"]] == ["SUCCEEDED"]
    device = requests.get(f"{cloud['rest']}/devices/claimed-1", headers=headers, verify=cloud["ca"], timeout=DEADLINE)
    assert device.json()["firmware"]["supports"] == ["APP", "MODEM"]
