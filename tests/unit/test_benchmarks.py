"""What benchmarks count and return, without measuring anything."""

import os
from collections import Counter

import pytest

from benchmarks import at_port, two_exporters, verdicts
from benchmarks.nights import Night, against_one
from harness.timeline import Timeline
from harness.trial import Outcome
from tests.fake import Fake

LIMIT = two_exporters.GOAL * 100.0


@pytest.mark.parametrize(
    ("labgrids", "own", "passed", "words", "expected"),
    [
        (LIMIT, LIMIT, 9, (), 0),
        (LIMIT + 1.0, LIMIT, 9, (), 1),
        (LIMIT, LIMIT + 1.0, 9, (), 1),
        (LIMIT, LIMIT + 1.0, 9, ("--served-by", "labgrid"), 0),
        (LIMIT + 1.0, LIMIT, 9, ("--served-by", "own"), 0),
        (LIMIT + 1.0, LIMIT, 9, ("--served-by", "own", "undelayed"), 1),
        (100.0, 100.0, 8, (), 1),
    ],
)
def test_two_exporters_warm_up_and_fail_above_their_goal(monkeypatch, capsys, labgrids, own, passed, words, expected):
    ran = []

    def made(seconds, passed):
        return Night(2, seconds, 1.0, Counter({"passed": passed, "failed": 9 - passed}), 1.0, 1.0)

    def local(names, more):
        ran.append("local")
        return made(500.0 if len(ran) == 1 else 100.0, 9)

    def behind(names, more, served_by):
        ran.append(served_by)
        return made(own if served_by == "own" else labgrids, passed)

    monkeypatch.setattr(two_exporters, "missing", lambda: "")
    monkeypatch.setattr(two_exporters, "_local", local)
    monkeypatch.setattr(two_exporters, "_behind_exporters", behind)
    assert two_exporters.main(["--boards", "2", *words]) == expected
    assert ran == ["local", "local", *(words[1:] or ("labgrid", "own"))]
    said = capsys.readouterr().out
    assert "500" not in said
    assert said.count("of local (goal: at most 1.15x)") == len(ran) - 2


def test_nights_are_compared_with_that_of_one_board():
    def took(boards, seconds):
        return Night(boards, seconds, 1.0, Counter({"passed": 9}), 1.0, 1.0)

    nights = [took(0, 5.0), took(16, 130.0), took(1, 100.0), took(64, 400.0)]
    assert against_one(nights) == ["16 boards against one: 1.30x (goal: at most 1.3x)", "64 boards against one: 4.00x"]
    assert not against_one(nights[:2])


def test_a_timeline_that_cannot_be_judged_again_is_counted_as_escaped(monkeypatch, capsys):
    class Device(Fake):
        timeline = Timeline()

    class Result(Fake):
        outcome = Outcome.TOLERATED

    class Board(Fake):
        device = Device()
        results = ()

        def publish(self, topic):
            return Result()

    def broken(events):
        raise ValueError("no such rule")

    monkeypatch.setattr(verdicts, "rejudge", broken)
    assert verdicts._trial(Board(), "ok/action1", Outcome.TOLERATED).found == ("escaped",)
    assert "no such rule" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("there", "theirs", "asked"), [({2, 5, 7}, 5, [{2}, {2, 5, 7}]), ({3}, None, [])], ids=["several", "one"]
)
def test_each_end_of_a_port_gets_a_core_while_round_trips_are_measured(monkeypatch, there, theirs, asked):
    given = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: there)
    monkeypatch.setattr(os, "sched_setaffinity", lambda process, cores: given.append(cores))
    with at_port.a_core_each() as core:
        assert core == theirs
    assert given == asked
