"""Trials on a scripted device: what is done on the wire, and what the verdict makes of it."""

import itertools
import re
import secrets
from contextlib import contextmanager
from dataclasses import replace

import pytest

from harness.errors import BoardLost, CloudUnreachable, Misuse, NoAnswer, Party
from harness.firmware import MqttEventKind
from harness.timeline import Kind
from harness.trial import AllowedTopics, Outcome, PublishAction, ServiceAnswer
from harness.trial.phases import Phase, spans
from harness.trial.rejudge import rejudge, verdicts
from harness.trial.verdict import WrongVerdict
from tests.unit.trial.fakes import LATENCY, LOGIN, FakeRegistration, Stage, through_json


class Sending:
    """``shown``: whether it is shown that the message was sent."""

    shown_by = "the copy"

    def __init__(self, shown):
        self.seen = shown


def publish(stage, topic):
    return stage.trials.publish(topic, witness=stage.delivered)


def test_allowed_publish_is_tolerated():
    stage = Stage()
    verdict = publish(stage, "other")
    assert verdict.outcome is Outcome.TOLERATED
    topics = [topic for topic, _ in stage.device.published if not topic.startswith("team/")]
    assert topics == ["allowed", "allowed", "other", "allowed"]
    assert stage.device.connects == 1, "one connection proves that something is allowed"
    assert "Effect: the message was seen where it belongs." in verdict.evidence
    assert "Policy: iot:Publish other." in verdict.evidence


def test_whoever_may_see_a_message_is_told_its_topic_first():
    stage = Stage()
    told: list[tuple[str, bool]] = []
    stage.listen = lambda topic: told.append((topic, topic in dict(stage.device.published)))
    publish(stage, "other")
    stage.trials.group([PublishAction("one", stage.delivered), PublishAction("two", stage.delivered)])
    stage.trials.subscribe("three", trigger=None)
    assert told == [("other", False), ("one", False), ("two", False)]


@pytest.mark.parametrize(("topic_filter", "ended"), [("other/#", ["other/#"]), ("other/+", ["other/+"]), ("other", [])])
def test_a_granted_wildcard_is_ended_as_soon_as_it_is_proved(topic_filter, ended):
    """Other devices' messages would fill the line during the hold."""
    stage = Stage()
    assert stage.trials.subscribe(topic_filter, trigger=None).outcome is Outcome.TOLERATED
    assert [topic for topic in stage.device.unsubscribed if topic != "harness"] == ended


def test_forbidden_publish_is_a_policy_disconnect():
    stage = Stage({"other"})
    verdict = publish(stage, "other")
    assert verdict.outcome is Outcome.POLICY_DISCONNECT
    assert verdict.attempts == 1
    assert stage.device.connects == 5, "four hits, and one more that shows that the login still works"
    assert stage.recorded == [verdict]
    assert "On 4 of 4 fresh connections the other side hung up exactly at it" in verdict.evidence
    assert re.search(r"Chance of a coincidence below 1 in 1\d,\d\d\d", verdict.evidence)
    assert "The message reached nobody." in verdict.evidence


@pytest.mark.parametrize("latency", [0.75, 1.0])
def test_answers_that_take_long_leave_none_for_the_packet_behind(latency):
    """A cloud with a delay: an UNSUBSCRIBE is sent behind each allowed action, and its answer comes later still."""
    for act in (publish, lambda stage, topic: stage.trials.subscribe(topic, trigger=None)):
        for _ in range(6):  # each with a place of its own
            stage = Stage({"other"}, hold=2.0)
            stage.device.latency = latency
            verdict = act(stage, "other")
            assert verdict.outcome is Outcome.POLICY_DISCONNECT, verdict.evidence


