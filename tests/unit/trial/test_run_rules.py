"""What a whole run shows overturns single verdicts, and nothing else does."""

import json

import pytest

from harness.trial import Outcome
from harness.trial.actions import PublishAction
from harness.trial.run_rules import overturned
from harness.trial.verdict_record import HangUp, RecordReading, TestRecord, TrialVerdict, record_of
from tests.unit.trial.diagnosis.made import Line
from tests.unit.trial.fakes import Stage

REFUSED, TOLERATED = Outcome.POLICY_DISCONNECT, Outcome.TOLERATED


def verdict(outcome=REFUSED, wanted=REFUSED, trial=1, sort="packet"):
    return TrialVerdict(trial, sort, "publish on x (QoS 1)", outcome, (wanted,))


def at(age, *, packets=-1, trial=1, action=True):
    return HangUp(age, packets, trial, action)


def beside(*ages, packets=-1):
    """A test in which connections ended, and not at an action."""
    return TestRecord((), tuple(at(age, packets=packets, trial=9, action=False) for age in ages))


def run(*records):
    return overturned({f"test_{number}": record for number, record in enumerate(records)})


AT_A_SECOND = TestRecord((verdict(),), (at(1.02), at(0.98), at(1.0), at(1.01)))


def test_what_ends_connections_at_one_age_whatever_is_in_flight_ended_these_too():
    (found,) = run(AT_A_SECOND, beside(1.0, 1.01), beside(0.99))
    assert (found.test, found.verdict) == ("test_0", verdict())
    assert str(found) == (
        "overturned by the run: 3 connections ended at the age of 1 s too, while something allowed or nothing was in "
        "flight. It was policy disconnect (publish on x (QoS 1)) and is inconclusive."
    )


def test_one_hang_up_of_five_may_be_of_something_else():
    assert len(run(AT_A_SECOND, beside(1.0, 1.0, 1.0, 1.0, 0.1))) == 1
    assert run(AT_A_SECOND, beside(1.0, 1.0, 1.0, 0.1)) == []
    limited = TestRecord((verdict(),), (at(0.2, packets=5),))
    others = TestRecord((), tuple(at(1.0, packets=packets, action=False) for packets in (5, 5, 5, 5, 1)))
    assert len(run(limited, others)) == 1


@pytest.mark.parametrize(
    "others",
    [
        beside(1.0, 1.0),  # too few
        beside(1.0, 1.5, 2.0),  # at different ages
        beside(3.0, 3.0, 3.0),  # at another one
        TestRecord((), tuple(at(1.0, trial=number) for number in range(2, 9))),  # at actions: other refusals
    ],
)
def test_hang_ups_of_other_kinds_overturn_nothing(others):
    assert run(AT_A_SECOND, others) == []


def test_a_refusal_with_one_hang_up_elsewhere_stands():
    mixed = TestRecord((verdict(),), (at(1.0), at(1.0), at(0.2)))
    assert run(mixed, beside(1.0, 1.0, 1.0)) == []


def test_what_was_not_hung_up_on_stands():
    for outcome in (TOLERATED, Outcome.IGNORED, Outcome.INCONCLUSIVE):
        assert run(TestRecord((verdict(outcome),), AT_A_SECOND.hang_ups), beside(1.0, 1.0, 1.0)) == []


def test_a_late_refusal_does_not_rest_on_hang_ups_at_the_action():
    for outcome in (Outcome.LATE_DISCONNECT, Outcome.ACKNOWLEDGED_THEN_CLOSED):
        assert run(TestRecord((verdict(outcome),), AT_A_SECOND.hang_ups), beside(1.0, 1.0, 1.0)) == []


