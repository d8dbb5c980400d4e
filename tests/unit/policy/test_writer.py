import json
from dataclasses import replace

import pytest

from harness.policy import PolicyDocument, PolicyError, Statement, document_json, mutants, too_long
from tests.unit.policy.build import ARN, VERSION, allow, deny, document
from tests.unit.policy.pool import PAGE


def unnumbered(statement: Statement) -> Statement:
    """A mutant keeps the numbers of the original's statements, also behind one that is dropped."""
    return replace(statement, number=0)


def test_reads_as_the_same_document():
    for original in [*PAGE, *(m.documents[m.document] for m in mutants(PAGE))]:
        again = PolicyDocument.parse(document_json(original), name=original.name)
        assert [unnumbered(s) for s in again.statements] == [unnumbered(s) for s in original.statements]
        assert again.version == original.version


def test_all_elements():
    negated = {"Effect": "Allow", "NotAction": "iot:Connect", "NotResource": "*"}
    condition = {"StringEquals": {"iot:ClientId": ["a", "b"], "x": []}, "Bool": {"y": True}}
    original = document(deny("iot:*", "*", Sid="s", Condition=condition), negated, version="2008-10-17")
    assert PolicyDocument.parse(document_json(original), name="test") == original


def test_a_document_without_statements_is_not_written():
    with pytest.raises(ValueError, match="test has no statement"):
        document_json(replace(document(deny("iot:*", "*")), statements=()))


def full(characters: int) -> PolicyDocument:
    """A document of so many characters, written as short as can be."""
    statements = [
        {"Effect": "Allow", "Action": "iot:Publish", "Resource": f"arn:aws:iot:*:*:topic/{number}ä{'y' * 130}"}
        for number in range(9)
    ]
    text = json.dumps({"Version": VERSION, "Statement": statements}, separators=(",", ":"), ensure_ascii=False)
    assert len(text) < characters
    return PolicyDocument.parse(text.replace("topic/8", "topic/8" + "z" * (characters - len(text))), name="test")


def test_a_document_as_long_as_may_be_is_not_longer_afterwards():
    original = full(2048)
    assert PolicyDocument.parse(document_json(original), name="test") == original
    assert not too_long(original)


def test_a_mutant_that_is_too_long_is_known():
    """AWS IoT would not take it, nor does the local cloud."""
    original = full(2047)
    changed = {one.change: one.documents["test"] for one in mutants([original])}
    assert not too_long(changed["dropped"])
    assert too_long(changed["action iot:* added"])
    with pytest.raises(PolicyError, match="characters without white space"):
        PolicyDocument.parse(document_json(changed["action iot:* added"]), name="test")


def test_a_single_value_is_no_list():
    original = document(allow("iot:Publish", f"{ARN}topic/a", Condition={"Bool": {"x": "true"}}), version="2008-10-17")
    assert json.loads(document_json(original)) == {
        "Statement": allow("iot:Publish", f"{ARN}topic/a", Condition={"Bool": {"x": "true"}})
    }


@pytest.mark.parametrize("action", ["iot:*", "iot:Pub*", "*", ["iot:*", "iot:Publish"]])
def test_every_mutant_can_be_deployed(action):
    for mutant in mutants([document(allow("iot:Connect", "*"), allow(action, [f"{ARN}topic/a/*", "*/b", "*"]))]):
        (changed,) = mutant.documents.values()
        again = PolicyDocument.parse(document_json(changed), name=changed.name)
        assert list(map(unnumbered, again.statements)) == list(map(unnumbered, changed.statements)), str(mutant)
