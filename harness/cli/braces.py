"""Names in braces, like ``{device}``: a person writes them in place of names that are not known, or do not matter."""

import re
from collections.abc import Mapping
from typing import Final

from harness.policy.evaluation.membership import DEVICE, OTHER_DEVICE, OTHER_TENANT, TENANT, Names

_KNOWN: Final = (DEVICE, TENANT, OTHER_DEVICE, OTHER_TENANT)
_BRACES: Final = re.compile(r"\{\{|\}\}|\{[^{}]*\}|[{}]")
_DOUBLED: Final = {"{{": "{", "}}": "}"}


def check_braces(text: str) -> None:
    """Raise ValueError for anything in braces that is not a known name. A plain brace is written twice."""
    _filled(text, dict.fromkeys(_KNOWN, ""))


def fill(text: str, names: Names) -> str:
    """Return ``text`` with ``{device}`` and the other names filled, and ``{{`` as ``{``. Raises as check_braces."""
    return _filled(text, {name: names.resolve(name) for name in _KNOWN})


def _filled(text: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[0] not in meant:
            raise ValueError(f"{found[0]!r} is not a name in braces; known are {', '.join(_KNOWN)}; {{{{ is a plain {{")
        return meant[found[0]]

    meant = {**values, **_DOUBLED}
    return _BRACES.sub(value, text)
