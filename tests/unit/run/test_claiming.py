"""What is asked of the provisioning service and of the board's client, in which order, and when it goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from harness.cloud import CommandState, RestError
from harness.errors import CloudUnreachable, Misuse
from harness.firmware import Capability, Firmware
from harness.modem import CredentialKind, KeygenMismatch
from harness.run import claiming
from harness.run.claiming import Claiming, CommandFailed, NotCarriedOut
from harness.run.repetition import Rounds
from tests.unit.modem.keygen_maker import DEVICE_UUID, make_keygen

SHELL = Firmware("AT shell", capabilities=frozenset({Capability.AT, Capability.PROVISIONING}))
NOT_FOUND = RestError("POST", "/claimed-devices/x/provisioning", 404, 40410, "not claimed", attempts=1)
CLAIMED = RestError("POST", "/claimed-devices", 409, None, "claimed already", attempts=1)
CONTENTS = {int(CredentialKind.ROOT_CA): "ROOT", int(CredentialKind.CLIENT_CERT): "LEAF"}


@dataclass
class Claims:
    """``states``: what the service says of commands, in order, and then that they succeeded."""

    log: list[str]
    refused: RestError | None = None
    queue_error: Exception | None = None
    states: list[CommandState] = field(default_factory=list)
    csr: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)

    def claim(self, token, device_uuid):
        self.log.append(f"claim {token} {device_uuid == DEVICE_UUID}")
        return self.refused

    def queue(self, _uuid, _why, request):
        if self.queue_error is not None:
            raise self.queue_error
        self.asked.append(request)
        (kind,) = request
        self.log.append(f"queue {kind}")
        return kind

    def state(self, _uuid, command_id):
        if self.states:
            return self.states.pop(0)
        return CommandState("SUCCEEDED", {command_id: {"csr": self.csr}})

    def unclaim(self, _uuid):
        self.log.append("unclaim")
        return True


@pytest.fixture
def lab(monkeypatch):
    log: list[str] = []
    claims = Claims(log, csr=make_keygen(7, common_name="dev-1").strip('"'))
    modem = SimpleNamespace(
        attestation_token=lambda: SimpleNamespace(token="TOKEN"), register=lambda: log.append("register")
    )
    board: Any = SimpleNamespace(
        port=SimpleNamespace(name="dk1"),
        modem=modem,
        firmware=SHELL,
        identity=SimpleNamespace(device_uuid=DEVICE_UUID),
    )
    cloud: Any = SimpleNamespace(api=SimpleNamespace(claims=claims), endpoints=SimpleNamespace(public=False))
    request: Any = SimpleNamespace(device_id="dev-1", progress=lambda _text: None)
    monkeypatch.setattr(claiming, "fetch_commands", lambda _port, *, timeout: log.append("fetch") or "what it said")
    monkeypatch.setattr(claiming, "_ROUNDS_LOCAL", Rounds(most=3, gap=0.0, deadline=60.0))
    return SimpleNamespace(log=log, claims=claims, board=board, make=lambda: Claiming(board, cloud, request))


def test_the_order_of_steps(lab):
    way = lab.make()
    made = way.make_key(7)
    assert (made.sec_tag, made.common_name, made.device_uuid) == (7, "dev-1", DEVICE_UUID)
    way.write(7, CONTENTS)
    assert lab.log == [
        "claim TOKEN True",
        "queue certificateSigningRequest",
        "register",
        "fetch",
        "queue serverCertificate",
        "queue clientCertificate",
        "register",
        "fetch",
    ]
    assert lab.claims.asked == [
        {"certificateSigningRequest": {"attributes": "CN=dev-1", "keyUsage": "101010000", "secTag": 7}},
        {"serverCertificate": {"content": "ROOT", "secTag": 7}},
        {"clientCertificate": {"content": "LEAF", "secTag": 7}},
    ]
    assert way.rounds == 2


def test_a_client_that_was_busy_is_told_again_and_counted(lab):
    lab.claims.states = [CommandState("PENDING", {}), CommandState("IN_PROGRESS", {})]
    way = lab.make()
    way.make_key(7)
    assert (lab.log.count("fetch"), way.rounds) == (3, 3)
    assert "unclaim" not in lab.log


def test_what_is_not_done_in_time_is_given_up(lab):
    lab.claims.states = [CommandState("PENDING", {})] * 9
    with pytest.raises(NotCarriedOut, match=r"dk1: its provisioning commands are not done.*PENDING.*what it said"):
        lab.make().make_key(7)
    assert lab.log[-1] == "unclaim"


def test_a_command_that_failed_says_which_and_why(lab):
    lab.claims.states = [
        CommandState("SUCCEEDED", {}),
        CommandState("FAILED", {"clientCertificate": {"cmeError": 515, "message": "ERROR"}}),
    ]
    with pytest.raises(CommandFailed, match="could not carry out clientCertificate: cmeError 515"):
        lab.make().write(7, CONTENTS)
    assert lab.log[-1] == "unclaim"


def test_a_claim_from_before_serves(lab):
    lab.claims.refused = CLAIMED
    assert lab.make().make_key(7).sec_tag == 7


def test_a_refused_claim_is_told_where_the_service_takes_no_command(lab):
    lab.claims.refused, lab.claims.queue_error = CLAIMED, NOT_FOUND
    with pytest.raises(RestError, match="answered 409"):
        lab.make().make_key(7)


def test_a_service_that_takes_no_command_after_a_claim_is_told_itself(lab):
    lab.claims.queue_error = NOT_FOUND
    with pytest.raises(RestError, match="answered 404"):
        lab.make().make_key(7)


def test_a_csr_of_another_key_or_place_is_not_signed(lab):
    lab.claims.csr = make_keygen(8, common_name="dev-1").strip('"')
    with pytest.raises(KeygenMismatch):
        lab.make().make_key(7)
    assert lab.log[-1] == "unclaim"


def test_a_claim_that_cannot_be_given_up_does_not_hide_why(lab, monkeypatch):
    def gone(_uuid):
        raise CloudUnreachable("the service is gone")

    lab.claims.queue_error = NOT_FOUND
    monkeypatch.setattr(lab.claims, "unclaim", gone)
    with pytest.raises(RestError, match="answered 404") as caught:
        lab.make().make_key(7)
    assert caught.value.__notes__ == ["the claim was not given up: the service is gone"]


def test_a_board_that_cannot_is_one_line_before_anything_is_asked(lab):
    lab.board.firmware = Firmware("Serial Modem", "1.0.0")
    with pytest.raises(Misuse, match=r"dev-1: cannot be claimed: Serial Modem .* has no client of the provisioning"):
        lab.make()
    lab.board.firmware, lab.board.identity.device_uuid = SHELL, None
    with pytest.raises(Misuse, match="dev-1: the modem has no device UUID, so it cannot be claimed"):
        lab.make()
    assert lab.log == []