def test_where_messages_come_late_the_last_look_is_behind_all_hang_ups():
    """Once, and not at each of them."""
    stage = Stage({"other"}, settles=True)
    asked = []
    stage.settled = lambda: {"settled": 15.0, "watched": bool(asked.append(1)) or True}
    verdict = publish(stage, "other")
    assert (verdict.outcome, len(asked)) == (Outcome.POLICY_DISCONNECT, 1)
    assert "The message reached nobody, looked for until 15 s after the last hang-up." in verdict.evidence


def test_a_message_that_came_late_was_not_refused():
    """An earlier hang-up's: only the last look has the time to see it."""
    stage = Stage({"other"}, settles=True)
    late: list[str] = []
    tokens = []
    verdict = stage.trials.publish("other", witness=lambda token, _: token in late or tokens.append(token) is not None)
    assert verdict.outcome is Outcome.POLICY_DISCONNECT
    tokens.clear()
    stage.settled = lambda: late.append(tokens[0]) or {"settled": 15.0, "watched": True}
    verdict = stage.trials.publish("other", witness=lambda token, _: token in late or tokens.append(token) is not None)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "1 had come to the observer 15 s after the last" in verdict.evidence
    assert "reached nobody" not in verdict.evidence


def test_an_observer_that_was_away_meanwhile_does_not_say_that_it_reached_nobody():
    stage = Stage({"other"}, settles=True)
    stage.settled = lambda: {"settled": 15.0, "watched": False}
    verdict = publish(stage, "other")
    assert verdict.outcome is Outcome.POLICY_DISCONNECT
    assert "reached nobody" not in verdict.evidence
    assert "Whether the message came later is not known" in verdict.evidence


def test_next_verdict_begins_on_the_connection_that_the_last_one_left():
    stage = Stage({"other"})
    publish(stage, "other")
    publish(stage, "other")
    assert stage.device.connects == 9


def test_publish_that_is_acknowledged_and_lost_is_ignored():
    stage = Stage()
    stage.device.swallow = {"other"}
    verdict = publish(stage, "other")
    assert (verdict.outcome, verdict.effect) == (Outcome.IGNORED, False)


def hung_up_on_behind(stage, topic="other", *, answered=True):
    """Deliver each publish on ``topic``, and hang up then."""
    original = stage.device.publish

    def deliver_then_drop(published, payload, **options):
        sent = original(published, payload, **options)
        if published == topic and sent:
            if not answered:
                stage.device.coming.clear()
            stage.device.hang_up()
        return sent

    stage.device.publish = deliver_then_drop


def test_hang_up_after_delivery_is_not_the_policy():
    stage = Stage()
    hung_up_on_behind(stage, answered=False)
    verdict = publish(stage, "other")
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.attempts == 1
    assert "the message was delivered" in verdict.evidence


def test_what_was_acknowledged_was_not_refused():
    stage = Stage()
    hung_up_on_behind(stage)
    verdict = publish(stage, "other")
    assert verdict.outcome is Outcome.ACKNOWLEDGED_THEN_CLOSED
    assert "after its answer" in verdict.evidence


def test_lost_network_is_told_from_a_violation():
    stage = Stage({"other"})
    stage.link.ensure()
    stage.during("other", lambda: setattr(stage.modem, "present", FakeRegistration(registered=False)))
    verdict = publish(stage, "other")
    assert verdict.outcome is Outcome.NETWORK_LOST
    assert verdict.attempts == 1, "the second try is part of the experiment"
    assert "not registered afterwards" in verdict.evidence


def test_pdn_that_was_lost_once_costs_a_stake():
    stage = Stage({"other"})
    stage.link.ensure()
    lost = iter(["+CGEV: NW PDN DEACT 0"])
    stage.during("other", lambda: stage.urc(next(lost, '+CEREG: 5,"0901"')))
    verdict = publish(stage, "other")
    assert (verdict.outcome, verdict.attempts) == (Outcome.POLICY_DISCONNECT, 1)
    assert "On 5 of 6 fresh connections" in verdict.evidence
    assert "NW PDN DEACT 0" in verdict.evidence


