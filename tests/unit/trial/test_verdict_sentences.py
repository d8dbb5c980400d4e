"""What a verdict without an experiment says, sentence by sentence, and which events each sentence names."""

from dataclasses import replace

import pytest

from harness.firmware.cloud_library.evidence import LogClass
from harness.trial import Attempt, Facts, Outcome, Sentence, Sort, Stage, judge
from harness.trial.facts import OwnResult, Reply, Trouble
from harness.trial.judge import refused_in_words
from harness.trial.judgement import How
from harness.trial.phases import TroubleSource

REFS = {"answers": (3, 5), "tries": (2, 4), "registered": (6,), "own": (7, 8), "restarted_earlier": (9,), "dead": (1,)}
CALL = Facts("ask", sort=Sort.CALL, refs=REFS)
GRANTED, NO = Reply(200, True, "200"), Reply(401, False, "401 (code 40100)", True)
CUT = Reply(403, False, "403")


def sentences(facts):
    return judge(facts).sentences


def test_a_call_without_an_answer():
    assert sentences(CALL) == (Sentence("unrecorded", "Nothing can be said: no answer was recorded.", (), How.ABSENCE),)


def test_a_call_that_was_granted():
    assert sentences(replace(CALL, answers=(NO, GRANTED))) == (
        Sentence("answer", "It was answered 401 (code 40100); 200.", (3, 5)),
    )


def test_a_call_that_was_refused_in_words():
    assert sentences(replace(CALL, answers=(NO, NO))) == (
        Sentence("answer", "It was answered 401 (code 40100); 401 (code 40100).", (3, 5)),
        Sentence(
            "refused", "The API refused it 2 times in its own words; there is no call to compare it with.", (3, 5)
        ),
    )


def test_a_call_of_which_nothing_is_proved():
    assert sentences(replace(CALL, answers=(CUT,)))[1:] == (
        Sentence(
            "unproved",
            "Nothing is proved: the API neither granted nor refused it in its own words; something in between may"
            " have.",
            (),
            How.ABSENCE,
        ),
    )


@pytest.mark.parametrize(
    ("reply", "refused"),
    [
        (NO, True),
        (Reply(403, False, "403", True), True),
        (Reply(404, False, "404", True), True),
        (CUT, False),
        (Reply(401, True, "401", True), False),
        (Reply(400, False, "400", True), False),
        (Reply(402, False, "402", True), False),
    ],
)
def test_which_answers_are_refusals_in_words(reply, refused):
    assert refused_in_words(reply) is refused


REFUSED, CLOSED = Attempt(Stage.REFUSED, "refused: 5", 0.1), Attempt(Stage.NO_CONNACK, "hung up", 0.1)
OWN = Facts("connect as a", sort=Sort.OWN_CONNECT, registered="+CEREG: 5,1", refs=REFS)


def test_a_login_that_was_refused_twice():
    facts = replace(OWN, policy="Allowed.", tries=(REFUSED, replace(REFUSED, detail="refused: 4")))
    assert sentences(facts) == (
        Sentence("policy", "Allowed.", (), How.DOCUMENTS),
        Sentence(
            "connect refused",
            "TLS came up and CONNECT was refused, twice: CONNACK with a refusal (refused: 5); CONNACK with a refusal"
            " (refused: 4). The modem stayed registered (+CEREG: 5,1) and nothing restarted.",
            (2, 4, 6),
        ),
    )


def test_a_login_that_was_hung_up_on_twice():
    assert sentences(replace(OWN, tries=(REFUSED, CLOSED))) == (
        Sentence(
            "closed",
            "The own login came through TLS and no further, twice: CONNACK with a refusal (refused: 5); closed instead"
            " of a CONNACK (hung up). A cut looks the same, and there is nothing to compare it with: this firmware"
            " cannot send a CONNECT without its end.",
            (2, 4),
        ),
    )


def test_a_login_that_was_not_tried():
    assert sentences(OWN) == (
        Sentence("unrecorded", "Nothing can be said: no attempt to connect was recorded.", (), How.ABSENCE),
    )


