"""What was seen of a plan is read from its events alone: which step they belong to, and what makes them worthless."""

import pytest

from harness.timeline import Event, Kind
from harness.trial.experiment import Saw, VoidedBy
from harness.trial.wire.plan_observation import observation_of
from harness.trial.wire.recorded_step import ENDS, step_of


class Plan:
    """Events of one plan, a second apart. A step with a star is chased."""

    def __init__(self, *steps, since=0.0, **begin):
        self.events: list[Event] = []
        asked = [{"do": do.rstrip("*"), "chased": do.endswith("*")} for do in steps]
        self.phase(
            "plan", "begin", plan="arm", connection="same", patience=1.0, steps=asked, since=since, packets=1, **begin
        )

    def add(self, kind, text, /, source="trial", **data):
        self.events.append(Event(100 + len(self.events), float(len(self.events)), kind, source, text, data))
        return self

    def phase(self, name, on, **data):
        return self.add(Kind.PHASE, name if on == "begin" else f"{name} ends", name=name, on=on, **data)

    def begin(self, name, number, answer="puback"):
        return self.phase(name, "begin", step=number, nonce=f"n{number}", answer=answer)

    def mqtt(self, kind, result=0):
        return self.add(Kind.MQTT, kind, source="one", kind=kind, result=result)

    def step(self, name, number, *kinds, answer="puback", **found):
        self.begin(name, number, answer)
        for kind in kinds:
            self.mqtt(kind, -128 if kind == "closed" else 0)
        return self.phase(name, "end", **found)

    def seen(self):
        return observation_of(self.events).observation

    @property
    def saws(self):
        return [done.saw for done in self.seen().done]


def test_steps_are_answered_one_after_the_other():
    plan = Plan("sham", "action", "fence", "effect", "idle")
    plan.step("sham", 0, "puback").step("action", 1, "puback").step("fence", 2, "puback")
    plan.step("effect", 3, seen=True, detail="it was seen").step("hold", 4)
    plan.phase("plan", "end")
    assert plan.saws == [Saw.ANSWERED] * 5
    seen = plan.seen()
    assert (seen.packets, seen.closed, seen.effect, seen.void) == (4, False, "it was seen", "")
    assert [done.seconds for done in seen.done[:2]] == [1.0, 1.0]


def test_a_hang_up_before_the_answer_is_the_actions():
    plan = Plan("action", "fence")
    plan.step("action", 0, "closed", sent=True)
    seen = plan.seen()
    assert (seen.done[0].saw, seen.done[0].seconds, seen.as_remote) == (Saw.CLOSED, 1.0, True)
    assert seen.effect == "", "nobody looked for one"


@pytest.mark.parametrize("told", [{"connecting": 0.5}, {}])
def test_how_long_a_connection_took_to_be_made_is_told_but_in_older_files(told):
    plan = Plan("baseline").phase("connect", "begin").phase("connect", "end", opened=True, since=3.0, **told)
    assert plan.step("baseline", 0, "puback", seen=True).seen().connecting == told.get("connecting", 0.0)


def test_a_hang_up_before_the_action_was_sent_is_no_refusal_of_it():
    """It came behind the sham's answer, or the board refused to send the action."""
    plan = Plan("sham", "action")
    plan.begin("sham", 0).mqtt("puback").mqtt("closed", -128).phase("sham", "end", sent=True)
    plan.begin("action", 1).phase("action", "end", sent=True)
    assert (plan.saws, plan.seen().as_remote) == ([Saw.ANSWERED, Saw.CLOSED], False)
    plan = Plan("action").step("action", 0, "closed", sent=False)
    assert (plan.saws, plan.seen().as_remote) == ([Saw.CLOSED], False)


def test_a_hang_up_in_the_instant_of_the_answer_belongs_to_the_step_behind():
    """Whoever was answered was not refused."""
    plan = Plan("action", "fence")
    plan.step("action", 0, "puback", "closed").step("fence", 1)
    assert plan.saws == [Saw.ANSWERED, Saw.CLOSED]