def test_restart_is_told_from_a_violation():
    stage = Stage({"other"})
    stage.during("other", stage.device.restart)
    verdict = publish(stage, "other")
    assert verdict.outcome is Outcome.MODEM_RESET
    assert verdict.attempts == 1
    assert "'Ready'" in verdict.evidence


def test_start_that_somebody_else_told_is_no_restart():
    stage = Stage()
    stage.modem.kept = True
    stage.during("other", stage.device.restart)
    verdict = publish(stage, "other")
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "something else writes to this port" in verdict.evidence


def test_board_without_coverage_is_the_networks_fault():
    stage = Stage()
    stage.modem.present = FakeRegistration(registered=False)
    stage.modem.coverage = False
    verdict = publish(stage, "other")
    assert verdict.outcome is Outcome.NETWORK_LOST
    assert "searching" in verdict.evidence
    assert stage.device.connects == 0


def test_modem_left_unregistered_by_an_earlier_test_is_registered_first():
    stage = Stage()
    stage.modem.present = FakeRegistration(registered=False)
    assert publish(stage, "other").outcome is Outcome.TOLERATED
    assert any("not registered" in event.text for event in stage.timeline.since(0))


def test_board_that_is_booting_and_does_not_answer_has_restarted():
    stage = Stage()
    stage.link.ensure()

    def booting(*_args, **_options):
        stage.device.restart()
        raise NoAnswer("fake: no answer to AT#XMQTTPUB")

    stage.device.publish = booting
    verdict = publish(stage, "other")
    assert verdict.outcome is Outcome.MODEM_RESET
    assert verdict.attempts == 1
    assert "no answer" in verdict.evidence


def test_account_that_is_locked_out_is_no_policy_disconnect():
    stage = Stage({"other"})
    stage.device.refuse_connects_after = 1
    verdict = publish(stage, "other")
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "did not connect again" in verdict.evidence or "could not connect" in verdict.evidence


def test_dead_cloud_process_is_named():
    stage = Stage({"other"})
    stage.link.ensure()
    stage.device.refuse_connects_after = 1

    def dead():
        raise CloudUnreachable("local cloud (pid 7) died with signal 9")

    stage.dead = dead
    verdict = publish(stage, "other")
    assert verdict.outcome is Outcome.CLOUD_LOST
    assert "pid 7" in verdict.evidence


def test_unplugged_board_is_named():
    stage = Stage()
    stage.link.ensure()

    def unplugged(*_args, **_options):
        raise BoardLost("fake: the port is gone")

    stage.device.publish = unplugged
    verdict = publish(stage, "other")
    assert verdict.outcome is Outcome.BOARD_LOST
    assert verdict.attempts == 1


def test_an_acknowledged_action_in_place_of_a_qos_0_sham_takes_as_long_as_the_action():
    """The action has one round trip and a fence behind it, so its stand-in has, too: a random cut meets both alike."""
    stage = Stage({"other"})
    nothing = AllowedTopics((), (), lambda _right, _topic: False)
    stage.trials._context = replace(stage.trials._context, topics=nothing)
    stage.trials.publish("other", witness=None, qos=0).expect(Outcome.POLICY_DISCONNECT)
    shams = spans(stage.timeline.since()).get(Phase.SHAM, ())
    for sham in shams:
        assert [(event.data["name"], event.data["on"]) for event in sham.inside if event.kind is Kind.PHASE] == [
            ("fence", "begin"),
            ("fence", "end"),
        ]
        assert sham.end.t - sham.begin.t >= 2 * LATENCY
        begin = sham.begin.data
        fence = next(event.data for event in sham.inside if event.kind is Kind.PHASE)
        assert (begin["answer"], sham.end.data["sent"], sham.end.data["chased"]) == ("fence", True, False)
        sent = [payload for topic, payload in stage.device.published if topic == "allowed"]
        assert begin["nonce"].encode() in sent
        assert fence["step"] == begin["step"]
        assert sham.end.t - sham.begin.t == stage.night.round_trip + LATENCY, "the message itself is not looked for"


