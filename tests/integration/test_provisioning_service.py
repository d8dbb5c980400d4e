"""The claim service as tools and boards see it, through the proxy and under its own name."""

import cbor2
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.integration.cloud_clients import proxy_of, tool
from tests.integration.cloud_lab import running_cloud
from tests.unit.virtual.attestation_maker import Board

TEAM = "https://api.provisioning.nrfcloud.com/v1/"
BOARD = "https://provisioning-http.nrfcloud.com/v1/provisioning/"
TAG = 16842753


class Service:
    """Calls as nRF Cloud Utils makes them, and as a board makes them."""

    def __init__(self, lab, call):
        self.lab, self.call, self.board = lab, call, Board()
        self.auth = {"Authorization": f"Bearer {lab.cloud.api_key}"}
        lab.call(lab.cloud.identities.trust, self.board.uuid, self.board.key.public_key())

    def team(self, method, path, **arguments):
        headers = {**self.auth, **arguments.pop("headers", {})}
        return self.call(method, TEAM + path, headers=headers, **arguments)

    def claim(self, **members):
        return self.team("POST", "claimed-devices", json={"claimToken": self.board.token(), **members})

    def jwt(self, board=None):
        board = board or self.board
        pem = board.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return jwt.encode({"iss": f"nRF9151.{board.uuid}"}, pem, algorithm="ES256")

    def commands(self, **query):
        headers = {"Authorization": f"Bearer {self.jwt()}", "Accept": "application/cbor"}
        answer = self.call("GET", f"{BOARD}commands", params=query, headers=headers)
        return cbor2.loads(answer.content) if answer.status_code == 200 else answer.status_code

    def respond(self, answers, content_type="application/cbor"):
        headers = {"Authorization": f"Bearer {self.jwt()}", "Content-Type": content_type}
        body = answers if isinstance(answers, bytes) else cbor2.dumps(answers)
        return self.call("POST", f"{BOARD}response", data=body, headers=headers).status_code

    def queue(self, **request):
        path = f"claimed-devices/{self.board.uuid}/provisioning"
        answer = self.team("POST", path, json={"description": "d", "request": request})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def command(self, command_id):
        return self.team("GET", f"claimed-devices/{self.board.uuid}/provisioning/{command_id}").json()


@pytest.fixture
def service(tmp_path, monkeypatch):
    with running_cloud(tmp_path) as lab, proxy_of(lab) as port:
        yield Service(lab, tool(lab, port, monkeypatch))


def test_claiming_and_giving_up(service):
    """can_device_be_claimed, claim_device, unclaim_device."""
    uuid_ = service.board.uuid
    assert service.team("DELETE", f"claimed-devices/{uuid_}").status_code == 404
    dry = service.team("POST", "claimed-devices?dryrun=true", json={"claimToken": service.board.token()})
    assert (dry.status_code, dry.text) == (202, "")
    claimed = service.claim(tags=["a,b"])
    assert claimed.status_code == 201
    assert claimed.json()["id"] == str(uuid_)
    assert claimed.json()["tags"] == ["a", "b"]
    assert claimed.json()["ownerId"] == service.lab.cloud.team.tenant_id
    assert service.team("GET", f"claimed-devices/{uuid_}").json() == claimed.json()
    assert service.team("GET", "claimed-devices?pageLimit=100").json()["items"] == [claimed.json()]
    again = service.team("POST", "claimed-devices?dryrun=true", json={"claimToken": service.board.token()})
    assert again.status_code == 409
    assert "is claimed already" in again.json()["message"]
    assert service.team("DELETE", f"claimed-devices/{uuid_}").status_code == 204
    assert service.team("GET", f"claimed-devices/{uuid_}").status_code == 404
    assert service.team("GET", "claimed-devices").json()["items"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"claimToken": "x"}, 422),
        ({"claimToken": 5}, 422),
        ({}, 422),
        ([], 422),
        ({"claimToken": Board("unknown").token()}, 403),
        ({"claimToken": "x", "tags": "t"}, 422),
        ({"claimToken": "x", "tag": ["t"]}, 422),
    ],
)
def test_refused_claims(service, body, status):
    answer = service.team("POST", "claimed-devices", json=body)
    assert answer.status_code == status
    assert answer.json().keys() == {"code", "message"}


def test_every_call_of_a_team_needs_its_key(service):
    for method, path in [("POST", "claimed-devices"), ("GET", "provisioning-rules"), ("GET", "nothing")]:
        for header in ({"Authorization": None}, {"Authorization": f"Bearer {service.jwt()}"}):
            assert service.team(method, path, headers=header).status_code == 401
    assert service.team("GET", "nothing").status_code == 404


def test_claiming_by_csv(service):
    """bulk_claim_devices: the body's type is in a header field that is called contentType."""
    other = Board("two")
    service.lab.call(service.lab.cloud.identities.trust, other.uuid, other.key.public_key())
    rows = f'"{service.board.token()}","a,b"\n"{Board("unknown").token()}"\n"{other.token()}"\n"x","y","z"\n'
    answer = service.team("POST", "claimed-devices", data=rows, headers={"contentType": "text/csv"})
    assert answer.status_code == 200
    assert answer.json()["claimedIds"] == [str(service.board.uuid), str(other.uuid)]
    assert [one["row"] for one in answer.json()["failed"]] == [1, 3]
    again = service.team("POST", "claimed-devices", data=rows, headers={"Content-Type": "text/csv"})
    assert again.status_code == 422
    assert again.json()["claimedIds"] == []
    service.team("DELETE", f"claimed-devices/{other.uuid}")
    one = service.team("POST", "claimed-devices", data=f'"{other.token()}"\n', headers={"contentType": "text/csv"})
    assert (one.status_code, one.json()["claimedIds"]) == (201, [str(other.uuid)])


