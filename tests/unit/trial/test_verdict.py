"""The verdict is a pure function of the facts; a policy disconnect needs every one of its proofs."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import errors
from harness.errors import LabError, Refusal
from harness.trial import (
    LAB_OUTCOMES,
    Attempt,
    Control,
    Facts,
    Outcome,
    Sort,
    Stage,
    Unproved,
    Verdict,
    WrongVerdict,
    judge,
)
from harness.trial.facts import Reply, Trouble
from harness.trial.phases import TroubleSource

WORKED = Control(acked=True, seen=True, seconds=0.1)
FAILED = Control(acked=False, seen=False, seconds=0.0, detail="hung up: ENOTCONN (128)")
UNSEEN = Control(acked=True, seen=False, seconds=0.5, detail="it did not arrive within 10 s")

HUNG_UP = Facts(
    action="publish on prod/x/a/y (QoS 1)",
    control="a QoS 1 publish on prod/x/m/d/1/d2c, seen by the observer,",
    baseline=WORKED,
    fence=FAILED,
    hang_up=128,
    hang_up_after=0.05,
    registered="+CEREG: 5,1",
    reached=False,
    after=WORKED,
)
TOLERATED = replace(HUNG_UP, hang_up=None, fence=WORKED, reached=None, after=None)


def judged(facts: Facts) -> tuple[Outcome, str]:
    found = judge(facts)
    return found.outcome, found.evidence


def outcome(facts: Facts) -> Outcome:
    return judge(facts).outcome


def test_policy_disconnect_with_every_proof():
    verdict, evidence = judged(HUNG_UP)
    assert verdict is Outcome.POLICY_DISCONNECT
    for proof in ("Just before", "ENOTCONN (128)", "before the fence", "+CEREG: 5,1", "reached nobody", "worked again"):
        assert proof in evidence


@pytest.mark.parametrize(
    ("lacking", "expected"),
    [
        ({"baseline": FAILED}, Outcome.INCONCLUSIVE),
        ({"baseline": UNSEEN}, Outcome.INCONCLUSIVE),
        ({"registered": None}, Outcome.NETWORK_LOST),
        ({"network_loss": "+CEREG: 2"}, Outcome.NETWORK_LOST),
        ({"restarted": "Ready"}, Outcome.MODEM_RESET),
        ({"reached": True}, Outcome.INCONCLUSIVE),
        ({"after": None}, Outcome.INCONCLUSIVE),
        ({"after": FAILED}, Outcome.INCONCLUSIVE),
        ({"after": UNSEEN}, Outcome.INCONCLUSIVE),
        ({"reconnect_error": "no TLS session"}, Outcome.INCONCLUSIVE),
        ({"hang_up": 116}, Outcome.INCONCLUSIVE),
        ({"hang_up": 0}, Outcome.INCONCLUSIVE),
        ({"hang_up": None}, Outcome.INCONCLUSIVE),
    ],
)
def test_policy_disconnect_needs_each_proof(lacking, expected):
    assert outcome(replace(HUNG_UP, **lacking)) is expected


@pytest.mark.parametrize("errno", [128, 113, 104, 111])
def test_every_way_a_remote_close_shows_counts(errno):
    assert outcome(replace(HUNG_UP, hang_up=errno)) is Outcome.POLICY_DISCONNECT


def test_nobody_could_look_is_no_counter_evidence():
    assert outcome(replace(HUNG_UP, reached=None)) is Outcome.POLICY_DISCONNECT


def test_late_refusal_counts_and_says_so():
    verdict, evidence = judged(replace(HUNG_UP, fence=WORKED))
    assert verdict is Outcome.POLICY_DISCONNECT
    assert "came late" in evidence


def test_acknowledged_fence_proves_tolerance():
    assert outcome(TOLERATED) is Outcome.TOLERATED
    assert outcome(replace(TOLERATED, effect=True, effect_detail="a message arrived")) is Outcome.TOLERATED


@pytest.mark.parametrize(
    ("sent", "expected"),
    [(True, Outcome.IGNORED), (False, Outcome.INCONCLUSIVE), (None, Outcome.INCONCLUSIVE)],
)
def test_tolerated_without_effect_is_ignored_if_there_was_a_message(sent, expected):
    facts = replace(TOLERATED, effect=False, effect_detail="no message arrived within 10 s", message_sent=sent)
    verdict, evidence = judged(facts)
    assert verdict is expected
    assert "no message arrived" in evidence


@pytest.mark.parametrize("effect", [True, None])
@pytest.mark.parametrize("sent", [True, False, None])
def test_whether_a_message_was_sent_matters_only_where_none_came(effect, sent):
    assert outcome(replace(TOLERATED, effect=effect, message_sent=sent)) is Outcome.TOLERATED


def test_what_an_effect_could_not_be_seen_for_is_said():
    assert (
        "Effect: the fence alone shows it."
        in judge(replace(TOLERATED, effect_detail="the fence alone shows it")).evidence
    )


@pytest.mark.parametrize("fence", [None, FAILED, UNSEEN])
def test_silence_is_inconclusive(fence):
    assert outcome(replace(TOLERATED, fence=fence)) is Outcome.INCONCLUSIVE


def test_refused_by_the_board_without_a_hang_up_is_inconclusive():
    assert outcome(replace(TOLERATED, sent=False, fence=None)) is Outcome.INCONCLUSIVE


def test_evidence_begins_with_the_policy_because_readers_cut_its_end():
    assert judge(replace(HUNG_UP, policy="Policy: implicit deny.")).evidence.startswith(
        "Policy: implicit deny. Just before"
    )


controls = st.builds(Control, st.booleans(), st.booleans(), st.floats(0, 60))
texts = st.none() | st.just("x")
replies = st.none() | st.builds(Reply, st.sampled_from([200, 401, 403, 404, 429, 500]), st.booleans(), st.just("x"))
troubles = st.none() | st.builds(Trouble, st.sampled_from(TroubleSource), st.just("it is gone"))
any_facts = st.builds(
    Facts,
    action=st.just("a"),
    control=st.sampled_from(["c", ""]),
    baseline=st.none() | controls,
    sent=st.booleans(),
    fence=st.none() | controls,
    hang_up=st.none() | st.sampled_from([0, 104, 111, 113, 116, 128, 5]),
    hang_up_after=st.floats(0, 60),
    network_loss=texts,
    registered=texts,
    restarted=texts,
    reached=st.none() | st.booleans(),
    effect=st.none() | st.booleans(),
    effect_detail=st.just("d"),
    message_sent=st.none() | st.booleans(),
    reconnect_error=texts,
    after=st.none() | controls,
    restarted_earlier=texts,
    garbled=texts,
    remembers=st.booleans(),
    sort=st.sampled_from([Sort.PACKET, Sort.CONNECT, Sort.OWN_CONNECT, Sort.CALL]),
    tries=st.lists(st.builds(Attempt, st.sampled_from(Stage), st.just("x"), st.floats(0, 60)), max_size=2).map(tuple),
    difference=st.just("another client id"),
    answer=replies,
    answer_before=replies,
    answer_after=replies,
    trouble=troubles,
    dead=troubles,
)


@given(any_facts)
def test_no_facts_prove_a_verdict_without_the_proofs(facts):
    verdict, evidence = judged(facts)
    assert evidence
    if verdict is Outcome.NOTHING_ALLOWED:
        assert facts.trouble is not None or facts.dead is not None
    elif verdict not in LAB_OUTCOMES | {Outcome.MODEM_RESET}:
        assert facts.trouble is None
        PROOFS[facts.sort](facts, verdict)
    went_away = facts.trouble is not None and facts.trouble.party is TroubleSource.BOARD
    if facts.restarted_earlier and not facts.remembers and not went_away:
        assert verdict not in LAB_OUTCOMES
    if facts.remembers or went_away:
        assert verdict is not Outcome.MODEM_RESET


def packet_proofs(facts, verdict):
    assert facts.baseline is not None
    assert facts.baseline.ok
    if verdict is Outcome.POLICY_DISCONNECT:
        assert facts.hang_up in {104, 111, 113, 128}
        assert facts.registered
        assert facts.after is not None
        assert facts.after.ok
        assert facts.reached is not True
        assert not any([facts.network_loss, facts.restarted, facts.reconnect_error])
        return
    assert verdict in {Outcome.TOLERATED, Outcome.IGNORED}
    assert facts.fence is not None
    assert facts.fence.ok
    assert facts.hang_up is None
    assert facts.effect is not False if verdict is Outcome.TOLERATED else facts.effect is False
    assert verdict is Outcome.TOLERATED or facts.message_sent


def connect_proofs(facts, verdict):
    assert facts.after is not None
    assert facts.after.ok
    assert not any([facts.network_loss, facts.restarted, facts.reconnect_error])
    stage = facts.tries[-1].stage
    assert (verdict is Outcome.TOLERATED) is (stage is Stage.ACCEPTED)
    assert (verdict is Outcome.REFUSED_IN_TLS) is (stage is Stage.NO_SESSION)
    assert (verdict is Outcome.REFUSED_AT_CONNECT) is facts.tries[-1].refused


def own_connect_proofs(facts, verdict):
    if verdict is Outcome.TOLERATED:
        assert facts.control  # an allowed action worked, and this is which
        return
    assert verdict is Outcome.REFUSED_AT_CONNECT
    assert [attempt.refused for attempt in facts.tries] == [True, True]
    assert facts.registered
    assert not any([facts.network_loss, facts.restarted])


def call_proofs(facts, verdict):
    assert facts.answer is not None
    assert (verdict is Outcome.AUTHORISED) is facts.answer.authorised
    assert verdict is Outcome.AUTHORISED or facts.answer.status in {401, 403, 404}
    if facts.answer_before is not None and facts.answer_after is not None:
        assert facts.answer_after.authorised


PROOFS = {
    Sort.PACKET: packet_proofs,
    Sort.CONNECT: connect_proofs,
    Sort.OWN_CONNECT: own_connect_proofs,
    Sort.CALL: call_proofs,
}


def test_the_strategy_covers_every_fact():
    strategy: Any = any_facts
    assert {field.name for field in fields(Facts)} - {"policy", "refs"} <= {*strategy.wrapped_strategy.kwargs}


def test_silence_is_no_refused_delivery_where_bytes_of_the_board_were_lost():
    """What could not be read may be the message that is missing: never "ignored"."""
    worked = Control(True, True, 0.1)
    facts = Facts(
        "subscribe to x", baseline=worked, fence=worked, effect=False, effect_detail="none came", message_sent=True
    )
    assert judge(facts).outcome is Outcome.IGNORED
    found = judge(replace(facts, garbled="#XMQTTMSG: 1,5"))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "bytes were lost on the way from the board" in found.evidence


def test_a_start_that_somebody_else_told_is_the_labs():
    """A foreign ``Ready``: the modem had kept what it was told before, and a modem that restarts forgets it."""
    facts = Facts("publish on x", restarted="Ready", restarted_earlier="Ready")
    assert judge(facts).outcome is Outcome.MODEM_RESET
    found = judge(replace(facts, remembers=True))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "something else writes to this port" in found.evidence


def test_a_start_after_the_port_went_away_is_the_labs():
    lost = Trouble(TroubleSource.BOARD, "the port went away")
    facts = Facts("publish on x", restarted_earlier="Ready", trouble=lost)
    assert judge(facts).outcome is Outcome.BOARD_LOST


def test_expect_returns_the_verdict():
    verdict = Verdict(Outcome.TOLERATED, "publish on x", "evidence")
    assert verdict.expect(Outcome.TOLERATED) is verdict


def test_wrong_verdict_is_the_products():
    verdict = Verdict(Outcome.TOLERATED, "publish on x", "The fence was acknowledged.")
    with pytest.raises(
        WrongVerdict, match=r"expected policy disconnect, got tolerated: publish on x. The fence"
    ) as error:
        verdict.expect(Outcome.POLICY_DISCONNECT)
    assert isinstance(error.value, Refusal)


@pytest.mark.parametrize("lab", sorted(LAB_OUTCOMES))
def test_lab_outcomes_are_the_labs(lab):
    with pytest.raises(Unproved) as error:
        Verdict(lab, "publish on x", "evidence").expect(Outcome.POLICY_DISCONNECT)
    assert isinstance(error.value, LabError)


@pytest.mark.parametrize(
    ("outcome", "party"),
    [
        (Outcome.POLICY_DISCONNECT, errors.Party.CLOUD),
        (Outcome.IGNORED, errors.Party.CLOUD),
        (Outcome.MODEM_RESET, errors.Party.MODEM),
        (Outcome.NETWORK_LOST, errors.Party.RADIO),
        (Outcome.BOARD_LOST, errors.Party.LAB),
        (Outcome.CLOUD_LOST, errors.Party.CLOUD),
        (Outcome.INCONCLUSIVE, errors.Party.UNCLEAR),
    ],
)
def test_an_unexpected_verdict_points_at_somebody(outcome, party):
    with pytest.raises(errors.HarnessError) as caught:
        Verdict(outcome, "publish on x", "evidence").expect(Outcome.TOLERATED)
    assert errors.party_of(caught.value) is party


def test_what_was_expected_is_said_with_an_or_between():
    verdict = Verdict(Outcome.TOLERATED, "publish on x", "Proof.")
    with pytest.raises(WrongVerdict) as caught:
        verdict.expect(Outcome.DENIED, Outcome.IGNORED)
    assert str(caught.value) == "expected denied or ignored, got tolerated: publish on x. Proof."


@pytest.mark.parametrize(("attempts", "said"), [(1, ""), (2, " (attempt 2)")])
def test_a_verdict_on_one_line(attempts, said):
    assert str(Verdict(Outcome.IGNORED, "publish on x", "Proof.", attempts)) == f"publish on x: ignored{said}. Proof."