def test_silence_is_inconclusive():
    stage = Stage()
    stage.link.ensure()
    stage.device.silent_for = {"other", "allowed"}
    assert publish(stage, "other").outcome is Outcome.INCONCLUSIVE


def test_an_end_of_the_connection_in_the_hold_whose_line_is_lost_is_no_tolerated_action():
    stage = Stage()
    wait = stage.device.wait

    def losing(match, *, since, timeout):
        found = wait(match, since=since, timeout=timeout)
        if timeout == 0.5 and found is None:
            stage.device.connected = False
        return found

    stage.device.wait = losing
    verdict = stage.trials.publish("other", witness=None)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "no line of the board told so" in verdict.evidence


def test_link_falls_back_to_the_next_allowed_action():
    stage = Stage({"first"}, actions=("first", "second"))
    verdict = publish(stage, "other")
    assert verdict.outcome is Outcome.TOLERATED
    assert "publish on second" in verdict.evidence
    assert stage.device.connects == 2


def test_subscription_is_proved_by_a_message():
    stage = Stage()

    def trigger(token):
        stage.device.event(MqttEventKind.MESSAGE, topic="t/1", payload=token.encode())

    verdict = stage.trials.subscribe("t/+", trigger=trigger)
    assert verdict.outcome is Outcome.TOLERATED
    assert "a message arrived on t/1" in verdict.evidence


@pytest.mark.parametrize(
    ("sent", "outcome", "words"),
    [
        (True, Outcome.IGNORED, "although one was sent: the copy shows it"),
        (False, Outcome.INCONCLUSIVE, "nothing shows that a message was sent"),
        (None, Outcome.INCONCLUSIVE, "nothing shows that a message was sent"),
    ],
)
def test_silence_on_a_subscription_says_something_only_where_a_message_was_sent(sent, outcome, words):
    """A message that the lab lost would otherwise prove that its delivery is refused."""
    sending = None if sent is None else Sending(lambda timeout: bool(sent and timeout == 0.5))
    verdict = Stage().trials.subscribe("t/+", trigger=lambda _token: sending)
    assert (verdict.outcome, verdict.attempts, verdict.effect) == (outcome, 1, False)
    assert words in verdict.evidence.lower()


def test_messages_that_are_allowed_get_lost_too_so_nothing_is_proved():
    stage = Stage()
    stage.delivery.lost = True
    sending = Sending(lambda _timeout: True)
    verdict = stage.trials.subscribe("t/+", trigger=lambda _token: sending)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "messages that are allowed got lost too" in verdict.evidence.lower()


def test_without_an_allowed_message_to_the_board_nothing_is_sent_and_nothing_is_proved_ignored():
    """One message was lost; no round can show that messages are not lost by chance."""
    stage, sent = Stage(), []
    stage.trials._context = replace(stage.trials._context, delivery=None)
    verdict = stage.trials.subscribe("t/+", trigger=lambda token: sent.append(token) or Sending(lambda _timeout: True))
    assert len(sent) == 1
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "nothing shows that a message was sent" in verdict.evidence.lower()


def test_a_round_in_which_the_connection_ends_is_a_lost_bet():
    stage, sent = Stage(), []

    def trigger(token):
        sent.append(token)
        if len(sent) == 2:
            stage.device.hang_up()
        if len(sent) > 2:
            stage.device.event(MqttEventKind.MESSAGE, topic="t/1", payload=token.encode())
        return Sending(lambda _timeout: True)

    verdict = stage.trials.subscribe("t/+", trigger=trigger)
    assert (verdict.outcome, len(sent)) == (Outcome.TOLERATED, 3)