def test_a_packet_limit_is_known_by_its_packet_whatever_the_age():
    limited = TestRecord((verdict(),), (at(0.2, packets=5), at(3.0, packets=5)))
    assert [str(one.because)[:38] for one in run(limited, beside(1.0, 2.0, 9.0, packets=5))] == [
        "3 connections ended at packet 5 too, w"
    ]
    assert run(limited, beside(1.0, 2.0, 9.0, packets=6)) == []
    assert run(limited, beside(1.0, 2.0, 9.0)) == [], "packets that nobody counted are no limit"


def allowed(*outcomes, sort="packet"):
    return TestRecord(tuple(verdict(outcome, TOLERATED, number, sort) for number, outcome in enumerate(outcomes, 20)))


def test_a_refusal_shows_nothing_where_what_is_allowed_is_refused_too():
    (found,) = run(TestRecord((verdict(),)), allowed(REFUSED, REFUSED, REFUSED, TOLERATED))
    assert found.because == "the cloud refused 3 of 4 actions that are expected to be allowed, too"


def test_a_cloud_that_refuses_one_allowed_action_of_many_refuses_the_others_rightly():
    assert run(TestRecord((verdict(),)), allowed(REFUSED, REFUSED, TOLERATED)) == []
    assert run(TestRecord((verdict(),)), allowed(*[REFUSED] * 3, *[TOLERATED] * 4)) == []
    assert run(TestRecord((verdict(),)), allowed(*[Outcome.DENIED] * 3, sort="call")) == [], "calls are no packets"


def test_the_failures_of_what_is_allowed_stand():
    """They are what the run shows of the cloud."""
    assert run(allowed(REFUSED, REFUSED, REFUSED)) == []


def test_the_record_of_a_test_says_where_each_hang_up_fell():
    stage = Stage({"other"})
    stage.trials.publish("other", witness=stage.delivered).expect(REFUSED)
    record = record_of(stage.timeline.since())
    assert [(one.outcome, one.wanted, one.sort) for one in record.verdicts] == [(REFUSED, (REFUSED,), "packet")]
    assert [one.at_action for one in record.hang_ups] == [True] * 4
    assert {one.trial for one in record.hang_ups} == {record.verdicts[0].trial}
    assert all(one.age > 0 for one in record.hang_ups)
    assert TestRecord.of(json.loads(json.dumps(record.as_data()))) == record


def test_a_long_test_is_read_as_it_goes_on_for_memory_drops_its_begin():
    """``judge`` reads the file, which has all of it: both must find the same."""
    stage, read, file = Stage({"other"}, keep=700), RecordReading(), []
    with stage.timeline.sink(read), stage.timeline.sink(file.extend):
        for _ in range(10):
            stage.trials.publish("other", witness=stage.delivered).expect(REFUSED)
    assert stage.timeline.dropped
    assert len(read.record.verdicts) == 10
    assert read.record == record_of(file)
    assert len(record_of(stage.timeline.since()).verdicts) < 10


def test_a_hang_up_behind_the_action_shows_no_limit_it_may_be_a_late_refusal():
    line = Line()

    def attempt(*, acts, ends):
        line.add("phase", "attempt", name="attempt", on="begin", trial=1, attempt=1, sort="packet", action="x")
        line.mqtt("accepted")
        for on in ("begin", "end") if acts else ():
            line.add("phase", "action", name="action", on=on)
        if ends:
            line.hung_up()

    attempt(acts=True, ends=True)
    assert record_of(line.events).hang_ups == ()
    attempt(acts=False, ends=True)
    assert [one.at_action for one in record_of(line.events).hang_ups] == [False]
    attempt(acts=True, ends=False)
    line.add("phase", "attempt", name="attempt", on="end")
    line.hung_up()  # its hold was over
    assert [one.at_action for one in record_of(line.events).hang_ups] == [False, False]


def test_outcomes_of_today_take_the_place_of_recorded_ones():
    stage = Stage({"other"})
    stage.trials.publish("other", witness=stage.delivered)
    (first,) = record_of(stage.timeline.since()).verdicts
    (again,) = record_of(stage.timeline.since(), {first.trial: Outcome.INCONCLUSIVE}).verdicts
    assert (first.outcome, again.outcome) == (REFUSED, Outcome.INCONCLUSIVE)


