"""docs/survivors/*.txt, the list of mutants that survive for a reason, and what ``make mutants`` lacks in it.

A mutant's number changes with every line above it. So the list names it by its file, its function and its change::

    ## harness/at/answer.py

    answer_of: Both are names of the same codec.
    -    texts = line.decode("utf-8")
    +    texts = line.decode("UTF-8")

A reason may go on in lines that begin with two spaces. A blank line divides two changes of one function that have the
same reason.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Change:
    """A mutant: in ``function`` (with its class) of the file ``path`` the lines ``old`` became ``new``.

    No line has an indent here.
    """

    path: str
    function: str
    old: tuple[str, ...]
    new: tuple[str, ...]


class BadList(Exception):
    """A line of the list that cannot be read: where, and what it should be."""


def function_of(name: str) -> str:
    """Return the function, with its class, of a mutant's name.

    >>> function_of("harness.at.answer.xǁAnswerǁvalue__mutmut_3"), function_of("harness.at.answer.x__of__mutmut_3")
    ('Answer.value', '_of')
    """
    said = name.rpartition("__mutmut_")[0].rpartition(".")[2]
    return said.removeprefix("xǁ").replace("ǁ", ".") if "ǁ" in said else said.removeprefix("x_")


def change_of(name: str, path: str, diff: str) -> Change:
    """Return what a mutant changes; ``diff`` as ``mutmut show`` prints it."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    return Change(path, function_of(name), _sides(lines, "-"), _sides(lines, "+"))


def listed(folder: Path) -> dict[Change, str]:
    """Return the changes of all files of the list, each with its place (``file:line: function``).

    Raises:
        BadList: a line is none of the list's.
    """
    found: dict[Change, str] = {}
    for file in sorted(folder.glob("*.txt")):
        found.update(_read(file))
    return found


def compared(survivors: Mapping[str, Change], known: Mapping[Change, str], *, whole: bool) -> list[str]:
    """Return the lines that say which survivors the list lacks.

    Args:
        survivors: what each changes, by its name.
        known: the list, as ``listed`` returns it.
        whole: all mutants were tried; so whatever is listed and not among the survivors is said, too.
    """
    new = {name: change for name, change in survivors.items() if change not in known}
    lines = [f"{len(survivors)} survive: {len(survivors) - len(new)} stand in docs/survivors with their reason"]
    lines[0] += f", {len(new)} do not:" if new else ""
    for name, change in new.items():
        lines += ["", name, *(f"- {line}" for line in change.old), *(f"+ {line}" for line in change.new)]
    gone = [place for change, place in known.items() if change not in survivors.values()] if whole else []
    if gone:
        lines += ["", f"{len(gone)} of docs/survivors survive no more, or are no mutants now:", *gone]
    return lines


def _read(file: Path) -> Iterable[tuple[Change, str]]:
    path = function = place = ""
    block: list[str] = []
    for number, line in enumerate([*file.read_text("utf-8").splitlines(), ""], 1):
        if line[:1] in ("-", "+"):
            if not function:
                raise BadList(f"{file}:{number}: a change before any function: write `function: reason` above it")
            place = place or f"{file}:{number}: {function}"
            block.append(line)
            continue
        if block:
            yield Change(path, function, _sides(block, "-"), _sides(block, "+")), place
        block, place = [], ""
        if line.startswith("## "):
            path, function = line[3:].strip(), ""
        elif line and not line.startswith("  "):
            function, colon, reason = line.partition(": ")
            if not path or not colon or not reason.strip():
                raise BadList(f"{file}:{number}: {line!r} is neither `## file` nor `function: reason`")


def _sides(lines: Iterable[str], side: str) -> tuple[str, ...]:
    return tuple(line[1:].strip() for line in lines if line.startswith(side))
