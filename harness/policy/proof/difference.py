"""Finds the shortest topic that a changed policy decides differently, or proves that there is none.

Whether a policy allows a text depends on which of its patterns match. So two policies differ exactly if some text leads
their patterns, read side by side, to a place where the decisions differ. The search looks for such a text with each
kind of packet (:mod:`harness.policy.proof.comparison`). Example: one policy allows ``a*``, the other ``ab*``. After
``a`` only the first one matches, so ``a`` is the shortest topic that they decide differently.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from harness.policy.derivation.packets import Candidate
from harness.policy.documents.arn import client_arn
from harness.policy.documents.document import PolicyDocument
from harness.policy.documents.statement import Statement
from harness.policy.evaluation.membership import Membership, Names, in_force, principal_of
from harness.policy.evaluation.policy_set import CompiledPolicies
from harness.policy.evaluation.principal import Context
from harness.policy.proof.automaton import Automaton, Reading
from harness.policy.proof.comparison import DELIVERY, PACKETS, Comparison
from harness.policy.proof.mutants import Mutant
from harness.policy.proof.search import Effort

_OF_A_CONNECT: Final = ("iot:connectattributes", "iot:lastwilltopic")


class Difference(NamedTuple):
    """What a search found. ``candidate``: a packet that is decided differently, or None. ``complete``: there is none.

    ``cut_off``: a search was given up because it took too long.
    """

    candidate: Candidate | None
    complete: bool
    cut_off: bool = False


def difference(
    documents: Mapping[str, PolicyDocument],
    mutant: Mutant,
    membership: Membership,
    names: Names,
    *,
    accepted: Callable[[Candidate], bool] = lambda _candidate: True,
    effort: Effort | None = None,
) -> Difference:
    """Look for a packet of a connected device that ``documents`` and those of ``mutant`` decide differently.

    ``membership``, ``names``: of the device. ``accepted``: whether a packet is suitable; if not, the search goes on.
    ``effort``: how much searching is left.
    """
    if mutant.document not in in_force(documents.values(), membership):
        return Difference(None, True)
    principal = principal_of(membership, names)
    context = Context(principal, connecting=False)
    changed = [statement for statement in (mutant.before, mutant.after) if statement is not None]
    before, after = (_statements(version, membership) for version in (documents, mutant.documents))
    complete = not any(_about_connecting(statement, context) for statement in changed)
    own = client_arn(names.device_id, region=names.region, account=names.account)
    if not CompiledPolicies(tuple(before), principal).decide("iot:Connect", own).allowed:
        # The device may send nothing but its CONNECT, and the decision on that may depend on the CONNECT's own values.
        return Difference(None, complete and not any(map(_of_a_connect, before)))
    effort = effort or Effort()
    cut_off = False
    for packet in PACKETS:
        if not any(statement.takes(action) for statement in changed for action in packet.actions):
            continue
        comparison = Comparison(packet, mutant, context, names, effort)
        candidate = comparison.shortest(before, after, accepted)
        complete = complete and not comparison.incomplete
        cut_off = cut_off or comparison.cut_off
        if packet is DELIVERY:
            complete = complete and candidate is None
        elif candidate is not None:
            return Difference(candidate, False)
    return Difference(None, complete, cut_off)


def _of_a_connect(statement: Statement) -> bool:
    """Tell whether a statement depends on values of the CONNECT itself."""
    return any(condition.key.lower() in _OF_A_CONNECT for condition in statement.conditions)


def _about_connecting(statement: Statement, context: Context) -> bool:
    """Tell whether a statement may be about a CONNECT, which has no topic, or about a value of the CONNECT."""
    if _of_a_connect(statement):
        return True
    if not statement.takes("iot:Connect"):
        return False
    parts = statement.parts(context, client_arn(""))
    return statement.not_resource or Automaton(Reading(part.tokens, "client/") for part in parts).start != 0


def _statements(documents: Mapping[str, PolicyDocument], membership: Membership) -> list[Statement]:
    names = in_force(documents.values(), membership)
    return [statement for name in names for statement in documents[name].statements]
