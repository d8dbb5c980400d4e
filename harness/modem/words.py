"""What the modem's own commands ask for. Source: nRF91x1 AT Commands reference, +CFUN, +CEREG."""

import re
from typing import Final

from harness.words import Ask, Asked, Words

_COMMAND: Final = re.compile(
    r"AT\+(?:CFUN=(?:(?P<offline>[04]\b)|(?P<mode>\d))|(?P<question>(?:CEREG|CFUN)\?$))", re.IGNORECASE
)


def _asked(command: str) -> Asked | None:
    found = _COMMAND.match(command)
    return Asked(Ask(str(found.lastgroup))) if found else None


MODEM_WORDS: Final = Words(_asked)
"""The modem's, whatever firmware runs beside it."""
