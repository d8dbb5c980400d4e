"""Names, profiles and short ways to look for derived trials, for the tests of this directory."""

import pytest

from harness.policy import Case, Membership, Names, Verb, derive, load_profile
from harness.policy.evaluation.policy_set import CompiledPolicies

TEAM = "b3f6a1de-0c1f-4d5e-9d0f-1c2b3a4d5e6f"
OTHER_TEAM = "00000000-1111-4222-8333-444455556666"
NAMES = Names("dev-1", "dev-2", TEAM, OTHER_TEAM)
PAGE = tuple(load_profile("page", account="123456789012").values())
CURRENT = tuple(load_profile("current", account="123456789012").values())


def cases(kind: Membership = Membership.ASSOCIATED, documents=PAGE, **more) -> dict[str, Case]:
    return {case.id: case for case in derive(documents, kind, NAMES, **more)}


def find(found: dict[str, Case], verb: Verb, name: str, *, retain: bool = False) -> Case:
    """The case with this packet; KeyError when it was not derived."""
    by_packet = {
        (c.request.verb, c.request.name, c.request.retain): c for c in found.values() if c.request.will is None
    }
    return by_packet[verb, name, retain]


def rulings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets an entry for each ruling from now on, with or without its reasons."""
    made: list[str] = []

    def noted(name: str):
        former = getattr(CompiledPolicies, name)
        return lambda *given: made.append(name) or former(*given)

    for name in ("decide", "allows"):
        monkeypatch.setattr(CompiledPolicies, name, noted(name))
    return made