def test_a_connection_that_had_ended_before_the_plan_is_lost_at_once():
    plan = Plan("sham", "action", closed=True)
    assert plan.saws == [Saw.CLOSED]


def test_an_answer_of_another_kind_is_none():
    plan = Plan("action")
    plan.step("action", 0, "puback", answer="suback")
    assert plan.saws == [Saw.NOTHING]


def test_suback_0x80_says_no():
    plan = Plan("action")
    plan.begin("action", 0, "suback").mqtt("suback", 0x80).phase("action", "end")
    assert plan.saws == [Saw.REFUSED]


@pytest.mark.parametrize(
    ("answers", "saw"),
    [(["puback"], Saw.SILENT), (["puback", "puback"], Saw.ANSWERED), ([], Saw.NOTHING), (["closed"], Saw.CLOSED)],
)
def test_behind_a_fence_one_puback_is_the_fences_and_of_two_the_first_is_the_actions(answers, saw):
    plan = Plan("action")
    plan.begin("action", 0).phase("fence", "begin", step=0, behind=True)
    for kind in answers:
        plan.mqtt(kind, -128 if kind == "closed" else 0)
    plan.phase("fence", "end").phase("action", "end")
    assert plan.saws == [saw]
    assert plan.seen().packets == 3


@pytest.mark.parametrize(
    ("came", "action", "sham"),
    [
        (["puback", "unsuback"], Saw.ANSWERED, Saw.ANSWERED),
        (["unsuback", "puback"], Saw.ANSWERED, Saw.ANSWERED),
        (["closed"], Saw.CLOSED, Saw.CLOSED),
        (["unsuback", "closed"], Saw.PASSED, Saw.CLOSED),
        (["puback", "closed"], Saw.ANSWERED, Saw.CLOSED),
        (["puback"], Saw.ANSWERED, Saw.NOTHING),  # who was not answered to both could be answered in the next step
        (["unsuback"], Saw.NOTHING, Saw.NOTHING),
    ],
)
def test_a_chased_step_lasts_until_both_are_answered(came, action, sham):
    for do, saw in (("action", action), ("sham", sham)):
        plan = Plan(f"{do}*").begin(do, 0).phase("chaser", "begin", step=0, behind=True).phase("chaser", "end")
        for kind in came:
            plan.mqtt(kind, -128 if kind == "closed" else 0)
        plan.phase(do, "end", sent=True)
        assert plan.saws == [saw]
        assert plan.seen().packets == 3


@pytest.mark.parametrize(
    ("do", "came", "unheard"),
    [
        ("sham", ["unsuback"], True),
        ("baseline", ["unsuback"], True),
        ("action", ["unsuback"], False),  # the cloud may swallow it
        ("sham", [], False),
        ("sham", ["puback"], False),
        ("sham", ["unsuback", "puback"], False),
        ("sham", ["unsuback", "closed"], False),
    ],
)
def test_an_allowed_packet_whose_answer_got_lost_is_told(do, came, unheard):
    plan = Plan(f"{do}*").begin(do, 0)
    for kind in came:
        plan.mqtt(kind, -128 if kind == "closed" else 0)
    assert plan.phase(do, "end", sent=True).seen().unheard is unheard


def test_what_was_sent_behind_an_allowed_action_is_counted():
    plan = Plan("baseline", "sham").step("baseline", 0, "puback", "unsuback", seen=True, chased=True)
    plan.begin("sham", 1, "fence").begin("fence", 1).mqtt("puback").phase("fence", "end", chased=True)
    assert plan.phase("sham", "end", sent=True).seen().packets == 1 + 2 + 2


def test_a_hang_up_behind_what_passed_the_action_over_is_timed_from_the_action():
    plan = Plan("action*").begin("action", 0).phase("chaser", "begin", step=0, behind=True).mqtt("unsuback")
    seen = plan.mqtt("closed", -128).phase("action", "end", sent=True).seen()
    assert (seen.done[0].saw, seen.done[0].seconds, seen.closed) == (Saw.PASSED, 3.0, True)


