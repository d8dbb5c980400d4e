from dataclasses import replace

import pytest

from harness.policy import PolicyDocument, Statement, document_json, mutants
from tests.unit.policy.build import deny, document
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
