"""Whom a message points at, in its first line: whoever reads only that should know whose morning it is."""

import re
from typing import Final

from harness.errors import Party

PARTIES: Final = {
    Party.CLOUD: "the cloud",
    Party.MODEM: "modem or firmware",
    Party.UNCLEAR: "nobody yet",
    Party.USER: "the test or the boards file",
    Party.RADIO: "the radio network",
    Party.LAB: "the lab",
}
"""In the order in which they are shown; as a headline says them."""
_VERDICT: Final = re.compile(r"expected [^:\n]+, got [a-z ]+(?=: )")


def blamed(message: str, party: str) -> str:
    """Return ``message`` with "(points at ...)" in its first line, where a reader still is when it gets long.

    That is after "expected ..., got ..." of a verdict, else at the line's end. ``party``: a :class:`Party`; any other
    text leaves the message as it is.
    """
    if party not in PARTIES:
        return message
    said = f" (points at {PARTIES[Party(party)]})"
    first, newline, rest = message.partition("\n")
    verdict = _VERDICT.search(first)
    end = len(first) if verdict is None else verdict.end()
    return first[:end] + said + first[end:] + newline + rest
