"""What the rules over a whole run are given of a test: from a few events."""

import pytest

from harness.timeline import Event, Kind
from harness.trial import Outcome
from harness.trial.verdict_record import HangUp, RecordReading, TestRecord, TrialVerdict, record_of, wanted_of


class Story:
    """The events of a test, a second apart."""

    def __init__(self):
        self.events = []

    def add(self, kind, text="", /, **data):
        number = len(self.events)
        self.events.append(Event(number, float(number), kind, "b", text, data))
        return self

    def attempt(self, trial=1, sort="packet", action="x", on="begin"):
        return self.add(Kind.PHASE, name="attempt", on=on, trial=trial, sort=sort, action=action)

    def action(self, on="begin", **data):
        return self.add(Kind.PHASE, name="action", on=on, **data)

    def mqtt(self, kind, result=0):
        return self.add(Kind.MQTT, kind, kind=kind, result=result)

    def hung_up(self, result=-128):
        return self.mqtt("closed", result)

    def verdict(self, outcome="policy disconnect", trial=1):
        return self.add(Kind.FACTS, trial=trial, outcome=outcome)

    @property
    def hang_ups(self):
        return list(record_of(self.events).hang_ups)

    @property
    def verdicts(self):
        return list(record_of(self.events).verdicts)


def test_nothing_is_an_empty_record():
    assert record_of([]) == TestRecord()
    assert record_of(Story().add(Kind.EXPECT, wanted=["tolerated"]).events) == TestRecord()


def test_a_verdict_and_what_was_expected_of_it():
    story = Story().attempt().verdict()
    assert story.verdicts == [TrialVerdict(1, "packet", "x", "policy disconnect")]
    story.add(Kind.EXPECT, wanted=["tolerated", "ignored"])
    assert story.verdicts == [TrialVerdict(1, "packet", "x", "policy disconnect", ("tolerated", "ignored"))]
    story.attempt(2, "call", "ask").verdict("denied", 2).add(Kind.EXPECT, wanted=["denied"])
    assert story.verdicts[0].wanted == ("tolerated", "ignored")
    assert story.verdicts[1] == TrialVerdict(2, "call", "ask", "denied", ("denied",))


@pytest.mark.parametrize(("wanted", "read"), [(["a"], ("a",)), (("a", 1), ("a", "1")), ("a", ()), (None, ()), (3, ())])
def test_what_a_hand_has_written_is_not_expected(wanted, read):
    assert wanted_of(Event(0, 0.0, Kind.EXPECT, "b", "", {"wanted": wanted})) == read


def test_other_outcomes_may_take_their_place():
    story = Story().attempt().verdict()
    (found,) = record_of(story.events, {1: Outcome.TOLERATED}).verdicts
    assert found.outcome == Outcome.TOLERATED
    (kept,) = record_of(story.events, {2: Outcome.TOLERATED}).verdicts
    assert kept.outcome == "policy disconnect"


def test_a_hang_up_at_the_action_and_one_beside_it():
    story = Story().attempt().mqtt("accepted").action().hung_up()
    assert story.hang_ups == [HangUp(2.0, 0, 1, True)]
    beside = Story().attempt(3).mqtt("accepted").add(Kind.RX, "a line").hung_up()
    assert beside.hang_ups == [HangUp(2.0, 0, 3, False)]


def test_an_end_as_asked_or_by_the_network_is_none():
    for result in (0, -116, -110):
        assert Story().attempt().mqtt("accepted").hung_up(result).hang_ups == []


def test_an_end_that_gives_no_reason_is_no_hang_up():
    assert Story().attempt().mqtt("accepted").add(Kind.MQTT, kind="closed").hang_ups == []


def test_an_age_is_rounded_to_a_microsecond():
    story = Story().attempt().mqtt("accepted").hung_up()
    story.events[-1] = story.events[-1]._replace(t=1.23456789)
    assert story.hang_ups == [HangUp(0.234568, 0, 1, False)]


def test_a_verdict_whose_attempt_an_edit_took_away_is_of_nothing():
    assert Story().verdict().verdicts == [TrialVerdict(1, "", "", "policy disconnect")]


def test_the_action_of_a_group_of_one_is_not_named():
    (found,) = Story().attempt(sort="group").mqtt("accepted").action().action("end").hung_up().hang_ups
    assert found.tried == ("",)


def test_a_hang_up_on_a_connection_whose_begin_nobody_saw_is_none():
    assert Story().attempt().hung_up().hang_ups == []
    assert Story().attempt().mqtt("accepted").hung_up().hung_up().hang_ups == [HangUp(1.0, 0, 1, False)]


def test_a_hang_up_behind_the_action_may_be_its_late_refusal():
    assert Story().attempt().mqtt("accepted").action().action("end").hung_up().hang_ups == []
    anew = Story().attempt().mqtt("accepted").action().action("end").mqtt("accepted").hung_up()
    assert anew.hang_ups == [HangUp(1.0, 0, 1, False)]
    another = Story().attempt().mqtt("accepted").action().action("end").attempt(2).hung_up()
    assert another.hang_ups == [HangUp(4.0, 0, 2, False)]


def test_packets_that_need_a_right_are_counted():
    story = Story().attempt().mqtt("accepted")
    for text in ('AT#XMQTTPUB="t"', "at#xmqttsub=1", "MQTT PUBLISH t", "MQTT SUBSCRIBE t", "AT#XMQTTUNSUB=1", "AT"):
        story.add(Kind.TX, text)
    story.add(Kind.RX, 'AT#XMQTTPUB="t"').hung_up()
    (found,) = story.hang_ups
    assert (found.packets, found.age) == (4, 8.0)
    story.mqtt("accepted").hung_up()
    assert story.hang_ups[1].packets == 0


def test_it_is_read_as_it_comes_and_comes_back_from_json():
    story = Story().attempt().mqtt("accepted").action().hung_up().verdict()
    reading = RecordReading()
    for event in story.events:
        reading([event])
    record = record_of(story.events)
    assert reading.record == record
    assert TestRecord.of(record.as_data()) == record
    older = {"verdicts": [], "hang_ups": [{"age": 1.0, "packets": 2, "trial": 3, "at_action": True}]}
    assert TestRecord.of(older).hang_ups == (HangUp(1.0, 2, 3, True),)


def test_of_a_group_any_action_that_was_sent_may_have_been_refused():
    story = Story().attempt(sort="group").mqtt("accepted").action(tried="a").action("end", tried="a")
    story.action(tried="b").action("end").hung_up()
    (found,) = story.hang_ups
    assert (found.at_action, found.tried) == (False, ("a", "b"))
    story.mqtt("accepted").hung_up()
    assert story.hang_ups[1].tried == ()
