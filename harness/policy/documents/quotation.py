"""How to quote a document that is read as if it had another account and region.

Documents are judged at the account and region of AWS's examples (:mod:`harness.policy.documents.account`). A reason
quotes them as they are written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.policy.documents.arn import EXAMPLE_ACCOUNT, EXAMPLE_REGION, resource_start

EXAMPLE_HEAD: Final = f"arn:aws:iot:{EXAMPLE_REGION}:{EXAMPLE_ACCOUNT}:"


@dataclass(frozen=True, slots=True)
class Quotation:
    """How to quote the texts of one statement.

    ``texts``: by rewritten text, the document's own. ``head``: how an ARN of the documents' cloud begins.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    head: str = EXAMPLE_HEAD

    def of(self, text: str) -> str:
        """Return the document's own text for the rewritten ``text``."""
        return self.texts.get(text, text)

    def filled(self, text: str, arn: str) -> str:
        """Return ``arn`` (``text`` with its variables filled) so that it begins as in the document."""
        said = self.of(text)
        return arn if said == text else said[: resource_start(said)] + arn[resource_start(arn) :]

    def requested(self, value: str) -> str:
        """Return a value of the request; if it is an ARN, as the documents' cloud would write it."""
        return self.head + value.removeprefix(EXAMPLE_HEAD) if value.startswith(EXAMPLE_HEAD) else value


AS_READ: Final = Quotation()
