"""The names of policy variables, and which spelling of a name AWS IoT takes.

Names from "AWS IoT Core Developer Guide": basic, thing and X.509 certificate policy variables, connect policy examples.
AWS IoT refuses a document that spells a variable in another case (awsdocs/aws-iot-docs, pull request 9, on
``${iot:clientId}``). Condition keys are case-insensitive ("IAM User Guide, Condition element"): ``iot:clientid`` is a
good key, and ``${iot:clientid}`` is not a variable.
"""

import re
from typing import Final

_DISTINGUISHED = (
    "DistinguishedNameQualifier",
    "Country",
    "Organization",
    "OrganizationalUnit",
    "State",
    "CommonName",
    "SerialNumber",
    "Title",
    "Surname",
    "GivenName",
    "Initials",
    "Pseudonym",
    "GenerationQualifier",
)
_ALTERNATIVE = ("RFC822Name", "DNSName", "DirectoryName", "UniformResourceIdentifier", "IPAddress")
_FIELDS = (*_DISTINGUISHED, *(f"AlternativeName.{name}" for name in _ALTERNATIVE))

# Behind ``iot:Certificate.``; a number behind a dot may follow.
CERTIFICATE_FIELDS: Final = (
    "SerialNumber",
    *(f"{whose}.{field}" for whose in ("Subject", "Issuer") for field in _FIELDS),
)
_NAMES = (
    "iot:ClientId",
    "iot:CertificateId",
    "iot:DomainName",
    "iot:ConnectAttributes",
    "iot:LastWillTopic",
    "aws:SourceIp",
    "iot:Connection.Thing.IsAttached",
    "iot:Connection.Thing.ThingName",
    "iot:Connection.Thing.ThingTypeName",
    "iot:Connection.Thing.Attributes",
    "iot:Certificate.AvailableKeys",
    *(f"iot:Certificate.{field}" for field in CERTIFICATE_FIELDS),
)
_BY_NAME: Final = {name.lower(): name for name in _NAMES}
_PARTS = re.compile(r"(?P<name>.*?)(?P<rest>\[.*\]|\.[0-9]+)?", re.DOTALL)


def right_spelling(name: str) -> str | None:
    """Return how AWS IoT spells the variable ``name`` if its spelling differs in case, else None.

    None also if no variable has this name in any case. The name of an attribute, inside ``[...]``, stays as it is,
    because the account chooses it.
    """
    found = _PARTS.fullmatch(name)
    if found is None:
        return None
    known = _BY_NAME.get(found["name"].lower())
    return None if known is None or known == found["name"] else known + (found["rest"] or "")


def key(name: str) -> str:
    """Return the name of a condition key in lower case, except for what is in ``[...]``, which is case-sensitive."""
    head, bracket, rest = name.partition("[")
    return head.lower() + bracket + rest
