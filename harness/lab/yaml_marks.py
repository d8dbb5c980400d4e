"""Reads YAML with places: the plain value of a document, and the line and column of each part of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake at one place. Line and column count from 1."""

    line: int
    column: int
    text: str


class Document:
    """One YAML document. ``value``: what ``yaml.safe_load`` would give; ``mistakes``: syntax and duplicate keys.

    ``value`` is None if the syntax is broken.
    """

    def __init__(self, text: str) -> None:
        self.value: Any = None
        self.mistakes: list[Mistake] = []
        self._root: yaml.Node | None = None
        try:
            loader = yaml.SafeLoader(text)
            try:
                self._root = loader.get_single_node()
                if self._root is not None:
                    self._find_duplicates(self._root, set())
                    self.value = loader.construct_document(self._root)
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            said = f"YAML syntax: {error.problem or error.context}; {_advice(error.problem or '')}"
            self.mistakes.append(_at(mark, said))
        except RecursionError:
            self.mistakes.append(Mistake(1, 1, "YAML syntax: lists and mappings are nested too deeply; flatten them"))
        except (ValueError, OverflowError) as error:  # a number of 5000 digits, the 30th of February
            self.mistakes.append(self._unreadable(text, error))
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            column = error.position - text.rfind("\n", 0, error.position)
            self.mistakes.append(Mistake(line, column, f"YAML syntax: character U+{error.character:04X}; remove it"))

    def _unreadable(self, text: str, error: Exception) -> Mistake:
        """Return the mistake of a scalar that looks like a number or a date and cannot be read as one."""
        loader = yaml.SafeLoader(text)
        try:
            for node in _scalars(self._root):
                try:
                    loader.construct_object(node)
                except (ValueError, OverflowError) as why:
                    return _at(node.start_mark, f"YAML cannot read this value ({why}); quote or correct it")
        finally:
            loader.dispose()
        return Mistake(1, 1, f"YAML cannot read a value ({error}); quote or correct it")

    @property
    def empty(self) -> bool:
        """Whether the file holds no document: it is empty, or has comments only."""
        return self._root is None and not self.mistakes

    def mistake(self, path: Place, text: str, *, at_key: bool = False) -> Mistake:
        """Return a mistake at the value at ``path``, or at the nearest part above if there is no such value.

        ``text``: what is wrong. ``at_key``: the place is the key's and not the value's.
        """
        return _at(self._node(path, at_key).start_mark, text)

    def raw(self, path: Place) -> str:
        """Return a scalar as it is written, e.g. ``0012``, which YAML reads as the number 10."""
        node = self._node(path, at_key=False)
        return str(node.value) if isinstance(node, yaml.ScalarNode) else ""

    def _node(self, path: Place, at_key: bool) -> yaml.Node:
        node = self._root
        if node is None:
            raise ValueError("there is no document")
        key_node = node
        for part in path:
            pair = _child(node, part)
            # Paths also name the chosen kind of a union, which is not part of the document.
            if pair is not None:
                key_node, node = pair
        return key_node if at_key else node

    def _find_duplicates(self, node: yaml.Node, seen: set[int]) -> None:
        if id(node) in seen:  # an alias, by which a part of YAML may even contain itself
            return
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            for entry in node.value:
                self._find_duplicates(entry, seen)
        elif isinstance(node, yaml.MappingNode):
            first: dict[str, yaml.Node] = {}
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    before = first.setdefault(key.value, key)
                    if before is not key:
                        line = before.start_mark.line + 1
                        text = f"key {key.value!r} is in line {line} too; keep one of the two"
                        self.mistakes.append(_at(key.start_mark, text))
                self._find_duplicates(value, seen)


def _scalars(root: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    waiting: list[yaml.Node | None] = [root]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            yield node
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == str(part):
                return key, value
    return None


def _at(mark: yaml.Mark | None, text: str) -> Mistake:
    return Mistake(1, 1, text) if mark is None else Mistake(mark.line + 1, mark.column + 1, text)


def _advice(problem: str) -> str:
    if "'\\t'" in problem:
        return "indent with spaces"
    if "another document" in problem:
        return "keep one document in the file"
    return "check indentation, quotes and colons here and on the line before"
