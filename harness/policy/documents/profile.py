"""Policy documents from files, and the shipped profiles.

``page``: as nRF Cloud's device security page has them. ``current``: the same, and the topics of today's firmware.
"""

import codecs
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from harness.policy.documents.document import PolicyDocument
from harness.policy.documents.terraform import is_terraform, json_in
from harness.policy.errors import PolicyError

DOCUMENTS = Path(__file__).parent / "profiles"
SHIPPED = ("page", "current")

# Both the file names without .json and the names of the thing groups that the documents are attached to.
PROFILE = ("provisioned", "associated", "gateway")


def meant_by(name: str) -> str | None:
    """Return the document of the profiles that ``name`` means but spells in another case (``Associated``), or None."""
    return next((known for known in PROFILE if name != known and name.casefold() == known), None)


def load_document(path: Path, *, account: str, template_json: Callable[[str], str] | None = None) -> PolicyDocument:
    """Read the document in the file ``path``. Its name is the file's without ``.json``.

    ``account``: 12 digits for ``${AWSAccountId}``. ``template_json``: converts a CloudFormation template in YAML to
    JSON, or raises ValueError; None: such a template is refused.
    Raises PolicyError with what is wrong with the file or the document.

    The file holds the document alone, or what AWS CLI, Terraform or CloudFormation put around it
    (:mod:`harness.policy.documents.wrappers`), or Terraform's own text.
    """
    if not re.fullmatch(r"[0-9]{12}", account):
        raise PolicyError(f"{path.stem}: {account!r} is not an AWS account, which has 12 digits")
    try:
        text = _json_of(_text(path.read_bytes()), template_json, yaml=path.suffix.lower() in (".yaml", ".yml"))
    except OSError as error:
        raise PolicyError(f"{path.stem}: cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path.stem}: {path} is not UTF-8 text: {error}") from None
    except ValueError as error:
        raise PolicyError(f"{path.stem}: {error}") from None
    return PolicyDocument.parse(text, name=path.stem, variables={"AWSAccountId": account})


def _text(content: bytes) -> str:
    # PowerShell redirects output to a file as UTF-16 with a byte order mark.
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if utf16 else "utf-8-sig")


def _json_of(text: str, template_json: Callable[[str], str] | None, *, yaml: bool) -> str:
    """Return the JSON in a text that may be Terraform's, or a template.

    ``template_json``: see load_document. ``yaml``: whether the file's name says that it is YAML. Raises ValueError for
    any other text; the message says how to convert it.
    """
    if not text.strip():
        raise ValueError("the file is empty; a policy document is a JSON object with Version and Statement")
    if text.lstrip()[:1] in ("{", "[", '"'):
        return text
    if re.match(r"\s*%7B", text, re.IGNORECASE):
        return unquote(text)
    if is_terraform(text):
        return json_in(text)
    if re.search(r"^\s*(AWSTemplateFormatVersion|Resources|PolicyDocument|Statement)\s*:", text, re.MULTILINE):
        if template_json is not None:
            return template_json(text)
        raise ValueError("this is YAML, a policy document is JSON; convert it, a CloudFormation template with cfn-flip")
    if yaml:
        raise ValueError("this YAML holds no policy: neither a template's Resources nor a document's Statement")
    return text


def load_profile(name: str = "page", *, account: str) -> dict[str, PolicyDocument]:
    """Return ``provisioned``, ``associated`` and ``gateway`` of a shipped profile, by name."""
    folder = profile_folder(name)
    return {document: load_document(folder / f"{document}.json", account=account) for document in PROFILE}


def profile_folder(name: str) -> Path:
    """Return the folder with the documents of a shipped profile. Raises PolicyError for another name."""
    if name not in SHIPPED:
        raise PolicyError(f"there is no profile {name!r}; there are {' and '.join(SHIPPED)}")
    return DOCUMENTS / name
