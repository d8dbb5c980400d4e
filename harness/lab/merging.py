"""Adds entries to a boards file and keeps every character in it: comments, order, line ends."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from harness.errors import Misuse
from harness.lab.suggest import BoardEntry
from harness.lab.yaml_marks import Document


def merged(text: str, entries: Sequence[BoardEntry]) -> str:
    """Return ``text``, a boards file, with ``entries`` after its last board. Raises Misuse if that is not possible."""
    if not entries:
        return text
    newline = "\r\n" if "\r\n" in text else "\n"
    boards = _boards(text)
    if boards is None:
        before = text if not text or text.endswith(("\n", "\r")) else text + newline
        new = before + newline.join(["boards:", *_blocks(entries, 2)]) + newline
    elif boards.flow_style:
        at = max((_end(text, node) for node in boards.value), default=boards.start_mark.index + 1)
        joined = ", ".join(entry.flow() for entry in entries)
        new = text[:at] + (", " if boards.value else "") + joined + text[at:]
    else:
        at = _line_end(text, _end(text, boards))
        lines = newline.join(_blocks(entries, boards.start_mark.column))
        new = text[:at] + newline + lines + text[at:]
    _check(text, new, entries)
    return new


def write_merged(path: Path, entries: Sequence[BoardEntry]) -> None:
    """Add ``entries`` to the file. It is replaced in one step, and its mode stays. Raises Misuse."""
    real = Path(os.path.realpath(path))
    try:
        former = real.read_bytes().decode() if real.exists() else ""
        mode = real.stat().st_mode & 0o7777 if real.exists() else 0o644
        new = merged(former, entries)
        with tempfile.NamedTemporaryFile("wb", dir=real.parent, prefix=f".{real.name}.", delete=False) as file:
            try:
                file.write(new.encode())
                os.fchmod(file.fileno(), mode)
                file.close()
                os.replace(file.name, real)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except UnicodeDecodeError as error:
        raise Misuse(f"{path}: the file is not UTF-8; save it as UTF-8") from error
    except OSError as error:
        raise Misuse(f"{path}: cannot write the boards file: {error.strerror}; name another with --boards") from error


def _boards(text: str) -> yaml.SequenceNode | None:
    """Return the list of boards, or None if the file has none. Raises Misuse if nothing can be added to the file."""
    document = Document(text)
    if document.mistakes:
        first = document.mistakes[0]
        raise Misuse(f"line {first.line}: {first.text}; nothing was added")
    if document.empty:
        return None
    root = yaml.compose(text, yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise Misuse("the boards file is not a block of keys; add the boards by hand (boards suggest prints them)")
    node = next((value for key, value in root.value if key.value == "boards"), None)
    if node is None:
        return None
    if not isinstance(node, yaml.SequenceNode):
        raise Misuse("'boards' is not a list; correct it first")
    return node


def _end(text: str, node: yaml.Node) -> int:
    """Return where the last value in a node ends. The node itself ends only at the next token, after comments."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [part for pair in node.value for part in pair]
        return max(_end(text, part) for part in parts)
    end = node.end_mark.index
    while end > node.start_mark.index and text[end - 1] in "\r\n":  # a literal text includes its line ends
        end -= 1
    return end


def _line_end(text: str, at: int) -> int:
    """Return the place before the line end, so that a comment after the last value stays beside it."""
    while at < len(text) and text[at] not in "\r\n":
        at += 1
    return at


def _blocks(entries: Sequence[BoardEntry], indent: int) -> list[str]:
    return [line for entry in entries for line in entry.block(indent)]


def _check(former: str, new: str, entries: Sequence[BoardEntry]) -> None:
    """Raise Misuse unless the new file means the same as the former one with the entries."""
    wanted: Any = Document(former).value or {}
    wanted = wanted | {"boards": [*wanted.get("boards", []), *(dict(entry.keys) for entry in entries)]}
    if Document(new).value != wanted:
        raise Misuse("nothing can be added to the boards file as it is written; add the boards by hand")
