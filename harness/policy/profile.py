"""Policy documents from files: the shipped profiles, or a directory like theirs.

``page``: nRF Cloud's device security page. ``current``: the same, and what firmware of today publishes besides.
"""

import re
from pathlib import Path

from harness.policy.document import PolicyDocument
from harness.policy.errors import PolicyError

DOCUMENTS = Path(__file__).parent / "documents"
PAGE = DOCUMENTS / "page"
SHIPPED = ("page", "current")

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


def load_profile(name_or_directory: str | Path | None = None, *, account: str) -> dict[str, PolicyDocument]:
    """Return ``provisioned``, ``associated`` and ``gateway`` of a profile, by name.

    ``name_or_directory``: ``"page"`` (also None) or ``"current"``, or a directory with the three files. A string that
    is no shipped profile is a directory.
    """
    folder = profile_folder(name_or_directory)
    return {name: load_document(folder / f"{name}.json", account=account) for name in PROFILE}


def profile_folder(name_or_directory: str | Path | None = None) -> Path:
    """Return the directory of a profile; see :func:`load_profile`."""
    if name_or_directory is None:
        return PAGE
    if isinstance(name_or_directory, str) and name_or_directory in SHIPPED:
        return DOCUMENTS / name_or_directory
    return Path(name_or_directory)
