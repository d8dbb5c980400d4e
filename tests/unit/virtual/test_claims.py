"""Claimed boards: what a token allows, what is queued for whom, and what the journal may know."""

import json

import pytest

from harness.virtual.cloud.provisioning.attestation import TrustedIdentities
from harness.virtual.cloud.provisioning.claims import MOST_COMMANDS, Claims, CommandStatus
from harness.virtual.cloud.registry.team import RestRefused

from .attestation_maker import Board
from .cloud_makers import NOON, MemoryJournal


@pytest.fixture
def board():
    return Board()


@pytest.fixture
def journal():
    return MemoryJournal()


@pytest.fixture
def claims(board, journal):
    trusted = TrustedIdentities()
    trusted.trust(board.uuid, board.key.public_key())
    return Claims(trusted, journal, lambda: NOON)


def refused(call, *arguments):
    with pytest.raises(RestRefused) as refusal:
        call(*arguments)
    return refusal.value.status, refusal.value.code


def test_a_claim(claims, board):
    claims.check(board.token())
    device = claims.claim(board.token(), ["a", "b"])
    assert device.item("owner") == {
        "id": str(board.uuid),
        "deviceType": "nRF9151-LACA",
        "ownerId": "owner",
        "ownershipStatus": "CLAIMED",
        "status": "ACTIVE",
        "tags": ["a", "b"],
        "claimedAt": "2030-01-01T12:00:00.000Z",
    }
    assert claims.device(str(board.uuid).upper()) is device


def test_checking_claims_nothing(claims, board):
    claims.check(board.token())
    assert refused(claims.device, str(board.uuid)) == (404, 40410)


def test_tokens_that_claim_nothing(claims, board):
    impostor = Board()
    impostor.uuid = board.uuid  # says that it is the trusted board
    assert refused(claims.claim, "nonsense") == (422, 42200)
    assert refused(claims.claim, Board("unknown").token()) == (403, 40300)
    assert refused(claims.claim, impostor.token()) == (403, 40300)
    claims.claim(board.token())
    assert refused(claims.claim, board.token()) == (409, 40900)
    assert refused(claims.check, board.token()) == (409, 40900)


def test_giving_a_board_up_makes_it_claimable(claims, board):
    claims.claim(board.token())
    claims.unclaim(str(board.uuid))
    assert refused(claims.unclaim, str(board.uuid)) == (404, 40410)
    assert refused(claims.unclaim, "no-uuid") == (404, 40410)
    claims.claim(board.token())


def test_commands_wait_in_order(claims, board):
    device = claims.claim(board.token())
    one = claims.add_command(device, "clientPrivateKeyGeneration", {"secTag": 1}, "first")
    two = claims.add_command(device, "finished", {}, "")
    assert device.commands == [one, two]
    assert claims.command(str(board.uuid), two.command_id) is two
    assert one.item() == {
        "id": one.command_id,
        "description": "first",
        "status": "PENDING",
        "request": {"clientPrivateKeyGeneration": {"secTag": 1}},
        "createdAt": "2030-01-01T12:00:00.000Z",
    }
    assert refused(claims.command, str(board.uuid), "0" * 26) == (404, 40410)


def test_at_most_so_many_commands_wait(claims, board):
    device = claims.claim(board.token())
    for _ in range(MOST_COMMANDS):
        claims.add_command(device, "finished", {}, "")
    assert refused(claims.add_command, device, "finished", {}, "") == (422, 42200)
    device.commands[0].status = CommandStatus.SUCCEEDED
    claims.add_command(device, "finished", {}, "")


def test_rules_queue_their_commands_for_boards_with_their_tags(claims, board):
    commands = [("clientPrivateKeyGeneration", {"secTag": 7}), ("finished", {})]
    claims.add_rule("rule", active=True, tags=["t"], commands=commands)
    claims.add_rule("off", active=False, tags=["t"], commands=commands)
    claims.add_rule("other", active=True, tags=["u"], commands=commands)
    device = claims.claim(board.token(), ["t"])
    assert [(command.kind, command.description) for command in device.commands] == [
        ("clientPrivateKeyGeneration", "rule"),
        ("finished", "rule"),
    ]
    claims.unclaim(str(board.uuid))
    assert claims.claim(board.token()).commands == []


def test_the_journal_holds_no_token(claims, board, journal):
    token = board.token()
    claims.claim(token)
    refused(claims.claim, token)
    refused(claims.claim, Board("unknown").token())
    assert [entry["event"] for entry in journal.entries] == ["claim", "claim_refused"]
    assert token.partition(".")[2] not in json.dumps(journal.entries)
