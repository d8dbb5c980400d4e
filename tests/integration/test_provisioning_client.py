"""A virtual board that is provisioned over the air: claimed, it fetches commands, carries them out, reports."""

import json
import time

import pytest
import requests
import serial

from tests.integration.test_commands import BOARD
from tests.integration.test_virtual_process import stand_ins
from tests.unit.virtual.cloud_makers import certificate_pem

DEADLINE = 60.0
TAG = 16842753
PROMPT = b"mosh:~$ "


class Service:
    """The team's side: REST of the claim service, and the board's shell."""

    def __init__(self, ready):
        self.board, cloud = ready["boards"][0], ready["cloud"]
        self.journal = ready["journal"]
        self.url = cloud["provisioning"]
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = cloud["ca"]
        with open(cloud["api_key_file"]) as file:
            self.session.headers["Authorization"] = f"Bearer {file.read()}"
        self.uuid = self.board["device_uuid"]
        self.port = serial.Serial(self.board["port"], 115200, timeout=DEADLINE)

    def ask(self, line):
        """Type a line into the shell; return what comes up to its OK or ERROR."""
        self.port.write(line.encode() + b"\r")
        heard = b""
        while not heard.endswith((b"OK\r\n" + PROMPT, b"ERROR\r\n" + PROMPT)) and b"+CME ERROR" not in heard:
            more = self.port.read_until(PROMPT)
            assert more.endswith(PROMPT), heard + more
            heard += more
        return heard.decode()

    def heard(self, text):
        """Wait until the shell says this."""
        heard = self.port.read_until(text.encode())
        assert heard.endswith(text.encode()), heard

    def call(self, method, path, expected, **arguments):
        answer = self.session.request(method, f"{self.url}{path}", timeout=DEADLINE, **arguments)
        assert answer.status_code == expected, answer.text
        return answer.json() if answer.content else None

    def claim(self):
        token = self.ask("at AT%ATTESTTOKEN").split('"')[1]
        self.call("POST", "/claimed-devices", 201, json={"claimToken": token})

    def queue(self, **request):
        path = f"/claimed-devices/{self.uuid}/provisioning"
        return self.call("POST", path, 201, json={"description": "", "request": request})["id"]

    def done(self, command_id):
        """Return the command once the board has answered it."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            command = self.call("GET", f"/claimed-devices/{self.uuid}/provisioning/{command_id}", 200)
            if command["status"] not in ("PENDING", "IN_PROGRESS"):
                return command
        raise AssertionError(command)


@pytest.fixture
def service():
    options = ("--firmware", "shell", "--provisioning", "--time-scale", str(BOARD["time_scale"]))
    with stand_ins(*options) as (_, ready):
        service = Service(ready)
        yield service
        service.port.close()


def test_a_board_that_is_not_claimed_says_so_and_goes_on(service):
    service.heard("nrf_provisioning: Provisioning ends: the service answers 403")
    assert "OK" in service.ask("at AT")


def test_from_claim_to_certificate(service):
    service.heard("Provisioning ends")
    service.claim()
    signing = service.queue(certificateSigningRequest={"secTag": TAG, "attributes": "CN=dev-1"})
    service.port.write(b"nrf_provisioning now\r")
    service.heard("nrf_provisioning: Externally initiated provisioning")
    command = service.done(signing)
    assert command["status"] == "SUCCEEDED"
    assert command["response"]["certificateSigningRequest"]["csr"].count(".") == 1
    service.heard("No more commands")
    written = service.queue(clientCertificate={"secTag": TAG, "content": certificate_pem("dev-1")})
    finished = service.queue(finished={})
    service.port.write(b"kernel reboot warm\r")  # the client runs after a boot too
    assert service.done(written)["status"] == "SUCCEEDED"
    assert service.done(finished)["status"] == "SUCCEEDED"
    service.heard("No more commands")
    listed = service.ask(f"at AT%CMNG=1,{TAG}")
    assert [f"%CMNG: {TAG},{kind}," in listed for kind in (0, 1, 2)] == [False, True, True]


def test_more_commands_than_fit_in_one_answer(service):
    service.heard("Provisioning ends")
    service.claim()
    commands = [service.queue(clientPrivateKeyGeneration={"secTag": tag}) for tag in range(1, 8)]
    service.port.write(b"nrf_provisioning now\r")
    assert [service.done(command)["status"] for command in commands] == ["SUCCEEDED"] * 7


def test_what_the_modem_refuses_is_reported(service):
    service.heard("Provisioning ends")
    service.claim()
    first = service.queue(clientPrivateKeyGeneration={"secTag": TAG})
    again = service.queue(clientPrivateKeyGeneration={"secTag": TAG})
    service.port.write(b"nrf_provisioning now\r")
    assert service.done(first)["status"] == "SUCCEEDED"
    failed = service.done(again)
    assert (failed["status"], failed["response"]["clientPrivateKeyGeneration"]["cmeError"]) == ("FAILED", 519)


def test_the_journal_knows_who_asked(service):
    service.heard("Provisioning ends")
    with open(service.journal) as file:
        entries = [json.loads(line) for line in file]
    assert {"GET /v1/provisioning/commands 403"} == {
        f"{entry['method']} {entry['path']} {entry['status']}"
        for entry in entries
        if entry["event"] == "provisioning_service"
    }
