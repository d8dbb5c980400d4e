from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.page.words import LONGEST, clock, short_test, span, visible


@given(st.text())
def test_nothing_hidden_is_left(text):
    shown = visible(text)
    assert all(category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") or char in "\n\t" for char in shown)
    assert not set("\u202e\u2066\u200b\x1b\x00") & set(shown)


def test_a_long_text_is_cut_and_says_how_long_it_was():
    shown = visible("x" * 1_000_000)
    assert len(shown) < LONGEST + 40
    assert shown.endswith("… (1,000,000 characters)")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *[(0.000054, "54 µs"), (0.0009999, "1.00 ms"), (0.0284, "28.4 ms"), (0.5, "500 ms"), (3.42, "3.42 s")],
        *[(42.0, "42.0 s"), (296.0, "4 min 56 s"), (59.9999, "60.0 s"), (3720.0, "1 h 02 min")],
    ],
)
def test_lengths_of_time(seconds, words):
    assert span(seconds) == words


def test_clocks_and_names():
    assert clock("2026-11-27T02:00:00.000+00:00") == "Fri 27 Nov 2026, 02:00 UTC"
    assert clock("noon") == "noon"
    assert short_test("tests/a/test_b.py::TestC::test_d[x/y::z]") == ("test_d[x/y::z]", "test_b · TestC")
    assert short_test("odd") == ("odd", "")
