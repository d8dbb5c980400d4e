"""Boards that are claimed: the key made over the air, the device in the team, and what is left when it fails."""

from __future__ import annotations

import json

import pytest

from tests.integration.runs import run
from tests.integration.test_cli import journal
from tests.integration.test_cli import lab as lab

WITH_CLIENT = ("--firmware", "shell", "--provisioning")
CLAIM = ("provision", "virtual-1", "--key-origin", "claim")
FILE = """
boards:
  - name: claimed
    virtual: {provisioning: true}
    firmware: shell
    provision: claim
    sec_tags: [16842753, 16842754]
"""


def queued(up):
    return [entry["kind"] for entry in journal(up, "provisioning_command")]


def stored(up):
    """What the board holds in the sec_tags of its boards file."""
    listed = up.run("credentials", "list", "virtual-1").json["credentials"]
    return [item for item in listed if item["sec_tag"] in (16842753, 16842754)]


def test_claimed_then_kept_then_renewed(lab):
    up = lab(*WITH_CLIENT)
    first = up.run(*CLAIM)
    assert first.code == 0, first.err
    assert (first.json["key_origin"], first.json["kept"], first.json["sec_tag"]) == ("claim", False, 16842753)
    assert len(journal(up, "claim")) == 1
    assert queued(up) == ["certificateSigningRequest", "serverCertificate", "clientCertificate"]
    again = up.run(*CLAIM)
    assert (again.code, again.json["kept"]) == (0, True), again.err
    assert again.json["certificate_id"] == first.json["certificate_id"]
    assert len(queued(up)) == 3
    renewed = up.run(*CLAIM, "--reprovision")
    assert renewed.code == 0, renewed.err
    assert (renewed.json["kept"], renewed.json["sec_tag"]) == (False, 16842754)
    assert renewed.json["certificate_id"] != first.json["certificate_id"]
    assert len(journal(up, "claim")) == 1  # it was there, and served
    assert {(item["sec_tag"], item["type"], item["ours"]) for item in stored(up)} == {
        (16842754, kind, True) for kind in (0, 1, 2)
    }
    folder = up.boards_file.parent / ".lab" / "ca" / "boards"
    records = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    assert [record["key_origin"] for record in records] == ["claim"]
    assert "PRIVATE" not in json.dumps(records)


def test_a_shell_without_the_client_is_one_line(lab):
    up = lab("--firmware", "shell")
    done = up.run(*CLAIM)
    assert done.code != 0
    text = done.err + done.out
    assert "the shell has no command 'nrf_provisioning now'" in text
    assert "Traceback" not in text
    assert len(journal(up, "unclaim")) == 1
    assert stored(up) == []


def test_a_firmware_without_a_client_is_one_line(lab):
    up = lab()
    done = up.run(*CLAIM)
    assert done.code != 0
    assert "Serial Modem" in done.err + done.out
    assert "has no client of the provisioning service" in done.err + done.out
    assert journal(up, "claim") == []


@pytest.mark.parametrize("fault", ["no-room-for-certificate", "no-room-for-ca"])
def test_a_board_that_cannot_store_is_given_up_and_its_sec_tag_empty_as_before(lab, fault):
    up = lab(*WITH_CLIENT, "--fault", fault)
    done = up.run(*CLAIM)
    assert done.code != 0
    text = done.err + done.out
    assert "could not carry out" in text
    assert "515" in text
    assert "sec_tag 16842753 is empty as before" in text
    assert len(journal(up, "unclaim")) == 1
    assert stored(up) == []


def test_a_run_gives_up_what_it_claimed(tmp_path):
    tests = """
from harness.credentials import KeyOrigin

def test_claimed(board, provisioned):
    assert provisioned.credentials.key_origin is KeyOrigin.CLAIM
    assert provisioned.device_id in board.cloud.api.made
    assert board.cloud.api.claims.made == {board.opened.identity.device_uuid}

def test_kept(board, provisioned):
    first = provisioned.credentials.certificate_id
    assert board.provision(KeyOrigin.CLAIM, renew=False).credentials.certificate_id == first
    assert board.provision(KeyOrigin.CLAIM).credentials.certificate_id != first
"""
    result = run(tmp_path, FILE, tests)
    assert result.exit_code == 0, result.output
    assert "left behind" not in result.output
    assert result.case("test_claimed").properties["provisioned_by"] == "claim"