def test_message_that_arrived_needs_no_other_proof_of_its_sending():
    stage = Stage()

    def trigger(token):
        stage.device.event(MqttEventKind.MESSAGE, topic="t/1", payload=token.encode())
        return Sending(lambda _timeout: pytest.fail("asked"))

    verdict = stage.trials.subscribe("t/+", trigger=trigger)
    assert (verdict.outcome, verdict.effect) == (Outcome.TOLERATED, True)


def test_connection_that_ends_when_a_message_is_sent_is_no_silent_refusal_of_the_delivery():
    stage = Stage()
    verdict = stage.trials.subscribe("t/+", trigger=lambda _token: stage.device.hang_up())
    # Nor a late refusal of the subscription: without the message it stays.
    assert verdict.outcome is Outcome.INCONCLUSIVE


def test_subscription_where_no_allowed_action_works_says_so():
    stage = Stage({"allowed"})
    stage.link._allows = lambda action: False
    verdict = stage.trials.subscribe("t", trigger=None)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "no allowed action works" in verdict.evidence


def test_a_cloud_that_allows_nothing_is_no_trouble_of_the_labs():
    verdict = Stage({"allowed"}).trials.subscribe("t", trigger=None)
    assert (verdict.outcome, verdict.attempts) == (Outcome.NOTHING_ALLOWED, 1)
    with pytest.raises(WrongVerdict, match="expected tolerated, got nothing allowed") as caught:
        verdict.expect(Outcome.TOLERATED)
    assert caught.value.party is Party.CLOUD


ASKED = ServiceAnswer(b'{"clientToken":"%NONCE%"}', "get/+", "get/")


def answering(stage, topic="get/accepted", *, quoting=True):
    """Make the device's requests be answered."""
    original = stage.device.publish

    def publish(asked, payload, **options):
        sent = original(asked, payload, **options)
        if asked == "get" and sent:
            stage.device.event(MqttEventKind.MESSAGE, topic=topic, payload=payload if quoting else b"{}")
        return sent

    stage.device.publish = publish
    return stage


def test_request_is_proved_by_its_answer():
    stage = answering(Stage())
    verdict = stage.trials.request("get", ASKED)
    assert verdict.outcome is Outcome.TOLERATED
    assert "it was answered on get/accepted" in verdict.evidence


def test_request_that_nobody_answers_is_ignored():
    verdict = Stage().trials.request("get", ASKED)
    assert verdict.outcome is Outcome.IGNORED
    assert "not answered within" in verdict.evidence


@pytest.mark.parametrize(("topic", "quoting"), [("other", True), ("get/accepted", False)])
def test_answer_to_something_else_is_none(topic, quoting):
    stage = answering(Stage(), topic, quoting=quoting)
    assert stage.trials.request("get", ASKED).outcome is Outcome.IGNORED


def test_answer_that_quotes_nothing_is_known_by_its_topic():
    stage = answering(Stage(), quoting=False)
    assert stage.trials.request("get", ASKED._replace(quotes=False)).outcome is Outcome.TOLERATED


def test_request_whose_answer_may_not_be_listened_to_rests_on_the_fence():
    """The subscription's own trial says that it is refused; this one is about the request."""
    stage = Stage({"get/+"})
    verdict = stage.trials.request("get", ASKED)
    assert (verdict.outcome, verdict.effect) == (Outcome.TOLERATED, None)
    assert "get/+ could not be subscribed to" in verdict.evidence


def test_forbidden_request_is_a_policy_disconnect():
    assert Stage({"get"}).trials.request("get", ASKED).outcome is Outcome.POLICY_DISCONNECT


def test_forbidden_subscription_is_a_policy_disconnect():
    stage = Stage({"#"})
    assert stage.trials.subscribe("#", trigger=None).outcome is Outcome.POLICY_DISCONNECT


def test_subscription_without_trigger_says_what_it_rests_on():
    verdict = Stage().trials.subscribe("t", trigger=None)
    assert (verdict.outcome, verdict.effect) == (Outcome.TOLERATED, None)
    assert "the fence alone" in verdict.evidence


