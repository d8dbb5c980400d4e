"""Public docstrings name the parameters, where there are more than two."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FEW = 2  # parameters that a sentence says in passing


def modules():
    """Yield the public modules of the harness."""
    for path in sorted((ROOT / "harness").rglob("*.py")):
        if not any(part.startswith("_") and part != "__init__.py" for part in path.relative_to(ROOT).parts):
            yield path


def functions(tree):
    """Yield the public functions of a module, each with the class that it is a method of."""
    waiting: list[Any] = [(tree.body, None)]
    for body, owner in waiting:
        for node in body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                waiting.append((node.body, node))
            elif hasattr(node, "args") and (node.name == "__init__" or not node.name.startswith("_")):
                yield node, owner


def said_elsewhere(function, owner):
    """Tell whether pytest calls it with what pytest explains, or its docstring points to another one, as a base's."""
    decorators = [ast.unparse(one) for one in function.decorator_list]
    if function.name.startswith("pytest_") or any(one.startswith("pytest.fixture") for one in decorators):
        return True
    bases = [ast.unparse(base).partition("[")[0] for base in owner.bases] if owner is not None else []
    text = ast.get_docstring(function) or ""
    return text.startswith(("See :class:`", "See :meth:`")) or any(
        re.search(rf"\bSee (?::\w+:`)?{re.escape(base)}\b", text) for base in bases
    )


def parameters(function, owner):
    """Return the names of what callers pass."""
    said = function.args
    names = [one.arg for one in (*said.posonlyargs, *said.args)]
    if owner is not None and "staticmethod" not in map(ast.unparse, function.decorator_list):
        del names[0]  # self or cls
    names += [one.arg for one in (said.vararg, *said.kwonlyargs, said.kwarg) if one is not None]
    return [name for name in names if not name.startswith("_")]  # those are not used


def unnamed(function, owner):
    """Return the parameters that the docstring does not name, where there are more than two.

    What makes an object may be explained by the docstring of its class.
    """
    names = parameters(function, owner)
    if len(names) <= FEW or said_elsewhere(function, owner):
        return []
    text = ast.get_docstring(function) or ""
    if function.name == "__init__":
        text += ast.get_docstring(owner) or ""
    listed = text.partition("Args:")[2]
    return [
        name
        for name in names
        if not re.search(rf"``\*{{0,2}}{name}(``|\()", text)
        and not re.search(rf"^\s+\*{{0,2}}{name}\b.*:", listed, re.MULTILINE)
    ]


def faults(path, source):
    """Return a line for each function whose docstring leaves parameters out."""
    found = ((function, unnamed(function, owner)) for function, owner in functions(ast.parse(source)))
    return [f"{path}:{one.lineno}: {one.name} does not say what {', '.join(names)} is" for one, names in found if names]


def test_public_docstrings_list_the_parameters_of_functions_with_more_than_two():
    found = [line for path in modules() for line in faults(path.relative_to(ROOT), path.read_text())]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ('def f(a, b, c):\n    """Add ``a``, ``b`` and ``c``."""', ""),
        ('def f(a, b, c):\n    """Add ``a``, ``b`` and c."""', "c"),
        ("def f(a, b, c): ...", "a, b, c"),
        ("def f(a, b): ...", ""),
        ("def f(a, b, _c): ...", ""),
        ("def _f(a, b, c): ...", ""),
        ('async def f(a, *b, c, **d):\n    """Of ``a``."""', "b, c, d"),
        ('def f(a, *b, c=lambda x: x, **d):\n    """Of ``a``, ``*b``, ``c(x)`` and ``**d``."""', ""),
        ('def f(a, b, c):\n    """Do.\n\n    Args:\n        a: left\n        b (int): right\n    """', "c"),
        ("class K:\n    def f(self, a, b): ...", ""),
        ('class K:\n    """``a``, ``b``."""\n    def __init__(self, a, b, c): ...', "c"),
        ('class K:\n    """``a``, ``b``, ``c``."""\n    def f(self, a, b, c): ...', "a, b, c"),
        ("class K:\n    @staticmethod\n    def f(a, b, c): ...", "a, b, c"),
        ("class _K:\n    def f(self, a, b, c): ...", ""),
        ('class K(m.B):\n    def f(self, a, b, c):\n        """See :meth:`m.B.f`."""', ""),
        ('class K:\n    def f(self, a, b, c):\n        """See :meth:`D.f`."""', ""),
        ('class K(B):\n    def f(self, a, b, c):\n        """Do. See B."""', ""),
        ('class K(B):\n    def f(self, a, b, c):\n        """Do. See C."""', "a, b, c"),
        ("def pytest_f(a, b, c): ...", ""),
        ("@pytest.fixture(scope='session')\ndef f(a, b, c): ...", ""),
    ],
)
def test_which_parameters_are_missing(source, missing):
    found = faults(Path("m.py"), source)
    assert [line.partition(" does not say what ")[2] for line in found] == ([f"{missing} is"] if missing else [])


def test_a_fault_says_where_it_is():
    assert faults(Path("m.py"), "import a\n\ndef f(a, b, c): ...") == ["m.py:3: f does not say what a, b, c is"]
