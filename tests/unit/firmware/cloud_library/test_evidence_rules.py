"""What the rules for single lines are made of. The rules themselves are made when the module is imported."""

import pytest

from harness.firmware.cloud_library.evidence import LogClass, _always, _numbered, _unless

FOUND = (LogClass.KICKED, 7, True)


def test_a_text_alone_may_be_all():
    assert _always(LogClass.CONNECTED)("any line") == (LogClass.CONNECTED, 0, True)
    assert _always(LogClass.KICKED, 7, strong=False)("any line") == (LogClass.KICKED, 7, False)


def test_another_text_on_the_line_takes_its_meaning():
    rule = _unless("a", "b", then=lambda line: FOUND if line == "xyz" else None)
    assert rule("xyz") == FOUND
    assert rule("other") is None
    assert [_unless("a", "b", then=lambda _line: FOUND)(line) for line in ("xa", "xb", "ab", "x")] == [
        *(None, None, None, FOUND),
    ]


@pytest.mark.parametrize(
    ("line", "number"), [("error: -12 of 3", -12), ("error: 4", 4), ("error: x", None), ("none", None)]
)
def test_a_number_on_the_line_decides(line, number):
    asked = []

    def meaning(code):
        asked.append(code)
        return FOUND if code > 0 else None

    rule = _numbered(r"error: (-?\d+)(.*)", meaning)
    assert rule(line) == (FOUND if number and number > 0 else None)
    assert asked == ([] if number is None else [number])
