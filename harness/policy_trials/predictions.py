"""Which derived trials would go differently on a cloud that does not enforce the expected documents.

A trial uses more permissions than the one that it is about: a subscription is proved by a message that arrives, which
the device may have to ask for, and a request by its answer. A cloud that refuses one of these is noticed too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from harness.policy import PolicyDocument, refusals, topic_arn, topicfilter_arn
from harness.policy.derivation.case import Case, Check, Verb
from harness.policy.derivation.delivery import delivery
from harness.policy.evaluation.expectations import Expectations
from harness.policy.evaluation.membership import Membership
from harness.policy_trials.answers import answer, heard_on
from harness.policy_trials.trials import ANY_NAMES, cases_for, outcome_of_refusal


def going_otherwise(documents: Sequence[PolicyDocument], enforced: Mapping[str, PolicyDocument]) -> set[str]:
    """Return the ids of trials in the smallest set of ``documents`` that ``enforced`` documents let go differently."""
    expectations = {membership: Expectations(documents, ANY_NAMES, membership) for membership in Membership}
    cases = [as_run(case, expectations[case.membership]) for case in cases_for(documents, full=False)]
    expected, now = (refusals(cases, by_name) for by_name in ({one.name: one for one in documents}, enforced))
    return {
        case.id
        for case, before, after in zip(cases, expected, now, strict=True)
        if outcome_of_refusal(case, before) is not outcome_of_refusal(case, after)
    }


def as_run(case: Case, expectations: Expectations) -> Case:
    """Return the case with every permission that its trial makes use of. ``expectations``: of its device."""
    return replace(case, checks=tuple(dict.fromkeys((*case.checks, *_used_besides(case, expectations)))))


def _used_besides(case: Case, expectations: Expectations) -> Iterator[Check]:
    request = case.request
    where = {"region": ANY_NAMES.region, "account": ANY_NAMES.account}
    if request.verb in (Verb.SUBSCRIBE, Verb.RECEIVE):
        message = delivery(request, case.membership, ANY_NAMES, expectations)
        if message is not None:
            if message.sent is not None:
                yield "iot:Publish", topic_arn(message.sent, **where)
            yield "iot:Receive", topic_arn(message.topic, **where)
    elif request.verb is Verb.PUBLISH and not request.retain:
        found = answer(request.name, ANY_NAMES, expectations)
        if found is not None:
            if found.listen is not None:
                yield "iot:Subscribe", topicfilter_arn(found.listen, **where)
            yield "iot:Receive", topic_arn(heard_on(found), **where)