def test_the_answer_to_an_earlier_chaser_says_nothing_of_the_action():
    plan = Plan("sham*", "action*").begin("sham", 0).phase("chaser", "begin", step=0, behind=True)
    plan.mqtt("puback").mqtt("unsuback").phase("sham", "end", sent=True)
    plan.begin("action", 1).phase("chaser", "begin", step=1, behind=True).mqtt("closed", -128)
    assert plan.phase("action", "end", sent=True).saws == [Saw.ANSWERED, Saw.CLOSED]


def test_what_has_no_answer_is_answered_by_the_fence_behind_it():
    plan = Plan("sham")
    plan.begin("sham", 0, "fence").mqtt("puback").phase("fence", "begin", step=0, behind=True)
    assert plan.saws == [Saw.NOTHING], "that PUBACK was of something before"
    plan.mqtt("puback").phase("fence", "end").phase("sham", "end")
    assert plan.saws == [Saw.ANSWERED]


def test_a_baseline_is_answered_only_if_it_was_seen_and_the_connection_stayed():
    for found, kinds, saw in (
        ({"seen": True}, ["puback"], Saw.ANSWERED),
        ({"seen": False}, ["puback"], Saw.UNSEEN),
        ({"seen": True}, ["puback", "closed"], Saw.CLOSED),
        ({}, [], Saw.NOTHING),
    ):
        assert Plan("baseline").step("baseline", 0, *kinds, **found).saws == [saw]


@pytest.mark.parametrize("result", [-116, -110])
def test_an_errno_of_something_else_is_no_hang_up_by_the_other_side(result):
    plan = Plan("action")
    plan.begin("action", 0).mqtt("closed", result).phase("action", "end")
    assert not plan.seen().as_remote


@pytest.mark.parametrize(
    ("disturb", "by"),
    [
        (lambda plan: plan.add(Kind.URC, "+CEREG: 2", source="one"), VoidedBy.NETWORK),
        (lambda plan: plan.add(Kind.RX, "Ready", source="one"), VoidedBy.RESTART),
        (lambda plan: plan.add(Kind.STEP, "radio after: another address", source="radio", lost=True), VoidedBy.NETWORK),
        (lambda plan: plan.add(Kind.TX, "AT+CFUN=4", source="one").mqtt("closed", -128), VoidedBy.OWN),
        (lambda plan: plan.add(Kind.TX, "AT#XRESET", source="one").mqtt("closed", -128), VoidedBy.OWN),
    ],
)
def test_what_makes_it_worthless(disturb, by):
    plan = Plan("action")
    plan.begin("action", 0)
    disturb(plan)
    plan.phase("action", "end")
    seen = plan.seen()
    assert seen.void
    assert seen.voided_by is by
    assert not seen.all_answered


def test_an_end_from_this_side_makes_it_worthless():
    plan = Plan("action").begin("action", 0).mqtt("closed", 0).phase("action", "end")
    assert (plan.seen().void, plan.seen().voided_by) == ("the connection was ended from this side", VoidedBy.OWN)


def test_a_modem_that_is_not_registered_afterwards_makes_it_worthless():
    plan = Plan("action").step("action", 0, "closed")
    plan.phase("questions", "begin").phase("questions", "end", registered=False, registration="+CEREG: 5,2")
    assert (plan.seen().void, plan.seen().voided_by) == ("not registered afterwards: +CEREG: 5,2", VoidedBy.NETWORK)


def test_a_modem_that_was_switched_before_or_after_takes_nothing_away():
    """The runner registers a modem before it connects, and circumstances are taken away after the questions."""
    plan = Plan("action")
    plan.phase("connect", "begin").add(Kind.TX, "AT+CFUN=1", source="one").phase("connect", "end", opened=True)
    plan.step("action", 0, "closed")
    plan.phase("questions", "begin").phase("questions", "end", registered=True, registration="")
    plan.add(Kind.TX, "AT+CFUN=4", source="one")
    assert not plan.seen().void


