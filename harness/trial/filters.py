"""MQTT topic filters: which topics they take, and whether two of them have one in common. Source: MQTT 3.1.1 §4.7."""


def takes(topic_filter: str, topic: str) -> bool:
    """Tell whether a subscription to ``topic_filter`` gets messages on ``topic``."""
    return not (topic.startswith("$") and topic_filter[:1] in "+#") and overlap(topic_filter, topic)


def overlap(one: str, other: str) -> bool:
    """Tell whether there is a topic that both filters take; where services differ, that there may be one.

    ``a/#`` takes ``a`` too by MQTT's rule and not by AWS IoT's: here it does.
    """
    left, right = one.split("/"), other.split("/")
    for index in range(max(len(left), len(right))):
        mine = left[index] if index < len(left) else None
        theirs = right[index] if index < len(right) else None
        if "#" in (mine, theirs):
            return True
        if mine is None or theirs is None:
            return False
        if mine != theirs and "+" not in (mine, theirs):
            return False
    return True
