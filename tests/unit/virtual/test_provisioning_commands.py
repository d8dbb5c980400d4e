"""Provisioning commands: what a team may ask for, what the board reads, what its answer becomes."""

import pytest

from harness.virtual.cloud.provisioning.claims import CommandStatus, ProvisioningCommand
from harness.virtual.cloud.provisioning.commands import read_request, take_answer, to_wire
from harness.virtual.cloud.registry.team import RestRefused

from .cloud_makers import NOON

TAG = 16842753
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def command(kind, **details):
    return ProvisioningCommand("id-1", "", *read_request({kind: details}), NOON)


@pytest.mark.parametrize(
    ("asked", "wire"),
    [
        (
            command("certificateSigningRequest", secTag=TAG, attributes="CN=x", keyUsage="101010000"),
            ["AT%KEYGEN", f'{TAG},2,0,"CN=x","101010000"'],
        ),
        (command("certificateSigningRequest", secTag=TAG), ["AT%KEYGEN", f"{TAG},2,0"]),
        (
            command("certificateSigningRequest", secTag=TAG, attributes="", keyUsage="101010000"),
            ["AT%KEYGEN", f'{TAG},2,0,"","101010000"'],
        ),
        (command("clientCertificate", secTag=TAG, content=PEM), ["AT%CMNG", f'0,{TAG},1,"{PEM}"']),
        (command("serverCertificate", secTag=TAG, content=PEM), ["AT%CMNG", f'0,{TAG},0,"{PEM}"']),
        (command("clientPrivateKeyGeneration", secTag=TAG), ["AT%KEYGEN", f"{TAG},2,0"]),
        (command("cloudAccessKeyGeneration", secTag=TAG), ["AT%KEYGEN", f"{TAG},2,1"]),
    ],
)
def test_commands_become_at_commands(asked, wire):
    assert to_wire(asked) == ["id-1", 0, *wire, []]


def test_the_last_command():
    assert to_wire(command("finished")) == ["id-1", 2]


@pytest.mark.parametrize(
    "request_",
    [
        None,
        {},
        {"finished": {}, "clientCertificate": {}},
        {"reboot": {}},
        {"finished": {"secTag": 1}},
        {"finished": []},
        {"clientPrivateKeyGeneration": {}},
        {"clientPrivateKeyGeneration": {"secTag": "1"}},
        {"clientPrivateKeyGeneration": {"secTag": True}},
        {"clientPrivateKeyGeneration": {"secTag": -1}},
        {"clientPrivateKeyGeneration": {"secTag": 2**32}},
        {"clientCertificate": {"secTag": 1}},
        {"clientCertificate": {"secTag": 1, "content": 5}},
        {"clientCertificate": {"secTag": 1, "content": 'x",2'}},
        {"certificateSigningRequest": {"secTag": 1, "keyUsage": "2"}},
        {"certificateSigningRequest": {"secTag": 1, "attributes": 'CN="x"'}},
    ],
)
def test_requests_that_are_refused(request_):
    with pytest.raises(RestRefused) as refusal:
        read_request(request_)
    assert (refusal.value.status, refusal.value.code) == (422, 42200)


@pytest.mark.parametrize("text", ['%KEYGEN: "abc.def"', '%KEYGEN: "abc.def"\r\nOK\r\n', "abc.def"])
def test_a_signing_request_comes_back_as_tools_parse_it(text):
    asked = command("certificateSigningRequest", secTag=TAG)
    take_answer(asked, [100, text])
    assert (asked.status, asked.response) == (
        CommandStatus.SUCCEEDED,
        {"certificateSigningRequest": {"csr": "abc.def"}},
    )


def test_other_answers():
    asked = command("clientPrivateKeyGeneration", secTag=TAG)
    take_answer(asked, [99, 519, "exists"])
    assert asked.status is CommandStatus.FAILED
    assert asked.response == {"clientPrivateKeyGeneration": {"cmeError": 519, "message": "exists"}}
    take_answer(asked, [100, "OK"])
    assert asked.response == {"clientPrivateKeyGeneration": {"message": "OK"}}
    done = command("finished")
    take_answer(done, [102])
    assert (done.status, done.response) == (CommandStatus.SUCCEEDED, {"finished": {}})


@pytest.mark.parametrize("answer", [[], [98, "x"], [99, "x"], [100], [100, 5], [101, "x"], "100"])
def test_what_is_no_answer(answer):
    asked = command("finished")
    with pytest.raises(ValueError, match="an answer is"):
        take_answer(asked, answer)
    assert asked.status is CommandStatus.PENDING