def test_a_start_that_the_modem_knows_nothing_of_is_somebody_elses():
    plan = Plan("action").begin("action", 0).add(Kind.RX, "Ready", source="one").phase("action", "end")
    plan.phase("questions", "begin").phase("questions", "end", registered=True, registration="", remembers=True)
    assert plan.seen().voided_by is VoidedBy.LINE
    assert plan.seen().void == (
        "Ready, although the modem had kept its settings: something else writes to this port (ModemManager?)"
    )


def test_a_start_that_a_fault_of_the_boards_file_says_is_called_so():
    plan = Plan("action").begin("action", 0).add(Kind.RX, "Ready", source="one")
    plan.add(Kind.STEP, "say-line in phase action", source="faults").phase("action", "end")
    plan.phase("questions", "begin").phase("questions", "end", registered=True, registration="", remembers=True)
    assert plan.seen().voided_by is VoidedBy.LINE
    assert plan.seen().void.endswith("a fault that was asked for looks like this: say-line in phase action")


def test_an_end_that_only_the_board_knows_of_makes_it_worthless():
    for connected, void in ((False, "the connection had ended, and no line of the board told so"), (True, "")):
        plan = Plan("action").step("action", 0, sent=True)
        plan.phase("questions", "begin").phase("questions", "end", registered=True, connected=connected)
        assert (plan.seen().void, plan.seen().voided_by) == (void, VoidedBy.LINE if void else VoidedBy.NETWORK)


@pytest.mark.parametrize(
    ("came", "saw"),
    [(["closed"], Saw.CLOSED), (["unsuback", "closed"], Saw.PASSED), (["puback", "closed"], Saw.NOTHING)],
)
def test_an_end_whose_line_comes_before_the_board_is_asked_for_it_is_told(came, saw):
    """The modem takes its time for the question before."""
    plan = Plan("action*").begin("action", 0).phase("chaser", "begin", step=0, behind=True)
    plan.phase("action", "end", sent=True).phase("questions", "begin")
    for kind in came:
        plan.mqtt(kind, -128 if kind == "closed" else 0)
    seen = plan.phase("questions", "end", registered=True, connected=False).phase("plan", "end").seen()
    assert (seen.done[0].saw, seen.void) == (saw, "")


def test_bytes_that_were_lost_matter_only_where_a_message_is_missing():
    for found, void in (({"seen": False, "message_sent": True}, True), ({"seen": True}, False)):
        plan = Plan("effect").begin("effect", 0).add(Kind.RX, "#XMQTTMS", source="one", garbled=True)
        plan.phase("effect", "end", **found)
        assert bool(plan.seen().void) is void


def test_a_connection_that_did_not_come_up_says_why():
    plan = Plan("baseline").phase("connect", "begin").phase("connect", "end", error="no TLS session")
    seen = plan.seen()
    assert (seen.connected, seen.error, seen.opened) == (False, "no TLS session", False)


def test_what_happened_before_the_connection_is_not_the_plans():
    plan = Plan("baseline").phase("connect", "begin").mqtt("closed", 0).add(Kind.URC, "+CEREG: 2", source="one")
    plan.phase("connect", "end", opened=True, since=3.0, control="a publish").step("baseline", 0, "puback", seen=True)
    seen = plan.seen()
    assert (seen.void, seen.opened, seen.baseline, seen.all_answered) == ("", True, "a publish", True)


def test_a_step_that_has_begun_is_read_as_far_as_it_came():
    plan = Plan("sham", "action")
    begin = plan.events[0].data
    assert step_of(begin, plan.events[1:]) is None
    plan.begin("sham", 0).mqtt("puback")
    seen = step_of(begin, plan.events[1:])
    assert seen is not None
    assert (seen.done.saw, seen.by) == (Saw.ANSWERED, plan.events[-1])