def test_connect_refused_without_connack():
    stage = Stage({"wrong"})
    verdict = stage.trials.connect(replace(LOGIN, client_id="wrong"), difference="another client id")
    assert verdict.outcome is Outcome.REFUSED_AT_CONNECT
    assert "A coin chose the login before each of" in verdict.evidence


def test_connect_without_tls_session():
    stage = Stage()
    stage.device.no_session_for = {"wrong"}
    verdict = stage.trials.connect(replace(LOGIN, client_id="wrong"), difference="another CA")
    assert verdict.outcome is Outcome.REFUSED_IN_TLS


def test_connect_that_is_accepted_is_tolerated():
    verdict = Stage().trials.connect(replace(LOGIN, client_id="wrong"), difference="another client id")
    assert verdict.outcome is Outcome.TOLERATED


def test_connect_needs_a_difference():
    with pytest.raises(Misuse):
        Stage().trials.connect(LOGIN, difference="none")


def test_circumstances_stay_until_the_coin_falls_the_other_way():
    """Each change takes a board off the network for seconds."""
    stage = Stage()
    seen = []

    @contextmanager
    def other_trust():
        for trusted, broken in (("another", {LOGIN.client_id}), ("the cloud's", set())):
            stage.timeline.add(Kind.TX, "fake", "AT+CFUN=4")
            seen.append(trusted)
            stage.device.no_session_for = broken
            if broken:
                yield

    attempts = []
    attempt = stage.link.attempt

    def trusting(login, **options):
        attempts.append(seen[-1] if seen else "the cloud's")
        return attempt(login, **options)

    stage.link.attempt = trusting
    verdict = stage.trials.connect(LOGIN, difference="another CA on the board", during=other_trust)
    assert verdict.outcome is Outcome.REFUSED_IN_TLS
    assert attempts.count("another") >= 3, "at least three wrong logins"
    blocks = [trust for trust, _ in itertools.groupby(["the cloud's", *attempts, "the cloud's"])]
    assert seen == blocks[1:]


def test_circumstances_that_leave_the_right_login_alone_are_made_once():
    stage = Stage()
    seen = []

    @contextmanager
    def in_another_sec_tag():
        seen.append("in")
        stage.device.no_session_for = {"spare"}
        yield
        seen.append("out")

    login = replace(LOGIN, client_id="spare", sec_tag=7)
    verdict = stage.trials.connect(login, difference="another certificate", during=in_another_sec_tag)
    assert verdict.outcome is Outcome.REFUSED_IN_TLS
    assert seen == ["in", "out"]


def test_connection_refused_for_everyone_is_inconclusive():
    stage = Stage()
    stage.device.refuse_connects_after = 0
    verdict = stage.trials.connect(replace(LOGIN, client_id="wrong"), difference="another client id")
    assert verdict.outcome is Outcome.INCONCLUSIVE


def test_own_connect_that_the_network_lost_twice_is_no_refusal():
    """ETIMEDOUT is not how a close by the other side shows."""
    stage, left = Stage(), [None, None]
    connect = stage.device.connect

    def lost(login, *, timeout=60.0):
        if left:
            left.pop()
            stage.device.event(MqttEventKind.CLOSED, -116)
        else:
            connect(login, timeout=timeout)

    stage.device.connect = lost
    verdict = stage.trials.verify_connection()
    assert (verdict.outcome, left) == (Outcome.TOLERATED, [])


def test_own_connect_that_is_refused_in_words_twice_is_a_refusal_not_a_riddle():
    stage = Stage()
    stage.device.connack_refused_for = {LOGIN.client_id}
    verdict = stage.trials.verify_connection()
    assert verdict.outcome is Outcome.REFUSED_AT_CONNECT
    assert verdict.attempts == 1
    assert stage.device.connects == 2
    assert "Policy: iot:Connect dev-1." in verdict.evidence


