"""Reading policy documents: "IAM User Guide, Grammar of the IAM JSON policy language", as AWS IoT Core uses it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from harness.policy.documents.reader import Reader
from harness.policy.documents.statement import Statement
from harness.policy.documents.strict_json import parse_json
from harness.policy.documents.wrappers import unwrapped
from harness.policy.errors import PolicyError

_VERSION_WITH_VARIABLES = "2012-10-17"
VERSION_WITHOUT = "2008-10-17"  # what a document without Version is read as

MOST_CHARACTERS = 2048  # without white space: "AWS IoT Core quotas, Maximum policy document size"


def characters(text: str) -> int:
    """Return how many characters AWS IoT counts of a document's text: all but white space."""
    return sum(map(len, text.split()))


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """One policy document. ``name`` is what messages and rulings call it.

    ``found_at``: the JSON path to it in what a tool printed around it; None if the text is the document alone.
    """

    name: str
    version: str
    statements: tuple[Statement, ...]
    found_at: str | None = field(default=None, compare=False)

    @classmethod
    def parse(cls, text: str, *, name: str, variables: Mapping[str, str] | None = None) -> Self:
        """Read a document from the JSON in ``text``: the document alone, or with what a tool prints around it.

        ``name``: what messages call it. ``variables``: values of deployment placeholders, e.g. ``{"AWSAccountId":
        "123456789012"}``. A placeholder is a ``${Name}`` without a colon. AWS knows no such variable, so a placeholder
        without a value is an error, unless the Version has no variables.
        Raises PolicyError with the name and all mistakes, each with its JSON path (or line and column) and the reason.
        """
        reader = Reader(name, variables or {})
        value, text, found_at = unwrapped(parse_json(text, name=name), text, name=name)
        document = reader.object(value, "$", {"Version", "Id", "Statement"})
        version = document.get("Version", VERSION_WITHOUT)
        if version not in (_VERSION_WITH_VARIABLES, VERSION_WITHOUT):
            reader.note("$.Version", f"must be {_VERSION_WITH_VARIABLES} or {VERSION_WITHOUT}")
            version = _VERSION_WITH_VARIABLES
        reader.string(document.get("Id", ""), "$.Id")
        reader.with_variables = version == _VERSION_WITH_VARIABLES
        count = characters(text)
        if count > MOST_CHARACTERS:
            reader.note("$", f"{count} characters without white space; AWS IoT takes {MOST_CHARACTERS}")
        statements = reader.statements(document) if isinstance(value, dict) else ()
        if reader.mistakes:
            raise PolicyError.of(name, tuple(reader.mistakes))
        return cls(name, version, statements, found_at)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Resources whose ``*`` stands for whole parts of an ARN: AWS IoT's reading of them is undocumented."""
        return tuple(
            f"{self.name} statement {statement.number}: {resource} has fewer than five colons; write the whole ARN"
            for statement in self.statements
            for resource in statement.resources
            if resource != "*" and resource.count(":") < 5
        )
