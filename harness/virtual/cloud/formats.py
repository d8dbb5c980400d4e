"""Formats that nRF Cloud's REST API uses everywhere: time stamps, request ids, page tokens.

Facts: nRF Cloud REST API (OpenAPI document) - ``receivedAt`` with milliseconds and ``Z``, ULIDs for bulk operations,
``pageNextToken`` opaque to the caller.
"""

import base64
import binascii
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TypeVar

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_Item = TypeVar("_Item")


def now_utc() -> datetime:
    """Return the time now, in UTC, cut to the milliseconds that the API shows, so that printed times compare equal."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def iso(moment: datetime) -> str:
    """Return a moment like ``2023-01-31T12:00:00.123Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_now() -> str:
    """Return ``iso(now_utc())``, made for who asks often."""
    return f"{datetime.now(UTC).isoformat(timespec='milliseconds')[:-6]}Z"  # without +00:00


def parse_iso(text: str) -> datetime:
    """Return the moment of an ISO 8601 ``text``, in UTC if it has no zone. Raises ValueError for another text."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def make_ulid(moment: datetime) -> str:
    """Return a new ULID: 48 bits of milliseconds, 80 random bits, 26 characters of Crockford's base 32."""
    number = int(moment.timestamp() * 1000) << 80 | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def cut_page(
    items: Iterable[_Item], *, number: Callable[[_Item], int], descending: bool, limit: int, token: str | None
) -> tuple[list[_Item], str | None]:
    """Return one page of ``items``, and the token of the next page or None.

    ``number``: returns an item's number, which grows with every item made, so that new items do not move a page.
    ``descending``: the newest first. ``limit``: items of a page. ``token``: of the page; None: the first one.
    Raises ValueError for a token that no page has.
    """
    after = _read_token(token) if token is not None else None
    ordered = sorted(items, key=number, reverse=descending)
    if after is not None:
        ordered = [item for item in ordered if (number(item) < after if descending else number(item) > after)]
    page = ordered[:limit]
    return page, _write_token(number(page[-1])) if len(ordered) > limit else None


def _write_token(number: int) -> str:
    return base64.urlsafe_b64encode(b"after:%d" % number).decode()


def _read_token(token: str) -> int:
    try:
        kind, _, number = base64.b64decode(token, altchars=b"-_", validate=True).partition(b":")
        if kind == b"after":
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise ValueError("no page has this token")
