"""Which client ids, topics and topic filters AWS IoT Core accepts, before it looks at any policy.

From "AWS IoT Core Developer Guide, MQTT topics" and "Reserved topics", and "AWS General Reference, AWS IoT Core message
broker and protocol limits and quotas". A topic that breaks these rules ends the connection as a client error, so it
proves nothing about a policy.
"""

import re

_MAX_BYTES = 256
_MAX_SLASHES = 7
_MAX_CLIENT_ID_BYTES = 128

# Basic Ingest: this part of a topic does not count towards the limits.
_NOT_COUNTED = re.compile(r"^\$aws/rules/[^/]+/")

_REQUESTS = re.compile(
    r"\$aws/(things/[^/]+/(shadow(/name/[^/]+)?/(get|update|delete)|jobs/(get|start-next|[^/]+/(get|update)))"
    r"|rules/[^/]+/.+)",
    re.DOTALL,
)
_RESERVED = re.compile(r"\$aws/(things/[^/]+/(shadow|jobs)/.+|rules/[^/]+/.+)", re.DOTALL)
_OTHERS = re.compile(
    r"\$aws/((certificates|provisioning-templates|events)/.+|things/[^/]+/((defender|streams)/.+|tunnels/notify))",
    re.DOTALL,
)
_SHARED = re.compile(r"\$share/[^/+#]+/")


def possible_client_id(text: str) -> bool:
    """Tell whether a CONNECT may carry this client id."""
    return client_id_fault(text) is None


def possible_topic(text: str) -> bool:
    """Tell whether a PUBLISH, in either direction, may carry this topic. Of the reserved topics only known ones may."""
    return topic_fault(text) is None


def possible_filter(text: str) -> bool:
    """Tell whether a SUBSCRIBE may carry this filter: ``+`` and ``#`` alone in their level, ``#`` in the last level.

    In a shared subscription an ordinary filter follows ``$share/GROUP/``.
    """
    return filter_fault(text) is None


def client_id_fault(text: str) -> str | None:
    """Return why no CONNECT may carry this client id, or None if one may."""
    if not text:
        return "it is empty"
    if text.startswith("$"):
        return "it begins with $"
    if "\0" in text:
        return "it holds a null character"
    size = len(text.encode())
    return f"it has {size} bytes, {_MAX_CLIENT_ID_BYTES} at most" if size > _MAX_CLIENT_ID_BYTES else None


def topic_fault(text: str) -> str | None:
    """Return why no PUBLISH may carry this topic, or None if one may."""
    if "+" in text or "#" in text:
        return "+ and # are wildcards of topic filters, which no topic holds"
    known = not text.startswith("$") or _RESERVED.fullmatch(text) or _OTHERS.fullmatch(text)
    return _beyond_limits(text) or (None if known else "it begins with $, and is not one of the reserved topics")


def filter_fault(text: str) -> str | None:
    """Return why no SUBSCRIBE may carry this filter, or None if one may."""
    text = _SHARED.sub("", text, count=1)
    levels = text.split("/")
    if any(("+" in level or "#" in level) and len(level) > 1 for level in levels):
        return "+ and # stand alone in their level"
    if "#" in levels[:-1]:
        return "# stands in the last level"
    known = not text.startswith("$") or text.startswith("$aws/")
    return _beyond_limits(text) or (None if known else "it begins with $, and is not one of the reserved topics")


def beyond_trials(text: str) -> bool:
    """Tell whether a topic or filter belongs to a service that nRF Cloud's devices do not use, so it may be unused.

    Shared subscriptions count too: whether policies compare their filter or the whole text is UNCONFIRMED.
    """
    return text.startswith("$share/") or _OTHERS.fullmatch(text) is not None


def is_request(topic: str) -> bool:
    """Tell whether the service takes a client's message on this topic: an ordinary one, or a request to a service."""
    return not topic.startswith("$") or _REQUESTS.fullmatch(topic) is not None


def may_be_retained(topic: str) -> bool:
    """Tell whether the service retains messages of this topic. It retains none of reserved topics."""
    return not topic.startswith("$")


def _beyond_limits(text: str) -> str | None:
    counted = _NOT_COUNTED.sub("", text)
    apart = f" behind {text[: len(text) - len(counted)]}" if counted != text else ""
    size, slashes = len(counted.encode()), counted.count("/")
    if not text:
        return "it is empty"
    if "\0" in text:
        return "it holds a null character"
    if size > _MAX_BYTES:
        return f"it has {size} bytes{apart}, {_MAX_BYTES} at most"
    return f"it has {slashes} slashes{apart}, {_MAX_SLASHES} at most" if slashes > _MAX_SLASHES else None
