"""AWS IoT Core policies: documents, evaluation, the reason of each decision, and the trials that they call for.

Standard library only.

policies = PolicySet(load_profile(account="123456789012").values())
compiled = policies.compile(Principal(client_id="dev-1", thing_name="dev-1", attached=True))
print(compiled.decide("iot:Subscribe", topicfilter_arn("dev-1/shadow/get/#")).explain())

selection = plan(load_profile(account="123456789012").values(), Names("dev-1", "dev-2", "team-1", "team-2"))
print(selection, selection.proof, *selection.cases, sep="\n")

Names are imported when they are first used: who asks for a decision needs neither derivation nor proof.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from harness.policy.derivation.case import Case, Request, Verb, allowed_by, refusals
    from harness.policy.derivation.survey import Survey, derive, survey
    from harness.policy.documents.account import Clash, at_home, clash
    from harness.policy.documents.arn import client_arn, thing_arn, topic_arn, topicfilter_arn
    from harness.policy.documents.conditions import Condition, FailedCondition
    from harness.policy.documents.document import PolicyDocument
    from harness.policy.documents.pattern import Pattern
    from harness.policy.documents.profile import load_document, load_profile, profile_folder
    from harness.policy.documents.statement import Effect, Statement
    from harness.policy.documents.writer import document_json, too_long
    from harness.policy.errors import PolicyError
    from harness.policy.evaluation.explain import Miss, Near
    from harness.policy.evaluation.membership import Membership, Names, in_force, principal_of
    from harness.policy.evaluation.policy_set import CompiledPolicies, PolicySet
    from harness.policy.evaluation.principal import Principal
    from harness.policy.evaluation.ruling import Decision, Match, Ruling
    from harness.policy.evaluation.unknown_keys import keys_asked, readings, unknown_keys
    from harness.policy.proof.equivalence import Equivalent
    from harness.policy.proof.mutants import Mutant, mutants
    from harness.policy.proof.selection import Selection, plan, smallest

_HOMES: Final = {
    "Case": "derivation.case",
    "Clash": "documents.account",
    "CompiledPolicies": "evaluation.policy_set",
    "Condition": "documents.conditions",
    "Decision": "evaluation.ruling",
    "Effect": "documents.statement",
    "Equivalent": "proof.equivalence",
    "FailedCondition": "documents.conditions",
    "Match": "evaluation.ruling",
    "Membership": "evaluation.membership",
    "Miss": "evaluation.explain",
    "Mutant": "proof.mutants",
    "Names": "evaluation.membership",
    "Near": "evaluation.explain",
    "Pattern": "documents.pattern",
    "PolicyDocument": "documents.document",
    "PolicyError": "errors",
    "PolicySet": "evaluation.policy_set",
    "Principal": "evaluation.principal",
    "Request": "derivation.case",
    "Ruling": "evaluation.ruling",
    "Selection": "proof.selection",
    "Statement": "documents.statement",
    "Survey": "derivation.survey",
    "Verb": "derivation.case",
    "allowed_by": "derivation.case",
    "at_home": "documents.account",
    "clash": "documents.account",
    "client_arn": "documents.arn",
    "derive": "derivation.survey",
    "document_json": "documents.writer",
    "in_force": "evaluation.membership",
    "keys_asked": "evaluation.unknown_keys",
    "load_document": "documents.profile",
    "load_profile": "documents.profile",
    "mutants": "proof.mutants",
    "plan": "proof.selection",
    "principal_of": "evaluation.membership",
    "profile_folder": "documents.profile",
    "readings": "evaluation.unknown_keys",
    "refusals": "derivation.case",
    "smallest": "proof.selection",
    "survey": "derivation.survey",
    "thing_arn": "documents.arn",
    "too_long": "documents.writer",
    "topic_arn": "documents.arn",
    "topicfilter_arn": "documents.arn",
    "unknown_keys": "evaluation.unknown_keys",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


__all__ = [
    "Case",
    "Clash",
    "CompiledPolicies",
    "Condition",
    "Decision",
    "Effect",
    "Equivalent",
    "FailedCondition",
    "Match",
    "Membership",
    "Miss",
    "Mutant",
    "Names",
    "Near",
    "Pattern",
    "PolicyDocument",
    "PolicyError",
    "PolicySet",
    "Principal",
    "Request",
    "Ruling",
    "Selection",
    "Statement",
    "Survey",
    "Verb",
    "allowed_by",
    "at_home",
    "clash",
    "client_arn",
    "derive",
    "document_json",
    "in_force",
    "keys_asked",
    "load_document",
    "load_profile",
    "mutants",
    "plan",
    "principal_of",
    "profile_folder",
    "readings",
    "refusals",
    "smallest",
    "survey",
    "thing_arn",
    "too_long",
    "topic_arn",
    "topicfilter_arn",
    "unknown_keys",
]
