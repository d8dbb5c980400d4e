import ast
from pathlib import Path

import pytest

from tests.survivors import BadList, Change, change_of, compared, function_of, listed

ROOT = Path(__file__).parents[2]
LIST = """## harness/at/answer.py

answer_of: Both are names of the same codec, which is a long
  story: and has a colon.
-    texts = "utf-8"
+    texts = "UTF-8"

-    if (
-        a
+    if (
+        b

Answer.value: Another reason.
-    x = 1
+    x = 2
"""
CODEC = Change("harness/at/answer.py", "answer_of", ('texts = "utf-8"',), ('texts = "UTF-8"',))
SPLIT = Change("harness/at/answer.py", "answer_of", ("if (", "a"), ("if (", "b"))
VALUE = Change("harness/at/answer.py", "Answer.value", ("x = 1",), ("x = 2",))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "at-answer.txt").write_text(LIST)
    return tmp_path


def test_each_change_is_read_with_its_place(folder):
    file = folder / "at-answer.txt"
    assert listed(folder) == {
        CODEC: f"{file}:5: answer_of",
        SPLIT: f"{file}:8: answer_of",
        VALUE: f"{file}:14: Answer.value",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("f: reason\n", "1: 'f: reason' is neither `## file` nor `function: reason`"),
        ("## a.py\nonly words\n", "2: 'only words' is neither `## file` nor `function: reason`"),
        ("## a.py\nf: \n", "2: 'f: ' is neither `## file` nor `function: reason`"),
        ("## a.py\n\n-  x\n", "3: a change before any function: write `function: reason` above it"),
        (
            "## a.py\nf: r\n- x\n+ y\n## b.py\n-  x\n",
            "6: a change before any function: write `function: reason` above it",
        ),
    ],
)
def test_a_line_that_is_none_is_said_with_its_place(tmp_path, text, said):
    (tmp_path / "x.txt").write_text(text)
    with pytest.raises(BadList) as raised:
        listed(tmp_path)
    assert str(raised.value) == f"{tmp_path / 'x.txt'}:{said}"


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("harness.at.answer.x_answer_of__mutmut_15", "answer_of"),
        ("harness.at.answer.x__text__mutmut_1", "_text"),
        ("harness.at.answer.xǁAtErrorǁ__init____mutmut_1", "AtError.__init__"),
        ("harness.trial.attempt_facts.xǁ_Readingǁ_between__mutmut_1", "_Reading._between"),
    ],
)
def test_the_function_of_a_mutant(name, function):
    assert function_of(name) == function


def test_the_change_of_a_mutant_is_its_diff_without_indents():
    diff = """--- harness/at/answer.py
+++ harness/at/answer.py
@@ -6,5 +6,5 @@
     if final.kind != "OK":
         raise AtError(command.shown, final)
-    texts = "utf-8"
+    texts = "UTF-8"
     return texts"""
    assert change_of("harness.at.answer.x_answer_of__mutmut_15", "harness/at/answer.py", diff) == CODEC


def test_survivors_without_a_reason_are_named_and_reasons_without_a_survivor(folder):
    other = Change("harness/at/codes.py", "f", ("y",), ("z",))
    survivors = {"one__mutmut_1": CODEC, "two__mutmut_2": other}
    assert compared(survivors, listed(folder), whole=True) == [
        "2 survive: 1 stand in docs/survivors with their reason, 1 do not:",
        "",
        "two__mutmut_2",
        "- y",
        "+ z",
        "",
        "2 of docs/survivors survive no more, or are no mutants now:",
        f"{folder / 'at-answer.txt'}:8: answer_of",
        f"{folder / 'at-answer.txt'}:14: Answer.value",
    ]


def test_a_part_of_the_mutants_says_nothing_of_the_others_reasons(folder):
    assert compared({"one__mutmut_1": CODEC}, listed(folder), whole=False) == [
        "1 survive: 1 stand in docs/survivors with their reason"
    ]


def test_the_projects_list_speaks_of_functions_and_lines_that_are_there():
    """Whoever changes a line that the list names has to look at the list; a wrong name would match no mutant."""
    known = listed(ROOT / "docs" / "survivors")
    lines = {path: _lines_by_function(ROOT / path) for path in {change.path for change in known}}
    unknown = [place for change, place in known.items() if change.function not in lines[change.path]]
    assert unknown == []
    assert [place for one, place in known.items() if not set(one.old) <= lines[one.path][one.function]] == []


def _lines_by_function(path):
    """Return the lines of each function, without their indents; of a method by its class, as the list names it."""
    text = path.read_text("utf-8")
    module = ast.parse(text)
    named = [("", module.body)] + [(f"{one.name}.", one.body) for one in module.body if isinstance(one, ast.ClassDef)]
    found: dict[str, set[str]] = {}
    for prefix, body in named:
        for one in body:
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = text.splitlines()[one.lineno - 1 : one.end_lineno]
                found.setdefault(prefix + one.name, set()).update(line.strip() for line in lines)
    return found