def test_a_login_that_worked():
    assert sentences(replace(OWN, control="a publish")) == (
        Sentence("connected", "Mutual TLS and CONNECT were accepted, and a publish worked.", (2, 4)),
    )


FIRMWARE = Facts("connect", sort=Sort.FIRMWARE, refs=REFS)
STAYED = OwnResult(True, "", "connected, and stayed")


def ended(end, said="it ended"):
    return OwnResult(False, end, said)


def test_an_own_connection_of_which_nothing_was_recorded():
    found = judge(FIRMWARE)
    assert (found.outcome, found.sentences) == (
        Outcome.INCONCLUSIVE,
        (Sentence("unrecorded", "Nothing can be said: no reconnect was recorded.", (), How.ABSENCE),),
    )


def test_an_own_connection_that_stayed():
    found = judge(replace(FIRMWARE, own=(ended("", "first"), ended("", "second"), STAYED)))
    assert (found.outcome, found.sentences) == (
        Outcome.TOLERATED,
        (
            Sentence(
                "connected",
                "It connected, and stayed. Before that it did not stay: first. Before that it did not stay: second.",
                (7, 8),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        (LogClass.LINK_LOST, Outcome.NETWORK_LOST),
        (LogClass.MODEM_FAULT, Outcome.MODEM_RESET),
        (LogClass.KEEPALIVE, Outcome.INCONCLUSIVE),
        (LogClass.USER_DISCONNECT, Outcome.INCONCLUSIVE),
        ("", Outcome.INCONCLUSIVE),
    ],
)
def test_an_own_connection_that_did_not_stay(end, outcome):
    found = judge(replace(FIRMWARE, own=(ended(str(end)),)))
    assert (found.outcome, found.sentences) == (
        outcome,
        (Sentence("own", "Its connection did not stay: it ended.", (7, 8)),),
    )


@pytest.mark.parametrize(
    ("end", "outcome"),
    [(LogClass.KICKED, Outcome.NOTHING_ALLOWED), (LogClass.REFUSED, Outcome.REFUSED_AT_CONNECT)],
)
def test_three_ends_in_a_row_are_the_clouds(end, outcome):
    two = judge(replace(FIRMWARE, own=(ended(str(end)),) * 2))
    assert (two.outcome, two.sentences[0].text) == (
        Outcome.INCONCLUSIVE,
        "Its connection did not stay: it ended. Before that it did not stay: it ended. 3 such ends in a row would show"
        " that the cloud does it.",
    )
    three = judge(replace(FIRMWARE, own=(ended(str(end)),) * 3))
    assert (three.outcome, "in a row" in three.evidence) == (outcome, False)


# -- what else may explain that nothing is proved


def test_a_restart_is_said_with_its_line_and_its_events():
    facts = replace(CALL, answers=(CUT,), restarted_earlier="Ready", dead=Trouble(TroubleSource.CLOUD, "pid 7 died"))
    assert sentences(facts)[0] == Sentence(
        "restarted", "The board restarted or its modem failed during the trial: 'Ready'.", (9,)
    )
    assert sentences(replace(facts, refs={}))[0].refs == ()


@pytest.mark.parametrize(
    ("source", "outcome"), [(TroubleSource.CLOUD, Outcome.CLOUD_LOST), (TroubleSource.BOARD, Outcome.BOARD_LOST)]
)
def test_what_died_is_said_with_its_events(source, outcome):
    facts = replace(CALL, answers=(CUT,), dead=Trouble(source, "pid 7 died"))
    found = judge(facts)
    assert (found.outcome, found.sentences[0]) == (outcome, Sentence("dead", "pid 7 died.", (1,)))
    assert len(found.sentences) == 3
    assert sentences(replace(facts, refs={}))[0].refs == ()


def test_trouble_ends_with_one_full_stop():
    for text in ("It went wrong", "It went wrong."):
        facts = replace(CALL, trouble=Trouble(TroubleSource.LAB, text), refs={"trouble": (4,)})
        assert sentences(facts) == (Sentence("trouble", "It went wrong.", (4,)),)
    assert sentences(replace(CALL, trouble=Trouble(TroubleSource.LAB, "x"), refs={})) == (Sentence("trouble", "x."),)
