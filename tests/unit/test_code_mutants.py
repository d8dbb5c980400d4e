from collections import Counter

from tests.code_mutants import counted, share, table

SAID = """
    harness.at.answer.xǁAtErrorǁ__init____mutmut_1: killed
    harness.at.answer.x_answer_of__mutmut_2: survived
    harness.at.answer.x_answer_of__mutmut_3: timeout
    harness.trial.verdict.x__text__mutmut_1: no tests
"""


def test_results_are_counted_by_module():
    found = counted(SAID.splitlines())
    assert found == {
        "at.answer": Counter(killed=1, survived=1, timeout=1),
        "trial.verdict": Counter({"no tests": 1}),
    }
    assert table(found) == [
        "at.answer                            3 mutants   66.7 % killed  1 survived",
        "trial.verdict                        1 mutants    0.0 % killed  1 no tests",
        "all                                  4 mutants   50.0 % killed  1 no tests  1 survived",
    ]


def test_what_hangs_is_noticed_too():
    assert share(Counter(killed=1, timeout=1, survived=2)) == 50.0
