"""Why tests failed: tests that fail for one reason, on one party, have one cause, whatever board they ran on.

A cause points at a party and never calls it guilty; it is *proved* only where a trial's facts prove it. Rules, in
this order: the board, or its cloud, was lost; the run was stopped; a trial came out wrong (what the documents say
decides the title); an error of a class (its message without what varies). Neither the board nor the expected verdict
is part of a cause, except for a board that was lost.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.errors import Party
from harness.report.normal_form import first_sentence, normal
from harness.report.ran_tests import KILLED, RanTest

_ALLOWED = re.compile(r": allowed by (.+? statement \d+(?: '[^']*')?)")
_DENIED = re.compile(r": explicit deny by (.+? statement \d+(?: '[^']*')?)")
_WHY: Final[dict[str, str]] = {
    Party.CLOUD: "The cloud said no, or did not do what it had to, or could not be reached",
    Party.MODEM: "The modem or its firmware said no",
    Party.RADIO: "The modem was not registered in the radio network",
    Party.LAB: "Something in the lab gave way, so nothing is known about the product",
    Party.USER: "The test, the call or the boards file asks for what cannot be",
}
_PLACEHOLDER = re.compile(r"\{(?:id|nonce|number|time|pid|port|path|n)\}")
CLOUD_LOST: Final = "The cloud was lost"
_LOSSES = frozenset({"BoardLost", "PortMissing", "NoAnswer"})
_REFUSING = frozenset(
    {
        *("policy disconnect", "policy disconnect (late)", "refused in SUBACK"),
        *("refused at connect", "ignored", "denied"),
    }
)
_GRANTING = frozenset({"tolerated", "authorised"})


@dataclass(frozen=True, slots=True)
class FailureCause:
    """``hash``: the same for the same cause in every run. ``detail``: one more line. ``why``: why this party."""

    hash: str
    party: str
    title: str
    detail: str = ""
    why: str = ""
    proved: bool = False


def causes_of(tests: Sequence[RanTest]) -> dict[tuple[str, str], FailureCause]:
    """Return the cause of each test that failed or proved nothing, by its test and board."""
    lost = {test.board: test for test in tests if test.out and test.board}
    return {(test.test, test.board): _cause(test, lost) for test in tests if test.result in ("failed", "error")}


def _cause(test: RanTest, lost: Mapping[str, RanTest]) -> FailureCause:
    found_out = lost.get(test.board)
    if found_out is not None and _of_loss(test):
        return _lost_board(test.board, found_out)
    if test.message == KILLED:
        why = "The run ended from outside, so nothing is known about the product."
        return _made(Party.LAB, ("killed",), "The run was stopped while tests ran", why=why)
    if test.decisive:
        return _trial(test)
    return _error(test)


def _of_loss(test: RanTest) -> bool:
    return bool(test.board_out or test.out or test.raised in _LOSSES or test.got == "board lost")


def _lost_board(board: str, found_out: RanTest) -> FailureCause:
    detail = found_out.out.removeprefix(f"{board}: ")
    if found_out.raised == "CloudUnreachable":
        reason = "The boards answered and their cloud did not, so nothing is known about either."
        return _made(found_out.party or Party.CLOUD, ("lost", "cloud"), CLOUD_LOST, detail=detail, why=reason)
    reason = "The port, the board or its process went away: the lab's matter, and nobody else is blamed for it."
    return _made(Party.LAB, ("lost", board), f"{board} was lost", detail=detail, why=reason)


def _trial(test: RanTest) -> FailureCause:
    got, policy = test.got, str(test.decisive.get("policy", ""))
    detail = f"expected {test.expected}, got {got}"
    allowed, denied = _ALLOWED.search(policy), _DENIED.search(policy)
    if allowed and got in _REFUSING:
        title = f"The cloud refuses what {allowed[1]} allows"
        why = f"The documents allow it ({allowed[1]}), the cloud did not: proved by the trial."
        return _made(Party.CLOUD, ("refuses", allowed[1]), title, detail=detail, why=why, proved=True)
    if got in _GRANTING and (denied or "implicit deny" in policy):
        what = f"{denied[1]} denies" if denied else "no statement of its policies allows"
        why = "The documents forbid it, the cloud let it pass: proved by the trial."
        return _made(
            Party.CLOUD, ("grants", what), f"The cloud allows what {what}", detail=detail, why=why, proved=True
        )
    party = test.party or Party.UNCLEAR
    if got == "modem reset":
        title, why = "The board restarted, or its modem failed", "It said so itself during the trial: proved."
        return _made(party, ("reset",), title, detail=detail, why=why, proved=True)
    if got == "nothing allowed":
        title = "The cloud hangs up on everything that the documents allow"
        why = "It accepted the device, and a connection on which nothing was done stayed: proved."
        return _made(party, ("nothing allowed",), title, detail=detail, why=why, proved=True)
    if got in _REFUSING | _GRANTING:
        why = "What was tried before and after it worked, so the answer is the cloud's own decision."
        return _made(party, ("verdict", got), f"The cloud decides otherwise: {got}", detail=detail, why=why)
    reason = first_sentence(normal(_evidence(test), {"{board}": test.board}))
    why = "The trial proved nothing; what it met points there."
    return _made(party, ("unproved", got, reason), _shown(f"No verdict, {got}: {reason}"), detail=detail, why=why)


def _evidence(test: RanTest) -> str:
    """Return why a trial could not be proved, without the action that it was about."""
    told = str(test.decisive.get("reason", ""))
    return told or test.message.partition(f"{test.decisive.get('action', '')}. ")[2] or test.message


def _error(test: RanTest) -> FailureCause:
    text = first_sentence(normal(test.message or "no message", {"{board}": test.board})).removeprefix("{board}: ")
    party = test.party or Party.UNCLEAR
    why = _WHY.get(party, "Nothing shows who is to blame") + (f" ({test.raised})." if test.raised else ".")
    return _made(party, (test.raised, text), _shown(text), why=why)


def _shown(text: str) -> str:
    """Return a normalised sentence for a reader."""
    return _PLACEHOLDER.sub("…", text.replace("{board}", "the board"))


def _made(
    party: str, kind: tuple[str, ...], title: str, *, detail: str = "", why: str = "", proved: bool = False
) -> FailureCause:
    digest = hashlib.sha256("\0".join((party, *kind)).encode("utf-8", "backslashreplace")).hexdigest()[:12]
    return FailureCause(digest, str(party), title, detail, why, proved)