def steps_one_by_one(events):
    """Return how a plan's steps ended, each read when it had just ended, as the runner does."""
    decided, found = 0, []
    connected = [at for at, event in enumerate(events) if event.text == "connect ends"]
    decided = connected[-1] if connected else 0
    ends = [at for at, event in enumerate(events) if event.text in ("sham ends", "action ends", "effect ends")]
    for end in ends:
        seen = step_of(events[0].data, events[decided + 1 : end + 1])
        found.append(seen.done)
        if seen.done.saw in ENDS:
            break
        decided = seen.by.seq - events[0].seq
    return found


@pytest.mark.parametrize("told", [(), ("puback",), ("puback", "closed"), ("closed",), ("closed", "puback")])
@pytest.mark.parametrize("again", [(), ("suback",), ("closed",), ("unsuback", "closed"), ("suback", "closed")])
@pytest.mark.parametrize("connect", [False, True])
def test_steps_read_one_by_one_are_those_of_the_whole_plan(told, again, connect):
    """The runner reads each step once, when it has ended; the verdict is read from the whole plan."""
    plan = Plan("sham", "action", "effect", byte_seconds=0.001)
    if connect:
        plan.phase("connect", "begin").mqtt("closed", 0).phase("connect", "end", opened=True, since=1.0)
    plan.step("sham", 0, *told, sent=True).mqtt("puback")
    plan.step("action", 1, *again, answer="suback", sent=True).step("effect", 2, seen=True)
    assert steps_one_by_one(plan.events) == list(plan.seen().done)


def test_a_flight_counts_what_did_not_arrive():
    plan = Plan("flight").phase("flight", "begin", step=0, nonce="n0")
    plan.phase("flight", "end", acked=True, missing=2, action_missing=True, sent=True, packets=12, detail="none came")
    seen = plan.seen()
    assert (seen.missing, seen.action_missing, seen.sent, seen.packets) == (2, True, True, 13)
    assert plan.saws == [Saw.ANSWERED]


def test_a_connection_whose_end_no_line_told_makes_a_hold_worthless():
    plan = Plan("action", "idle").step("action", 0, "puback", sent=True)
    plan.step("hold", 1, connected=False).phase("plan", "end")
    seen = plan.seen()
    assert plan.saws == [Saw.ANSWERED, Saw.CLOSED]
    assert (seen.void, seen.voided_by) == (
        "the connection had ended, and no line of the board told so",
        VoidedBy.LINE,
    )
    assert Plan("idle").step("hold", 0, connected=True).saws == [Saw.ANSWERED]


@pytest.mark.parametrize(
    "late",
    [
        lambda plan: plan.add(Kind.URC, "+CEREG: 0", source="one"),
        lambda plan: plan.add(Kind.RX, "Ready", source="one"),
        lambda plan: plan.mqtt("closed", -128),
    ],
)
def test_what_comes_behind_the_plans_end_is_not_the_plans(late):
    plan = (
        Plan("action", "fence").step("action", 0, "puback", sent=True).step("fence", 1, "puback").phase("plan", "end")
    )
    before = observation_of(plan.events)
    late(plan)
    assert observation_of(plan.events) == before
    assert not before.observation.void


def test_what_the_serial_line_took_of_an_answer_is_told_apart():
    """Commands, results and the answer's own line, not the messages that came meanwhile."""
    plan = Plan("baseline", byte_seconds=0.001)
    plan.begin("baseline", 0).add(Kind.TX, "AT#XMQTTPUB", source="one").add(Kind.RESULT, "OK", source="one")
    plan.add(Kind.URC, "#XMQTTMSG: 30,57", source="one").add(Kind.URC, "#XMQTTEVT: 3,0", source="one")
    plan.mqtt("puback").phase("baseline", "end", seen=True)
    (done,) = plan.seen().done
    assert (done.saw, done.seconds) == (Saw.ANSWERED, 5.0)
    assert done.line == pytest.approx(0.001 * (11 + 2 + 14 + 3 * 4))


def test_a_line_without_a_pace_takes_nothing():
    plan = Plan("action").begin("action", 0).add(Kind.TX, "AT", source="one").mqtt("closed", -128)
    assert [done.line for done in plan.phase("action", "end", sent=True).seen().done] == [0.0]
