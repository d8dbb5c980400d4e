"""Subscriptions in a trie of topic levels. Source: MQTT 3.1.1 §4.7; AWS IoT Core Developer Guide, "Topics".

Example: the filters ``a/+`` and ``a/#`` share the branch ``a``. To match ``a/b``, the search follows at each level the
branches of the level itself, of ``+`` and of ``#``, so it never looks at filters that begin differently.
"""

from collections.abc import Iterator


class _Node:
    __slots__ = ("children", "subscribers")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.subscribers: dict[str, int] = {}


class Subscriptions:
    """The topic filters of all clients with the granted QoS.

    ``hash_matches_parent``: whether ``sensor/#`` also matches ``sensor``.
    """

    def __init__(self, *, hash_matches_parent: bool) -> None:
        self._hash_matches_parent = hash_matches_parent
        self._root = _Node()

    @property
    def empty(self) -> bool:
        """Whether there is no subscription, and no branch of a former one."""
        return not self._root.children

    def add(self, text: str, client_id: str, qos: int) -> None:
        """Add a filter, or change its QoS.

        ``text``: the filter. ``client_id``: the client. ``qos``: the granted QoS.
        """
        node = self._root
        for level in text.split("/"):
            node = node.children.setdefault(level, _Node())
        node.subscribers[client_id] = qos

    def remove(self, text: str, client_id: str) -> None:
        """Remove a filter and the branches that only it needed. Does nothing if there is no such filter."""
        node, path = self._root, []
        for level in text.split("/"):
            if level not in node.children:
                return
            path.append((node, level))
            node = node.children[level]
        node.subscribers.pop(client_id, None)
        for parent, level in reversed(path):
            child = parent.children[level]
            if child.children or child.subscribers:
                return
            del parent.children[level]

    def match(self, topic: str) -> dict[str, int]:
        """Return QoS by client id for a message on ``topic``. If several filters match, the highest QoS counts."""
        found: dict[str, int] = {}
        for subscribers in self._matching(topic.split("/")):
            for client_id, qos in subscribers.items():
                found[client_id] = max(qos, found.get(client_id, 0))
        return found

    def _matching(self, levels: list[str]) -> Iterator[dict[str, int]]:
        nodes = [self._root]
        for depth, level in enumerate(levels):
            # A wildcard in the first level does not match topics that begin with $ [MQTT-4.7.2-1].
            wildcards = depth > 0 or not level.startswith("$")
            following = []
            for node in nodes:
                if wildcards and (rest := node.children.get("#")):
                    yield rest.subscribers
                if child := node.children.get(level):
                    following.append(child)
                if wildcards and (child := node.children.get("+")):
                    following.append(child)
            nodes = following
        for node in nodes:
            yield node.subscribers
            if self._hash_matches_parent and (rest := node.children.get("#")):
                yield rest.subscribers
