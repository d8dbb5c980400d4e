"""AWS IoT Core policies: documents, evaluation, and the reason of each decision. Standard library only.

policies = PolicySet(load_profile(account="123456789012").values())
compiled = policies.compile(Principal(client_id="dev-1", thing_name="dev-1", attached=True))
print(compiled.decide("iot:Subscribe", topicfilter_arn("dev-1/shadow/get/#")).explain())
"""

from harness.policy.arn import client_arn, thing_arn, topic_arn, topicfilter_arn
from harness.policy.conditions import Condition, FailedCondition
from harness.policy.document import PolicyDocument
from harness.policy.errors import PolicyError
from harness.policy.evaluation import CompiledPolicies, PolicySet
from harness.policy.explain import Miss, Near
from harness.policy.pattern import Pattern
from harness.policy.principal import Principal
from harness.policy.profile import load_document, load_profile
from harness.policy.ruling import Decision, Match, Ruling
from harness.policy.statement import Effect, Statement

__all__ = [
    "CompiledPolicies",
    "Condition",
    "Decision",
    "Effect",
    "FailedCondition",
    "Match",
    "Miss",
    "Near",
    "Pattern",
    "PolicyDocument",
    "PolicyError",
    "PolicySet",
    "Principal",
    "Ruling",
    "Statement",
    "client_arn",
    "load_document",
    "load_profile",
    "thing_arn",
    "topic_arn",
    "topicfilter_arn",
]
