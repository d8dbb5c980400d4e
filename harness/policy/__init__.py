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
    "derivation.case": "Case Request Verb allowed_by refusals",
    "derivation.survey": "Survey derive survey",
    "documents.account": "Clash at_home clash",
    "documents.arn": "client_arn thing_arn topic_arn topicfilter_arn",
    "documents.conditions": "Condition FailedCondition",
    "documents.document": "PolicyDocument",
    "documents.pattern": "Pattern",
    "documents.profile": "load_document load_profile profile_folder",
    "documents.statement": "Effect Statement",
    "documents.writer": "document_json too_long",
    "errors": "PolicyError",
    "evaluation.explain": "Miss Near",
    "evaluation.membership": "Membership Names in_force principal_of",
    "evaluation.policy_set": "CompiledPolicies PolicySet",
    "evaluation.principal": "Principal",
    "evaluation.ruling": "Decision Match Ruling",
    "evaluation.unknown_keys": "keys_asked readings unknown_keys",
    "proof.equivalence": "Equivalent",
    "proof.mutants": "Mutant mutants",
    "proof.selection": "Selection plan smallest",
}


def __getattr__(name: str) -> Any:
    home = next((module for module, names in _HOMES.items() if name in names.split()), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
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
