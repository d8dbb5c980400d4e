"""schemathesis over the document that the stand-in serves: every operation, valid and invalid data, one run per caller.

``test_rest_robustness.py`` runs a little of it; all of it by hand: ``python -m tests.integration.schema_run``.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import jwt
import requests
from cryptography.hazmat.primitives import serialization

from tests.integration.cloud_lab import Identity
from tests.unit.virtual.cloud_makers import make_archive

DEADLINE = 60.0
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
CALLERS = ("team", "device", "service")
_CASES = re.compile(r"(\d+) generated, (\d+) passed")


class Account:
    """An account with something in it, so that not everything is answered 404."""

    def __init__(self, cloud):
        self.url, self.ca = cloud["rest"], cloud["ca"]
        self.key = Path(cloud["api_key_file"]).read_text()
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = self.ca
        identity = Identity("dev-1")
        body = {"certificate": identity.certificate_pem, "supportedFirmwareTypes": ["APP"], "tags": ["t"]}
        self.call("POST", "/devices/dev-1", json=body)
        key: Any = serialization.load_pem_private_key(identity.private_key_pem.encode(), None)
        self.tokens = {
            "team": self.key,
            "device": jwt.encode({"sub": "dev-1"}, key, algorithm="ES256"),
            "service": self.call("POST", "/account/service-key-and-token").json()["token"],
        }
        self.call("POST", "/firmwares", data=make_archive(), headers={"Content-Type": "application/zip"})
        bundle = self.call("GET", "/firmwares").json()["items"][0]["bundleId"]
        job = self.call("POST", "/fota-jobs", json={"bundleId": bundle, "deviceIds": ["dev-1"]}).json()["jobId"]
        self.call("POST", "/devices/dev-1/messages", json={"message": {"appId": "ALERT"}})
        alert = self.call("GET", "/alerts").json()["items"][0]["id"]
        self.known = {"deviceId": "dev-1", "bundleId": bundle, "jobId": job, "id": alert}

    def call(self, method, path, **arguments):
        headers = {"Authorization": f"Bearer {self.key}", **arguments.pop("headers", {})}
        answer = self.session.request(method, self.url + path, headers=headers, timeout=DEADLINE, **arguments)
        assert answer.ok, (path, answer.text)
        return answer

    def document(self):
        """Return the document, with names of what there is beside those that schemathesis makes up."""
        document = self.call("GET", "/openapi.json").json()
        for path, methods in document["paths"].items():
            for operation in methods.values():
                for one in operation.get("parameters", ()):
                    # deleting the only device would leave the rest with 404s
                    known = self.known.get(one["name"]) if one["in"] == "path" and path.count("/") > 2 else None
                    if known:
                        one["schema"] = {"anyOf": [one["schema"], {"type": "string", "enum": [known]}]}
        return document


def run(account, folder, token, *options):
    """Run schemathesis as one caller; return the number of cases, all of which passed."""
    document = Path(folder) / "document.json"
    document.write_text(json.dumps(account.document()))
    program = Path(sys.executable).parent / "schemathesis"
    command = [
        *(program, "run", document, "--url", account.url, "--tls-verify", account.ca, "--mode", "all", "--no-color"),
        *("-H", f"Authorization: Bearer {token}", "--exclude-by", "/x-simulated == false", "--continue-on-failure"),
        *("-c", CHECKS, "--warnings", "off", *options),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, check=False, env={**os.environ, "NO_PROXY": "*"}
    )
    cases = _CASES.search(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert cases is not None, done.stdout
    assert cases[1] == cases[2], done.stdout
    return int(cases[1])


def try_out(callers, *options):
    """Start stand-ins, run schemathesis as each of ``callers``; return cases by caller, and standard error."""
    command = [sys.executable, "-m", "harness.virtual", "--boards", "0", "--die-with-stdin"]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process:
            account = Account(json.loads(process.stdout.readline())["cloud"])
            cases = {name: run(account, folder, account.tokens[name], *options) for name in callers}
        errors.seek(0)
        return cases, errors.read()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=20, help="cases of each kind for each operation")
    options = parser.parse_args()
    started = time.monotonic()
    phases = "examples,coverage,fuzzing,stateful"
    cases, errors = try_out(CALLERS, "--phases", phases, "--max-examples", str(options.examples))
    print(f"{sum(cases.values())} cases {cases} in {time.monotonic() - started:.0f} s, all passed")
    print(f"standard error: {errors or 'nothing'}")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
