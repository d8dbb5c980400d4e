"""An expected verdict passes, a wrong one is the product's, an unproved one the lab's; what comes before the rules."""

from dataclasses import replace

import pytest

from harness import errors
from harness.errors import LabError, Refusal
from harness.trial import (
    LAB_OUTCOMES,
    Attempt,
    Facts,
    How,
    Judgement,
    Outcome,
    Sentence,
    Sort,
    Stage,
    Unproved,
    Verdict,
    WrongVerdict,
    judge,
)
from harness.trial.facts import Reply, Trouble
from harness.trial.phases import TroubleSource

NOTHING = Judgement(Outcome.INCONCLUSIVE, (Sentence("suspect", "Suspected: network."),), {"one_in": 0})
PROVED = Judgement(Outcome.POLICY_DISCONNECT, (Sentence("hits", "Four times."),), {"one_in": 20_000})
PACKET = Facts("publish on x")


def test_what_an_experiment_proved_stands():
    restarted = replace(PACKET, restarted_earlier="Ready", dead=Trouble(TroubleSource.CLOUD, "the cloud died"))
    assert judge(PACKET, PROVED) is PROVED
    assert judge(restarted, PROVED) is PROVED


@pytest.mark.parametrize(
    ("facts", "outcome", "because"),
    [
        (replace(PACKET, restarted_earlier="Ready"), Outcome.MODEM_RESET, "restarted or its modem failed"),
        (replace(PACKET, dead=Trouble(TroubleSource.CLOUD, "pid 7 died")), Outcome.CLOUD_LOST, "pid 7 died."),
        (replace(PACKET, restarted_earlier="Ready", remembers=True), Outcome.INCONCLUSIVE, "Suspected"),
    ],
)
def test_where_nothing_is_proved_something_else_may_explain_it(facts, outcome, because):
    found = judge(facts, NOTHING)
    assert (found.outcome, found.numbers) == (outcome, NOTHING.numbers)
    assert because in found.sentences[0].text
    assert found.evidence.endswith("Suspected: network.")


@pytest.mark.parametrize(
    ("source", "outcome"),
    [
        (TroubleSource.NETWORK, Outcome.NETWORK_LOST),
        (TroubleSource.BOARD, Outcome.BOARD_LOST),
        (TroubleSource.CLOUD, Outcome.CLOUD_LOST),
        (TroubleSource.LAB, Outcome.INCONCLUSIVE),
        (TroubleSource.POLICIES, Outcome.NOTHING_ALLOWED),
    ],
)
def test_trouble_that_ended_an_attempt_is_its_verdict(source, outcome):
    found = judge(replace(PACKET, trouble=Trouble(source, "it went wrong"), refs={"trouble": (7,)}))
    assert (found.outcome, found.sentences) == (outcome, (Sentence("trouble", "it went wrong.", (7,)),))


REFUSED, CUT = Attempt(Stage.REFUSED, "refused: 5", 0.1), Attempt(Stage.NO_CONNACK, "hung up", 0.1)
OWN = Facts(
    "connect as a", sort=Sort.OWN_CONNECT, policy="Allowed.", registered="+CEREG: 5,1", tries=(REFUSED, REFUSED)
)


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        (OWN, Outcome.REFUSED_AT_CONNECT),
        (replace(OWN, tries=(REFUSED,)), Outcome.INCONCLUSIVE),
        (replace(OWN, tries=(REFUSED, CUT)), Outcome.INCONCLUSIVE),
        (replace(OWN, tries=(Attempt(Stage.REFUSED, "refused: 3", 0.1),) * 2), Outcome.INCONCLUSIVE),
        (replace(OWN, registered=None), Outcome.INCONCLUSIVE),
        (replace(OWN, network_loss="+CEREG: 2"), Outcome.INCONCLUSIVE),
        (replace(OWN, restarted="Ready"), Outcome.INCONCLUSIVE),
        (replace(OWN, tries=(Attempt(Stage.NO_SESSION, "", 0.1),) * 2), Outcome.INCONCLUSIVE),
        (replace(OWN, tries=(), control="a publish"), Outcome.TOLERATED),
    ],
)
def test_the_own_login_is_refused_twice_or_works(facts, outcome):
    found = judge(facts)
    assert found.outcome is outcome
    stated = outcome is Outcome.REFUSED_AT_CONNECT or facts.closed_twice
    assert (found.sentences[0].text == "Allowed.") is stated


GRANTED, NO = Reply(200, True, "200"), Reply(401, False, "401 (code 40100)", True)


@pytest.mark.parametrize(
    ("replies", "outcome"),
    [
        ([GRANTED], Outcome.AUTHORISED),
        ([NO, GRANTED], Outcome.AUTHORISED),
        ([NO, NO], Outcome.DENIED),
        ([NO, Reply(403, False, "403"), Reply(404, False, "404 (code 40410)", True)], Outcome.DENIED),
        ([NO], Outcome.INCONCLUSIVE),
        ([Reply(403, False, "403")] * 4, Outcome.INCONCLUSIVE),
        ([Reply(422, False, "422 (code 42200)", True)] * 4, Outcome.INCONCLUSIVE),
        ([], Outcome.INCONCLUSIVE),
    ],
)
def test_a_call_that_is_right_is_refused_only_by_two_words_of_the_apis(replies, outcome):
    assert judge(Facts("ask", sort=Sort.CALL, answers=tuple(replies))).outcome is outcome


@pytest.mark.parametrize("how", How)
def test_a_sentence_comes_back_from_json(how):
    sentence = Sentence("hits", "Four times.", (3, 9), how)
    assert Sentence.of(sentence.as_data()) == sentence


def test_a_start_after_the_port_went_away_is_the_labs():
    lost = Trouble(TroubleSource.BOARD, "the port went away")
    facts = Facts("publish on x", restarted_earlier="Ready", trouble=lost)
    assert judge(facts).outcome is Outcome.BOARD_LOST


def test_expect_returns_the_verdict():
    verdict = Verdict(Outcome.TOLERATED, "publish on x", "evidence")
    assert verdict.expect(Outcome.TOLERATED) is verdict


def test_the_report_of_a_failed_test_ends_at_its_own_line():
    with pytest.raises(WrongVerdict) as caught:
        Verdict(Outcome.TOLERATED, "publish on x", "evidence").expect(Outcome.IGNORED)
    assert caught.traceback[-1].ishidden(caught)
    assert not caught.traceback[0].ishidden(caught)


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
