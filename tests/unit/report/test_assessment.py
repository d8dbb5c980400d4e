"""Headlines as a person would write them, and the causes under them."""

from dataclasses import replace

import pytest

from harness.report.assessment import assess, listing, short_run
from harness.report.causes import CLOUD_LOST, FailureCause
from harness.report.run_summary import BoardSummary
from tests.unit.report.runs_made_up import night, summary

CLOUD = FailureCause("c1", "cloud", "The cloud refuses what associated statement 2 allows")
GRANTS = FailureCause("g1", "cloud", "The cloud allows what no statement of its policies allows")
MODEM = FailureCause("m1", "modem/firmware", "AT%JWT is refused")
LOST = FailureCause("l1", "lab", "rack-3 was lost")
GONE = FailureCause("l1", "cloud", CLOUD_LOST)
CAUSES = {"c": "c1", "g": "g1", "m": "m1", "l": "l1"}


def run(number, letters, out=(), complete=True):
    """``letters``: for each board its tests: P, c (cloud's failure), g (another of it), m (modem's), l (lost), S."""
    results, cause_of = {}, {}
    for board, tests in letters.items():
        results[board] = {}
        for place, letter in enumerate(tests):
            key = f"t{place}"
            results[board][key] = {"P": "passed", "S": "skipped", "l": "error"}.get(letter, "failed")
            if letter in CAUSES:
                cause_of[key] = CAUSES[letter]
    made = summary(number, results, causes=(CLOUD, GRANTS, MODEM, LOST), cause_of=cause_of, complete=complete)
    return replace(made, boards={**made.boards, **{board: BoardSummary("v1", "died") for board in out}})


def headline(*nights):
    return assess(nights).headline


def test_new_older_and_lost():
    nights = [
        run(1, {"dk": "PPPPP", "thingy": "PPPPPmm", "rack-3": "PP"}),
        run(2, {"dk": "cccPP", "thingy": "PPPPPmm", "rack-3": "PPPPPPPl"}, out=["rack-3"]),
    ]
    assert (
        headline(*nights)
        == "3 new failures point at the cloud; 2 older failures point at modem or firmware. rack-3 was lost."
    )


@pytest.mark.parametrize(
    ("nights", "words"),
    [
        ([run(1, {"dk": "PPS"})], "All 2 tests passed."),
        ([run(1, {"dk": "c"}), run(2, {"dk": "P"})], "The one test passed; 1 of them did not before."),
        ([run(1, {"dk": "cP"})], "1 failure points at the cloud. There is no earlier run to compare with."),
        ([run(1, {"dk": "P"}), run(2, {"dk": "c"})], "1 new failure points at the cloud."),
        ([run(1, {"dk": "PPP"}), run(2, {"dk": "ccg"})], "3 new failures of 2 causes point at the cloud."),
        (
            [run(1, {"dk": "PgP"}), run(2, {"dk": "cgP"})],
            "1 new failure points at the cloud; 1 older failure points at the cloud.",
        ),
        (
            [run(i, {"dk": "P" if i % 3 else "c"}) for i in range(1, 10)],
            "1 failure that comes and goes points at the cloud.",
        ),
        ([run(1, {"rack-3": "Pll"}, out=["rack-3"])], "Nothing failed, but 2 tests proved nothing: rack-3 was lost."),
        (
            [replace(run(1, {"dk": "Pl", "rack-3": "l"}, out=["dk", "rack-3"]), causes=(GONE,))],
            "Nothing failed, but 2 tests proved nothing: the cloud was lost.",
        ),
        ([run(1, {"dk": "Pl"})], "Nothing failed, but 1 test proved nothing."),
        ([run(1, {"dk": "S"})], "Nothing was tested: no test passed, and none failed."),
        ([run(1, {"dk": "P"}, complete=False)], "The run was interrupted (killed)."),
        (
            [replace(run(1, {"dk": "P"}, complete=False), interrupted="interrupted by SIGTERM", not_run=7)],
            "The run was interrupted by SIGTERM: 7 tests were not run.",
        ),
    ],
)
def test_headlines(nights, words):
    assert headline(*nights) == words


def test_a_run_that_tested_nothing_is_not_green():
    assert assess([run(1, {"dk": "SS"})]).run.state == "amber"
    assert assess([run(1, {"dk": "SP"})]).run.state == "green"


def test_causes_stand_in_the_order_of_parties_and_say_since_when():
    nights = [
        run(i, {"dk": "PPPPP" if i < 4 else "cPPPP", "thingy": "PPPPPm", "rack-3": "PPPPPPPP"}) for i in range(1, 4)
    ]
    nights.append(run(4, {"dk": "cPPPP", "thingy": "PPPPPm", "rack-3": "PPPPPPPl"}, out=["rack-3"]))
    rows = assess(nights).causes
    assert [(row.cause.party, row.since, row.boards) for row in rows] == [
        ("cloud", "new in this run", ["dk"]),
        ("modem/firmware", f"since {short_run(night(1))} (4 runs)", ["thingy"]),
        ("lab", "new in this run", ["rack-3"]),
    ]


def test_lab_trouble_says_when_it_was_met_before():
    nights = [
        run(1, {"rack-3": "Pl"}, out=["rack-3"]),
        run(2, {"rack-3": "PP"}),
        run(3, {"rack-3": "Pl"}, out=["rack-3"]),
    ]
    (row,) = assess(nights).causes
    assert row.since == f"also in {short_run(night(1))}"
    assert assess(nights).run.state == "amber"


def test_everybody_is_counted_once():
    found = assess([run(1, {"dk": "ccP", "rack-3": "PPPll"}, out=["rack-3"])])
    assert dict(found.blame) == {"cloud": 2, "lab": 2}


def test_lists_in_words():
    assert [listing(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
    assert (short_run("20261127T020000Z-4711"), short_run("else")) == ("27 Nov 02:00", "else")