def test_own_connect_that_is_hung_up_on_proves_nothing_where_it_cannot_be_compared():
    """Two cuts look the same."""
    stage = Stage()
    stage.device.refuse_connects_after = 0
    verdict = stage.trials.verify_connection()
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "there is nothing to compare it with" in verdict.evidence


def test_own_connect_that_is_hung_up_on_without_a_word_is_tried_against_what_any_cloud_answers():
    stage = Stage(control=lambda: True)
    stage.device.refuse_connects_after = 0
    verdict = stage.trials.verify_connection()
    assert verdict.outcome is Outcome.REFUSED_AT_CONNECT
    assert verdict.attempts == 1
    assert "A coin chose the login" in verdict.evidence
    assert "The right one was a CONNECT of MQTT 5" in verdict.evidence
    assert re.search(r"There came: CONNACK 1 \(\d+ times\)\.", verdict.evidence)
    assert "Policy: iot:Connect dev-1." in verdict.evidence


@pytest.mark.parametrize("gap", [0.0, 5.0])
def test_a_refused_own_connect_comes_as_late_behind_another_one_as_what_it_is_compared_with(gap, monkeypatch):
    """Otherwise a cloud that closes a CONNECT that comes too soon would close one of the two alone."""
    coin = itertools.cycle((1, 1, 0, 0))  # each behind each
    monkeypatch.setattr(secrets.SystemRandom, "randrange", lambda *_: next(coin))
    stage = Stage(control=lambda: asked("control"), gap=gap)
    stage.device.refuse_connects_after = 0
    times = []

    def asked(which):
        times.append((which, stage.clock()))
        return True

    connect = stage.device.connect
    stage.device.connect = lambda login, **options: asked("login") and connect(login, **options)
    assert stage.trials.verify_connection().outcome is Outcome.REFUSED_AT_CONNECT
    waits = {"login": set(), "control": set()}
    for (before, begun), (_, at) in itertools.pairwise(times[1:]):
        waits[before].add(at - begun)
    # What comes next does not matter. Behind the login the time counts from its CONNECT, so its answer is in it.
    assert waits["login"] <= {max(gap + 1.5 * LATENCY, 2.5 * LATENCY)}
    assert waits["control"] <= {gap + 1.5 * LATENCY}


def test_own_connect_on_a_link_that_cuts_everything_is_no_refusal():
    stage = Stage(control=lambda: False)
    stage.device.refuse_connects_after = 0
    verdict = stage.trials.verify_connection()
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "There came: none." in verdict.evidence


def test_own_connect_that_was_only_cut_is_let_in_and_its_allowed_action_is_seen():
    stage = Stage(control=lambda: True)
    left = [1, 2]
    connect = stage.device.connect

    def cut(login, *, timeout=60.0):
        if left:
            left.pop()
            stage.device.event(MqttEventKind.CLOSED, -128)
        else:
            connect(login, timeout=timeout)

    stage.device.connect = cut
    verdict = stage.trials.verify_connection()
    assert verdict.outcome is Outcome.TOLERATED
    assert "a QoS 1 publish on allowed worked" in verdict.evidence


@pytest.mark.parametrize("control", [None, lambda: True])
def test_a_server_that_is_not_available_refuses_nobody(control):
    stage = Stage(control=control)

    def busy(_login, *, timeout=60.0):
        stage.device.event(MqttEventKind.REFUSED, 3)
        stage.device.event(MqttEventKind.CLOSED, -128, after=2 * LATENCY)

    stage.device.connect = busy
    assert stage.trials.verify_connection().outcome is Outcome.INCONCLUSIVE


def test_own_connect_that_works_is_tolerated():
    stage = Stage()
    verdict = stage.trials.verify_connection()
    assert verdict.outcome is Outcome.TOLERATED
    assert stage.device.connects == 1


def test_own_connect_of_a_board_that_restarted_is_no_refusal():
    stage = Stage()
    stage.device.refuse_connects_after = 0
    connect = stage.device.connect
    stage.device.connect = lambda login, **options: (connect(login, **options), stage.device.restart())
    assert stage.trials.verify_connection().outcome is Outcome.MODEM_RESET