@pytest.mark.parametrize("body", [b"", b'"a', b"\xff\xfe,", b"x\n" * 1001])
def test_a_csv_that_is_none(service, body):
    answer = service.team("POST", "claimed-devices", data=body, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 422


def test_rules_and_tags(service):
    """ensure_nrfcloud_provisioning_rule, then a claim with its tag."""
    name = "nrf-cloud-onboarding"
    assert service.team("GET", "provisioning-rules").json() == {"items": []}
    assert service.team("POST", "provisioning/tags", json={"tag": name, "description": "x"}).status_code == 201
    assert service.team("GET", "provisioning/tags").json()["items"] == [{"tag": name, "description": "x"}]
    commands = [
        {"request": {"clientPrivateKeyGeneration": {"secTag": TAG}}},
        {"request": {"cloudAccessKeyGeneration": {"secTag": TAG}}},
        {"request": {"serverCertificate": {"secTag": TAG, "content": service.lab.cloud.root_pem}}},
    ]
    rule = {"name": "nRF Cloud Onboarding", "description": "x", "active": True, "commands": commands, "tags": [name]}
    assert service.team("POST", "provisioning-rules", json=rule).status_code == 201
    assert service.team("GET", "provisioning-rules").json()["items"][0]["tags"] == [name]
    assert service.claim(tags=[name]).status_code == 201
    assert [command[2] for command in service.commands()] == ["AT%KEYGEN", "AT%KEYGEN", "AT%CMNG"]
    for broken in ({**rule, "commands": {}}, {**rule, "commands": [{"request": {}}]}, {**rule, "active": "yes"}):
        assert service.team("POST", "provisioning-rules", json=broken).status_code == 422


def test_a_signing_request_from_the_team_to_the_board_and_back(service):
    """claim_and_provision_device, with the board's side of it."""
    assert service.claim().status_code == 201
    csr = service.queue(certificateSigningRequest={"attributes": "CN=x", "keyUsage": "101010000", "secTag": TAG})
    assert service.command(csr)["status"] == "PENDING"
    assert service.commands() == [[csr, 0, "AT%KEYGEN", f'{TAG},2,0,"CN=x","101010000"', []]]
    assert service.command(csr)["status"] == "IN_PROGRESS"
    assert service.respond([[csr, 100, '%KEYGEN: "body.cose"']]) == 200
    found = service.command(csr)
    assert (found["status"], found["response"]) == ("SUCCEEDED", {"certificateSigningRequest": {"csr": "body.cose"}})
    pem = service.lab.cloud.root_pem
    certificate = service.queue(clientCertificate={"content": pem, "secTag": TAG})
    end = service.queue(finished={})
    assert service.commands(after=csr, limit=1) == [[certificate, 0, "AT%CMNG", f'0,{TAG},1,"{pem}"', []]]
    assert service.commands(after=certificate) == [[end, 2]]
    assert service.respond([[certificate, 99, 518, "active"], [end, 102]]) == 200
    assert service.command(certificate)["status"] == "FAILED"
    assert service.commands() == 204


def test_who_may_fetch_commands(service):
    def status(token):
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return service.call("GET", f"{BOARD}commands", headers=headers).status_code

    assert status(None) == 401
    assert status(service.jwt()) == 403  # not claimed
    service.claim()
    assert status(service.jwt()) == 204
    assert status(service.jwt()[:-4] + "AAAA") == 403
    assert status(service.jwt(Board("unknown"))) == 403
    impostor = Board("other key")
    impostor.uuid = service.board.uuid
    assert status(service.jwt(impostor)) == 403
    assert status(service.lab.cloud.api_key) == 403


def test_answers_that_are_none(service):
    service.claim()
    command = service.queue(finished={})
    assert service.respond([[command, 102]], content_type="application/json") == 415
    for body in (b"", b"\xff", b"\x05", cbor2.dumps([[]]), cbor2.dumps([[command, 7]]), cbor2.dumps([5])):
        assert service.respond(body) == 400
    assert service.respond([["0" * 26, 102]]) == 404
    assert service.command(command)["status"] == "PENDING"


def test_requests_for_commands_that_are_refused(service):
    path = f"claimed-devices/{service.board.uuid}/provisioning"
    assert service.team("POST", path, json={"request": {"finished": {}}}).status_code == 404
    service.claim()
    for body in (
        {},
        {"request": {}},
        {"request": {"finished": {}}, "more": 1},
        {"request": {"finished": {}}, "description": 5},
    ):
        assert service.team("POST", path, json=body).status_code == 422
    for index in range(21):
        answer = service.team("POST", path, json={"request": {"finished": {}}})
        assert answer.status_code == (201 if index < 20 else 422)
    assert service.team("GET", f"{path}/unknown").status_code == 404


def test_no_token_is_written_down(service):
    token = service.board.token()
    service.team("POST", "claimed-devices", json={"claimToken": token})
    service.commands()
    text = repr(service.lab.journal.events)
    assert str(service.board.uuid) in text
    assert token.partition(".")[2] not in text
    assert service.jwt().partition(".")[2].partition(".")[0] not in text
