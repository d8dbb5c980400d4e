from collections import Counter

import pytest

from tests.code_mutants import counted, share, table, to_try_again, verdict

SAID = """
    harness.at.answer.xǁAtErrorǁ__init____mutmut_1: killed
    harness.at.answer.x_answer_of__mutmut_2: survived
    harness.at.answer.x_answer_of__mutmut_3: timeout
    harness.trial.verdict.x__text__mutmut_1: no tests
    harness.trial.verdict.x__text__mutmut_2: not checked
"""


def test_results_are_counted_by_module():
    found = counted(SAID.splitlines())
    assert found == {
        "at.answer": Counter(killed=1, survived=1, timeout=1),
        "trial.verdict": Counter({"no tests": 1, "not checked": 1}),
    }
    assert table(found) == [
        "at.answer                            3 mutants   66.7 % killed  1 survived",
        "trial.verdict                        2 mutants    0.0 % killed  1 no tests  1 not checked",
        "all                                  5 mutants   50.0 % killed  1 no tests  1 not checked  1 survived",
    ]


def test_what_no_test_noticed_is_tried_again():
    assert to_try_again(SAID.splitlines()) == [
        "harness.at.answer.x_answer_of__mutmut_2",
        "harness.trial.verdict.x__text__mutmut_1",
    ]


def test_what_hangs_is_noticed_too():
    assert share(Counter(killed=1, timeout=1, survived=2)) == 50.0


def test_what_was_not_tried_does_not_count():
    assert share(Counter({"killed": 1, "not checked": 9})) == 100.0
    assert share(Counter({"not checked": 9})) == 0.0


@pytest.mark.parametrize(
    ("results", "ended", "code", "line"),
    [
        (
            Counter(killed=9, survived=1),
            True,
            0,
            "enough: 90.0 % of the mutants that were tried are killed, 90 % are wanted",
        ),
        (
            Counter(killed=8, survived=2),
            True,
            1,
            "too few: 80.0 % of the mutants that were tried are killed, 90 % are wanted",
        ),
        (
            Counter({"killed": 1, "not checked": 3}),
            False,
            2,
            "stopped with 3 not tried (100.0 % of the mutants that were tried are killed, 90 % are wanted); "
            "run it again to go on",
        ),
    ],
)
def test_the_verdict_is_one_line(results, ended, code, line):
    assert verdict(results, ended=ended) == (code, line)