def actions(stage, *topics):
    return [PublishAction(topic, stage.delivered) for topic in topics]


def test_a_group_shares_a_connection_and_a_hold():
    stage = Stage(hold=2.0)
    grouped = actions(stage, "a", "b", "c")
    found = stage.trials.group(grouped)
    assert found[0] is not None
    assert found[1] is not None
    assert stage.device.connects == 1
    assert stage.clock.now < 2 * 2.0
    verdict = stage.trials.shared(grouped[1], found[1])
    assert (verdict.outcome, verdict.effect, verdict.attempts) == (Outcome.TOLERATED, True, 1)
    assert "one of 3 allowed actions that shared connections" in verdict.evidence
    assert "answered, an allowed action behind them all too, and the connection stayed for 2 s." in verdict.evidence
    ended = replace(found[1], stayed=12.0, ended=True).judgement("")
    assert "it was answered and the connection stayed for 12 s." in ended.evidence
    assert "Policy: iot:Publish b." in verdict.evidence
    assert stage.recorded == [verdict], "a group is no verdict of a test"


def test_nobody_is_blamed_in_a_group_and_the_judge_finds_it_again():
    stage = Stage({"b"})
    found = stage.trials.group(actions(stage, "a", "b", "c"))
    assert found == [None, None, None] or found[2] is not None
    assert found[1] is None
    (group,) = rejudge(through_json(stage.timeline.since()))
    assert group.same
    assert group.group
    assert "tried alone" in group.evidence
    assert verdicts([group]) == [], "each of its actions has a verdict of its own"
    assert verdicts([group._replace(evidence="other")]) != []


def test_the_slot_of_what_the_cloud_passes_over_ends_with_the_answer_to_what_is_behind_it():
    """Each connection ends a second after its begin. The action has no answer; alone it would be waited for 0.4 s."""
    stage = Stage()
    stage.device.silent_for = {"other"}
    connect = stage.device.connect

    def for_a_second(login, **options):
        connect(login, **options)
        stage.device.hang_up(after=1.0)
        stage.device._cut = False  # until then it works

    stage.device.connect = for_a_second
    assert {publish(stage, "other").outcome for _ in range(4)} == {Outcome.INCONCLUSIVE}
    arms = [arm for event in stage.timeline.since() if event.kind is Kind.FACTS for arm in event.data["tally"]["arms"]]
    met = [arm for arm in arms if arm["meaning"] in ("hit", "late")]
    assert met
    assert all(arm["delay"] <= LATENCY for arm in met if arm["meaning"] == "hit")
    assert stage.night.ceiling > 2 * LATENCY


def test_what_may_have_been_refused_late_in_a_group_is_watched_for_longer_alone():
    """The hold is 0.1 s. "b" is acknowledged and refused 1 s later; in its group "a" is answered before that too."""
    stage = Stage(hold=0.1)
    publish = stage.device.publish

    def refused_late(topic, payload, **options):
        done = publish(topic, payload, **options)
        if topic == "b":
            stage.device.hang_up(after=1.0)
            stage.device._cut = False  # until then the connection works
        return done

    stage.device.publish = refused_late
    a, b, *others = actions(stage, "a", "b", *"cdefghij")
    assert stage.trials.group([a, b, *others])[:2] == [None, None]
    assert stage.trials.packet(a).outcome is Outcome.TOLERATED
    for _ in range(2):  # the second: another plug-in runs its test again
        assert stage.trials.packet(b).outcome is Outcome.ACKNOWLEDGED_THEN_CLOSED
    assert all(one.same for one in rejudge(through_json(stage.timeline.since())))


def test_an_action_without_effect_must_be_tried_alone():
    stage = Stage()
    stage.device.swallow = {"b"}
    assert [one is None for one in stage.trials.group(actions(stage, "a", "b"))] == [False, True]
