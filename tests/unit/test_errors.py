"""Each error says who has to act, and whom it points at."""

import pytest

from harness.at import AtError
from harness.at.syntax import FinalResult
from harness.cloud.refusals import ObserverLost, RestError
from harness.errors import (
    BoardLost,
    CloudUnreachable,
    HarnessError,
    LabError,
    Misuse,
    NoAnswer,
    NotRegistered,
    Party,
    Refusal,
    about,
    branch_of,
    party_of,
)
from harness.firmware import NoSession, WrongFirmware
from harness.trial.not_connected import NotConnected


@pytest.mark.parametrize(
    ("error", "branch", "party"),
    [
        (Misuse("x"), "Misuse", Party.USER),
        (BoardLost("x"), "LabError", Party.LAB),
        (NoAnswer("x"), "LabError", Party.LAB),
        (WrongFirmware("x"), "LabError", Party.LAB),
        (NotRegistered("x"), "LabError", Party.RADIO),
        (CloudUnreachable("x"), "LabError", Party.CLOUD),
        (ObserverLost("x"), "LabError", Party.CLOUD),
        (NotConnected("x"), "LabError", Party.UNCLEAR),
        (AtError("AT", FinalResult("ERROR")), "Refusal", Party.MODEM),
        (RestError("GET", "/x", 404, None, "", attempts=1), "Refusal", Party.CLOUD),
        (NoSession("x"), "Refusal", Party.UNCLEAR),
        (HarnessError("x"), "", Party.UNCLEAR),
        (AssertionError("x"), "", Party.UNCLEAR),
        (OSError("x"), "", Party.UNCLEAR),
    ],
)
def test_branch_and_party(error, branch, party):
    assert (branch_of(error), party_of(error)) == (branch, party)


def test_what_is_unclear_points_where_its_cause_points():
    outer = Refusal("a step failed")
    outer.__cause__ = AtError("AT%CMNG", FinalResult("ERROR"))
    assert party_of(outer) is Party.MODEM
    lab = LabError("trouble")
    lab.__cause__ = AtError("AT%CMNG", FinalResult("ERROR"))
    assert party_of(lab) is Party.LAB


def test_an_error_may_know_better_than_its_class():
    error = LabError("trouble")
    error.party = Party.RADIO
    assert party_of(error) is Party.RADIO
    assert LabError("other").party is Party.LAB


@pytest.mark.parametrize("said", ["dk-1: no answer", "no answer"])
def test_a_sentence_names_a_board_once(said):
    assert about("dk-1", NoAnswer(said)) == "no answer"
    assert about("dk-2", NoAnswer("dk-1: no answer")) == "dk-1: no answer"
