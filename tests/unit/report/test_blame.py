"""Whom a message points at."""

import pytest

from harness.report.blame import blamed


@pytest.mark.parametrize(
    ("message", "party", "words"),
    [
        ("dk: no answer", "lab", "dk: no answer (points at the lab)"),
        ("dk: no answer\nevidence: much", "lab", "dk: no answer (points at the lab)\nevidence: much"),
        (
            "expected tolerated, got policy disconnect: publish on a/b. It hung up.",
            "cloud",
            "expected tolerated, got policy disconnect (points at the cloud): publish on a/b. It hung up.",
        ),
        (
            "x.WrongVerdict: expected a or b, got modem reset: publish. Ready.",
            "modem/firmware",
            "x.WrongVerdict: expected a or b, got modem reset (points at modem or firmware): publish. Ready.",
        ),
        ("assert 1 == 2", "unclear", "assert 1 == 2 (points at nobody yet)"),
        ("a", "", "a"),
        ("", "lab", " (points at the lab)"),
    ],
)
def test_the_first_line_says_it(message, party, words):
    assert blamed(message, party) == words