def test_a_groups_hang_up_fell_on_something_allowed():
    stage = Stage({"b"})
    stage.trials.group([PublishAction(topic, stage.delivered) for topic in ("a", "b")])
    record = record_of(stage.timeline.since())
    assert (record.verdicts, [one.at_action for one in record.hang_ups]) == ((), [False])
    assert record.hang_ups[0].tried == ("publish on a (QoS 1)", "publish on b (QoS 1)")
    assert TestRecord.of(json.loads(json.dumps(record.as_data()))) == record


@pytest.mark.parametrize("outcome", [REFUSED, Outcome.LATE_DISCONNECT, Outcome.ACKNOWLEDGED_THEN_CLOSED])
def test_hang_ups_in_groups_were_refusals_of_the_member_that_was_proved_refused_alone(outcome):
    """Each of three groups ended at its own refused member, all after about a second: no limit, and no one's fault."""
    groups = TestRecord((), tuple(HangUp(1.0, -1, 9, False, ("x", f"member {number}")) for number in range(3)))
    members = [TestRecord((TrialVerdict(20 + n, "packet", f"member {n}", outcome, (TOLERATED,)),)) for n in range(3)]
    others = [allowed(*[TOLERATED] * 4)]  # most of what is allowed is tolerated, so refusals count
    assert run(AT_A_SECOND, groups, *members, *others) == []
    assert len(run(AT_A_SECOND, groups, *others)) == 1, "where no member was proved refused, it was something else"


def test_a_group_is_known_by_the_actions_on_the_connection_that_ended():
    stage = Stage({"b", "d"})
    stage.trials.group([PublishAction(topic, stage.delivered) for topic in "abcd"])
    tried = [one.tried for one in record_of(stage.timeline.since()).hang_ups]
    assert [[text.split()[2] for text in one] for one in tried] == [["a", "b"], ["c", "d"]]


def test_a_connection_that_a_test_before_left_has_its_age_and_nobody_knows_its_packets():
    line = Line()
    line.add("phase", "plan", name="plan", on="begin", since=-2.0, packets=1).hung_up()
    line.add("phase", "plan", name="plan", on="begin", since=-2.0, packets=0).hung_up()  # none was left
    line.add("phase", "plan", name="plan", on="begin", since=-2.0, packets=1, closed=True).hung_up()
    (one,) = record_of(line.events).hang_ups
    assert (one.age, one.packets, one.trial) == (pytest.approx(2.2), -1, -1)
    # The line of the next one's CONNACK was lost, so the plan behind it shows it first.
    line.add("phase", "plan", name="plan", on="begin", since=-2.0, packets=1).hung_up()
    assert len(record_of(line.events).hang_ups) == 2


def test_age_and_packets_count_from_the_connack_of_each_connection():
    line = Line().connect().publish().publish(answered=False).hung_up()
    line.connect().publish(answered=False).hung_up(errno=116)  # a dead path is no hang-up
    line.connect().tx("AT#XMQTTCON=0").mqtt("closed", result=0)
    line.connect().publish().tx('AT#XMQTTUNSUB="harness/n1"').publish().hung_up()
    record = record_of(line.events)
    assert [(one.packets, one.at_action) for one in record.hang_ups] == [(2, False), (2, False)]
    assert all(one.age > 0 for one in record.hang_ups)


# -- at the limits of the rules


def at_packets(*packets, age=0.2):
    return TestRecord((verdict(),), tuple(at(age, packets=number) for number in packets))


def test_the_most_frequent_packet_is_the_limit():
    others = TestRecord((), tuple(at(9.0 * n, packets=p, action=False) for n, p in enumerate((1, 5, 5, 5, 5), 1)))
    (found,) = run(at_packets(5), others)
    assert found.because.startswith("4 connections ended at packet 5 too")
    assert run(at_packets(1), others) == []


