"""Policy documents from files, and the shipped profiles.

``page``: nRF Cloud's device security page. ``current``: the same, and what firmware of today publishes besides.
"""

import re
from pathlib import Path

from harness.policy.documents.document import PolicyDocument
from harness.policy.errors import PolicyError

DOCUMENTS = Path(__file__).parent / "profiles"
PAGE = DOCUMENTS / "page"
SHIPPED = ("page", "current")

# File names without .json, and at the same time the thing groups that the documents are attached to.
PROFILE = ("provisioned", "associated", "gateway")


def meant_by(name: str) -> str | None:
    """Return the document of the profiles that ``name`` has in other letters (``Associated``); None: it is no slip."""
    return next((known for known in PROFILE if name != known and name.casefold() == known), None)


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


def load_profile(name: str = "page", *, account: str) -> dict[str, PolicyDocument]:
    """Return ``provisioned``, ``associated`` and ``gateway`` of a shipped profile, by name."""
    folder = profile_folder(name)
    return {document: load_document(folder / f"{document}.json", account=account) for document in PROFILE}


def profile_folder(name: str) -> Path:
    """Return the folder with the documents of a shipped profile. Raises PolicyError when there is none of this name."""
    if name not in SHIPPED:
        raise PolicyError(f"there is no profile {name!r}; there are {' and '.join(SHIPPED)}")
    return DOCUMENTS / name
