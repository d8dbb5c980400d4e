"""run.json as somebody else may have left it: read, or one line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import Misuse
from harness.report.run_file import from_json

NUMBERS = st.integers() | st.floats() | st.integers(300, 4000).map(lambda digits: 10**digits) | st.text(max_size=3)


def document(seconds: object = 1.0, attempts: object = 1, not_run: object = 0, result: object = "passed") -> str:
    row = {"t": "a", "b": "dk-1", "r": result, "s": seconds, "a": attempts}
    said = {"schema": 1, "run": "r", "began": "", "ended": "", "complete": True, "counts": {"not_run": not_run}}
    return json.dumps({**said, "boards": {}, "causes": [], "tests": [row]})


@given(NUMBERS, NUMBERS, NUMBERS)
def test_any_number_is_read_or_named(seconds, attempts, not_run):
    try:
        (result,) = from_json(document(seconds, attempts, not_run), "run.json").results
    except Misuse:
        return
    assert f"{result.seconds:.0f}".lstrip("-").isdecimal()


@pytest.mark.parametrize("seconds", [10**400, float("nan"), float("inf")])
def test_seconds_that_make_no_sense_are_one_line(seconds):
    with pytest.raises(Misuse, match=r"^run\.json: no summary of a run \(.*\); restore it, or delete it$"):
        from_json(document(seconds), "run.json")
    assert from_json(document(), "run.json").results[0].seconds == 1.0


@pytest.mark.parametrize("result", ["weird", "", 7, None, ["passed"]])
def test_a_result_that_no_test_has_is_one_line(result):
    with pytest.raises(Misuse, match=r"^run\.json: no summary of a run \(.* is no result of a test\); restore it, or"):
        from_json(document(result=result), "run.json")


def test_what_is_nested_too_deeply_is_one_line():
    with pytest.raises(Misuse, match=r"^run\.json: no summary of a run"):
        from_json("[" * 100_000, "run.json")