@pytest.mark.parametrize(("packet", "is_limit"), [(1, True), (2, True), (0, False)])
def test_a_limit_may_be_at_the_first_packet_and_at_none_before(packet, is_limit):
    assert bool(run(at_packets(packet), beside(1.0, 5.0, 9.0, packets=packet))) is is_limit


def test_a_packet_of_too_few_is_no_limit():
    others = TestRecord((), tuple(at(9.0 * n, packets=p, action=False) for n, p in enumerate((5, 5, 5, 7, 8), 1)))
    assert run(at_packets(5), others) == []


@pytest.mark.parametrize(("age", "met"), [(1.19, True), (1.21, False), (0.81, True), (0.79, False)])
def test_a_hang_up_is_at_an_age_up_to_a_fifth_of_it(age, met):
    assert bool(run(TestRecord((verdict(),), (at(age),)), beside(1.0, 1.0, 1.0))) is met


def test_a_fifth_is_near_and_a_tenth_is_no_spread():
    (found,) = run(TestRecord((verdict(),), (at(6.0), at(4.0))), beside(5.0, 5.0, 5.0, 5.0, 5.0))
    assert found.because.startswith("5 connections ended at the age of 5 s")
    (found,) = run(TestRecord((verdict(),), (at(5.0),)), beside(5.0, 5.0, 5.0, 5.0, 6.0))
    assert found.because.startswith("5 connections ended at the age of 5.2 s")
    assert len(run(TestRecord((verdict(),), (at(10.0),)), beside(9.0, 11.0, 9.0, 11.0))) == 1


@pytest.mark.parametrize(("scale", "met"), [(10.0, True), (0.1, True)])
def test_what_is_near_grows_with_the_age(scale, met):
    others = beside(*(scale * age for age in (1.0, 1.05, 0.95)))
    assert bool(run(TestRecord((verdict(),), (at(1.15 * scale),)), others)) is met
    assert run(TestRecord((verdict(),), (at(1.3 * scale),)), others) == []


@pytest.mark.parametrize(
    ("ages", "one"), [((0.9, 1.0, 1.1), True), ((0.85, 1.0, 1.18), False), ((8.5, 10.0, 11.8), False)]
)
def test_ages_that_differ_by_more_than_a_tenth_are_several(ages, one):
    middle = ages[1]
    assert bool(run(TestRecord((verdict(),), (at(middle),)), beside(*ages))) is one


def test_ages_far_from_the_middle_are_of_something_else():
    others = beside(1.0, 1.0, 1.0, 1.0, 50.0)
    (found,) = run(AT_A_SECOND, others)
    assert found.because.startswith("4 connections ended at the age of 1 s")


def test_only_the_verdicts_own_hang_ups_at_its_action_count():
    mine = TestRecord((verdict(),), (at(1.0), at(5.0, trial=2), at(6.0, action=False)))
    assert len(run(mine, beside(1.0, 1.0, 1.0, 1.0, 1.0))) == 1
    nothing = TestRecord((verdict(),), (at(1.0, trial=2),))
    assert run(nothing, beside(1.0, 1.0, 1.0)) == []


def test_half_refused_is_enough_and_less_is_not():
    assert len(run(TestRecord((verdict(),)), allowed(*[REFUSED] * 3, *[TOLERATED] * 3))) == 1


def test_only_an_expected_refusal_rests_on_the_documents():
    others = allowed(*[REFUSED] * 3)
    assert run(TestRecord((verdict(TOLERATED, REFUSED),)), others) == []
    assert run(TestRecord((verdict(TOLERATED, TOLERATED),)), others) == []
    assert len(run(TestRecord((verdict(REFUSED, REFUSED),)), others)) == 1
    assert run(TestRecord((verdict(REFUSED, REFUSED, sort="call"),)), others) == []
