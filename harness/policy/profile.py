"""Policy documents from files: the shipped ones of nRF Cloud's device security page, or a directory like theirs."""

import re
from pathlib import Path

from harness.policy.document import PolicyDocument
from harness.policy.errors import PolicyError

PAGE = Path(__file__).parent / "documents" / "page"

# File names without .json, and at the same time the thing groups that the documents are attached to.
PROFILE = ("provisioned", "associated", "gateway")


def load_document(path: Path, *, account: str) -> PolicyDocument:
    """Read one document; its name is the file's without ``.json``. ``account``: 12 digits for ``${AWSAccountId}``."""
    if not re.fullmatch(r"[0-9]{12}", account):
        raise PolicyError(f"{path.stem}: {account!r} is no AWS account, which has 12 digits")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PolicyError(f"{path.stem}: cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path.stem}: {path} is no UTF-8 text: {error}") from None
    return PolicyDocument.parse(text, name=path.stem, variables={"AWSAccountId": account})


def load_profile(directory: Path | None = None, *, account: str) -> dict[str, PolicyDocument]:
    """Return ``provisioned``, ``associated`` and ``gateway`` of a directory (None: the shipped page), by name."""
    folder = directory or PAGE
    return {name: load_document(folder / f"{name}.json", account=account) for name in PROFILE}
