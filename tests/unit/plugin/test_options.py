"""A mistake on pytest's command line is one line: argparse alone would tell pytest's whole usage."""

import pytest
from _pytest.config.argparsing import Parser

from harness.plugin.options import pytest_addoption


@pytest.fixture
def parser():
    made = Parser(_ispytest=True)
    pytest_addoption(made)
    return made


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--jobs", "x"], "--jobs x: it must be a number of boards, 1 or more; correct it"),
        (["--jobs", "0"], "--jobs 0: it must be a number of boards, 1 or more; correct it"),
        (["--wait", "long"], "--wait long: it must be a number of seconds, 0 or more; correct it"),
        (["--wait=-5"], "--wait -5: it must be a number of seconds, 0 or more; correct it"),
        (["--wait", "nan"], "--wait nan: it must be a number of seconds, 0 or more; correct it"),
        (["--confidence", "high"], "--confidence high: it must be a number; correct it"),
    ],
)
def test_a_wrong_number_is_one_line(parser, words, said):
    with pytest.raises(pytest.UsageError) as caught:
        parser.parse(words)
    assert str(caught.value) == said


def test_numbers_are_read(parser):
    given = parser.parse(["--jobs", "4", "--wait", "0.5", "--confidence", "1e-2"])
    assert (given.jobs, given.wait, given.confidence) == (4, 0.5, 0.01)
