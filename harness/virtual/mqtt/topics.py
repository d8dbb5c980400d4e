"""Rules for topic names and topic filters. Source: MQTT 3.1.1 §4.7."""

from harness.virtual.mqtt.wire import Malformed


def check_topic(topic: str) -> str:
    """Return ``topic`` if a message may be published on it; raise :class:`Malformed` if not."""
    if not topic:
        raise Malformed("an empty topic name")
    if "+" in topic or "#" in topic:
        raise Malformed(f"the topic name {topic!r} contains a wildcard")
    return topic


def check_filter(text: str) -> str:
    """Return ``text`` if it is a topic filter; raise :class:`Malformed` if not.

    ``+`` stands alone in its level, ``#`` alone in the last one.
    """
    if not text:
        raise Malformed("an empty topic filter")
    *above, last = text.split("/")
    plus_shares_level = any("+" in level and level != "+" for level in (*above, last))
    if plus_shares_level or any("#" in level for level in above) or ("#" in last and last != "#"):
        raise Malformed(f"the topic filter {text!r} has a wildcard that is not alone in its level, or # before the end")
    return text
