"""How much a timeline file takes: of one event, of one test, in one part. Pure.

An event that is too long keeps the beginning of its texts, and their length and SHA-256. What a test has beyond its
share is left out, but for what the harness says of its own work: by that a verdict is judged again.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from harness.timeline.events import Event
from harness.timeline.payload import digest, unpacked

EVENT_LIMIT: Final = 16 * 1024
"""Characters of an event's line. A payload that is carried whole has a quarter of that."""
TEST_LIMIT: Final = 5_000_000
"""Characters of a test's lines; a test with forty trials has a hundredth of that."""
PART_LIMIT: Final = 64_000_000
"""Characters after which the next test begins another file."""
_KEPT: Final = 1024


def shortened(event: Event) -> Event:
    """Return ``event`` with the beginning of its texts, and of its payloads their size, SHA-256 and nonces."""
    return event._replace(text=_text(event.text), data=_short_payload(event.data))


def without_data(event: Event) -> Event:
    """Return ``event`` with the size and SHA-256 of its data in their place."""
    return event._replace(data=digest(repr(event.data).encode("utf-8", "replace")))


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return [_short(item) for item in value]
    if isinstance(value, dict):
        return _short_payload(value)
    return value


def _short_payload(value: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(payload := value.get("payload"), str) and len(payload) > _KEPT:
        rest = {name: _short(item) for name, item in value.items() if name not in ("payload", "encoding")}
        return rest | digest(unpacked(value))
    return {name: _short(item) for name, item in value.items()}


def _text(text: str) -> str:
    if len(text) <= _KEPT:
        return text
    sha256 = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return f"{text[:_KEPT]}… ({len(text)} characters, sha256 {sha256})"
