"""The whole evidence of every verdict: each sentence, its code, the facts that show it, and what it rests on."""

from dataclasses import replace

import pytest

from harness.trial import Attempt, Control, Facts, How, Outcome, Sort, Stage, judge
from harness.trial.facts import Reply, Trouble
from harness.trial.judge import Sentence, span
from harness.trial.phases import TroubleSource

# By a fact's name the number of the one event that shows it.
SHOWN = {
    "baseline": 1,
    "sent": 2,
    "fence": 3,
    "hang_up": 4,
    "network_loss": 5,
    "registered": 6,
    "restarted": 7,
    "restarted_earlier": 8,
    "reached": 9,
    "effect": 10,
    "reconnect_error": 11,
    "after": 12,
    "tries": 13,
    "answer": 14,
    "answer_before": 15,
    "answer_after": 16,
    "trouble": 17,
    "dead": 18,
}
REFS = {fact: (number,) for fact, number in SHOWN.items()}
CONTROL = "a QoS 1 publish on m/d2c, seen by the observer,"
WORKED = Control(acked=True, seen=True, seconds=0.1)
FAILED = Control(acked=False, seen=False, seconds=0.0, detail="hung up: ENOTCONN (128)")
UNSEEN = Control(acked=True, seen=False, seconds=0.5)

HUNG_UP = Facts(
    action="publish on a/y (QoS 1)",
    control=CONTROL,
    baseline=WORKED,
    fence=FAILED,
    hang_up=128,
    hang_up_after=0.05,
    registered="+CEREG: 5,1",
    reached=False,
    after=WORKED,
    refs=REFS,
)
STAYED = replace(HUNG_UP, hang_up=None, fence=replace(WORKED, seconds=3.44), reached=None, after=None)


def said(code, text, *shown_by, how=How.EVENTS):
    return Sentence(code, text, tuple(sorted(SHOWN[fact] for fact in shown_by)), how)


POLICY = Sentence("policy", "Policy: implicit deny.", (), How.DOCUMENTS)
BASELINE = said("baseline", f"Just before, on the same connection, {CONTROL} worked (100 ms).", "baseline")
HANG_UP = said(
    "hang-up",
    "The board was hung up on, ENOTCONN (128), 50 ms after the action and before the fence was acknowledged.",
    "hang_up",
)
REGISTERED = said("registered", "The modem stayed registered (+CEREG: 5,1) and nothing restarted.", "registered")
NOBODY = said("reached nobody", "The message reached nobody.", "reached", how=How.ABSENCE)
WORKED_AGAIN = said(
    "worked again", "The same credentials connected again, and the allowed action worked again.", "after"
)
FENCE = said("fence", "The fence after it was acknowledged and seen too (3.4 s).", "fence")

PACKETS = {
    "refused": (HUNG_UP, Outcome.POLICY_DISCONNECT, [BASELINE, HANG_UP, REGISTERED, NOBODY, WORKED_AGAIN]),
    "nobody could look": (
        replace(HUNG_UP, reached=None, policy="Policy: implicit deny."),
        Outcome.POLICY_DISCONNECT,
        [POLICY, BASELINE, HANG_UP, REGISTERED, WORKED_AGAIN],
    ),
    "no fence was sent": (
        replace(HUNG_UP, fence=None, hang_up_after=1.0),
        Outcome.POLICY_DISCONNECT,
        [
            BASELINE,
            HANG_UP._replace(text=HANG_UP.text.replace("50 ms", "1.0 s")),
            REGISTERED,
            NOBODY,
            WORKED_AGAIN,
        ],
    ),
    "refused late": (
        replace(HUNG_UP, fence=WORKED),
        Outcome.POLICY_DISCONNECT,
        [
            BASELINE,
            said(
                "late hang-up",
                "The board was hung up on, ENOTCONN (128), 50 ms after the action, after the fence: a refusal that "
                "came late.",
                "hang_up",
            ),
            REGISTERED,
            NOBODY,
            WORKED_AGAIN,
        ],
    ),
    "restarted": (
        replace(HUNG_UP, restarted="Ready", network_loss="+CEREG: 2", policy="Policy: implicit deny."),
        Outcome.MODEM_RESET,
        [POLICY, said("restarted", "The board restarted or its modem failed during the trial: 'Ready'.", "restarted")],
    ),
    "network lost": (
        replace(HUNG_UP, network_loss="+CEREG: 2"),
        Outcome.NETWORK_LOST,
        [said("network lost", "The radio network went away during the trial: '+CEREG: 2'.", "network_loss")],
    ),
    "no baseline": (
        replace(HUNG_UP, baseline=None),
        Outcome.INCONCLUSIVE,
        [
            said(
                "baseline failed",
                f"Nothing can be said: the allowed action ({CONTROL}) did not work beforehand, it was not tried.",
                "baseline",
            )
        ],
    ),
    "baseline not acknowledged": (
        replace(HUNG_UP, baseline=FAILED),
        Outcome.INCONCLUSIVE,
        [
            said(
                "baseline failed",
                f"Nothing can be said: the allowed action ({CONTROL}) did not work beforehand, not acknowledged: "
                "hung up: ENOTCONN (128).",
                "baseline",
            )
        ],
    ),
    "baseline not seen": (
        replace(HUNG_UP, baseline=UNSEEN),
        Outcome.INCONCLUSIVE,
        [
            said(
                "baseline failed",
                f"Nothing can be said: the allowed action ({CONTROL}) did not work beforehand, acknowledged but not "
                "seen.",
                "baseline",
            )
        ],
    ),
    "refused by the board": (
        replace(STAYED, sent=False),
        Outcome.INCONCLUSIVE,
        [said("not sent", "The board refused to send it, and reported no end of the connection.", "sent")],
    ),
    "refused by the board that was hung up on": (
        replace(HUNG_UP, sent=False),
        Outcome.INCONCLUSIVE,
        [said("not sent", "The board refused to send it, and the connection had ended before it.", "sent")],
    ),
    "ended from this side": (
        replace(HUNG_UP, hang_up=0),
        Outcome.INCONCLUSIVE,
        [said("own disconnect", "The connection was ended from this side, during the trial.", "hang_up")],
    ),
    "odd hang-up": (
        replace(HUNG_UP, hang_up=116),
        Outcome.INCONCLUSIVE,
        [
            BASELINE,
            HANG_UP._replace(text=HANG_UP.text.replace("ENOTCONN (128)", "ETIMEDOUT (116)")),
            said("odd hang-up", "That is not how a hang-up by the other side shows.", "hang_up"),
        ],
    ),
    "not registered": (
        replace(HUNG_UP, registered=None),
        Outcome.NETWORK_LOST,
        [BASELINE, HANG_UP, said("not registered", "The modem was not registered afterwards.", "registered")],
    ),
    "delivered": (
        replace(HUNG_UP, reached=True),
        Outcome.INCONCLUSIVE,
        [
            BASELINE,
            HANG_UP,
            REGISTERED,
            said("delivered", "Yet the message was delivered: the hang-up was not its refusal.", "reached"),
        ],
    ),
    "locked out": (
        replace(HUNG_UP, reconnect_error="no TLS session"),
        Outcome.INCONCLUSIVE,
        [
            BASELINE,
            HANG_UP,
            REGISTERED,
            NOBODY,
            said("locked out", "The same credentials did not connect again: no TLS session.", "reconnect_error"),
        ],
    ),
    "nobody reconnected": (
        replace(HUNG_UP, after=None),
        Outcome.INCONCLUSIVE,
        [
            BASELINE,
            HANG_UP,
            REGISTERED,
            NOBODY,
            said("locked out", "The same credentials did not connect again: nobody tried.", "reconnect_error"),
        ],
    ),
    "failed again": (
        replace(HUNG_UP, after=replace(UNSEEN, detail="it did not arrive within 10 s")),
        Outcome.INCONCLUSIVE,
        [
            BASELINE,
            HANG_UP,
            REGISTERED,
            NOBODY,
            said(
                "failed again",
                "On the next connection the allowed action failed as well, acknowledged but not seen: it did not "
                "arrive within 10 s: a duplicate client with this id, or something beyond the action, ends "
                "connections.",
                "after",
            ),
        ],
    ),
    "tolerated": (STAYED, Outcome.TOLERATED, [BASELINE, FENCE]),
    "tolerated, with its effect": (
        replace(STAYED, effect=True, effect_detail="a message arrived on t"),
        Outcome.TOLERATED,
        [BASELINE, FENCE, said("effect", "Effect: a message arrived on t.", "effect")],
    ),
    "ignored": (
        replace(STAYED, effect=False, effect_detail="no message arrived within 10 s", message_sent=True),
        Outcome.IGNORED,
        [
            BASELINE,
            FENCE,
            said(
                "no effect",
                "The connection stayed, but there was no effect: no message arrived within 10 s.",
                "effect",
                how=How.ABSENCE,
            ),
        ],
    ),
    "silence": (
        replace(STAYED, fence=None),
        Outcome.INCONCLUSIVE,
        [
            BASELINE,
            said("silence", "Then neither a hang-up nor the fence came: it was not sent.", "fence", how=How.ABSENCE),
        ],
    ),
    "fence not acknowledged": (
        replace(STAYED, fence=FAILED),
        Outcome.INCONCLUSIVE,
        [
            BASELINE,
            said(
                "silence",
                "Then neither a hang-up nor the fence came: not acknowledged: hung up: ENOTCONN (128).",
                "fence",
                how=How.ABSENCE,
            ),
        ],
    ),
}

REFUSED = Attempt(Stage.REFUSED, "CONNACK return code 5", 0.2)
CONNECT = Facts(
    action="connect as wrong (another client id)",
    sort=Sort.CONNECT,
    policy="Policy: implicit deny.",
    tries=(REFUSED,),
    difference="another client id",
    registered="+CEREG: 5,1",
    after=WORKED,
    refs=REFS,
)
UNRECORDED = Sentence("unrecorded", "Nothing can be said: no attempt to connect was recorded.", (), How.ABSENCE)


def differed(attempt):
    return said(
        "connect",
        "Before and after it the right login connected to the same host and port, and its allowed action worked; "
        f"with another client id: {attempt}. The modem stayed registered.",
        "tries",
        "registered",
        "after",
    )


CONNECTS = {
    "refused": (
        CONNECT,
        Outcome.REFUSED_AT_CONNECT,
        [POLICY, differed("CONNACK with a refusal (CONNACK return code 5)")],
    ),
    "closed": (
        replace(CONNECT, tries=(REFUSED, Attempt(Stage.NO_CONNACK, "", 0.2))),
        Outcome.REFUSED_AT_CONNECT,
        [POLICY, differed("closed instead of a CONNACK")],
    ),
    "silent": (
        replace(CONNECT, tries=(Attempt(Stage.SILENT, "within 8 s", 8.0),)),
        Outcome.INCONCLUSIVE,
        [POLICY, differed("no answer to CONNECT (within 8 s)")],
    ),
    "accepted": (
        replace(CONNECT, tries=(Attempt(Stage.ACCEPTED, "", 0.2),)),
        Outcome.TOLERATED,
        [POLICY, differed("accepted")],
    ),
    "no TLS session, so no policy": (
        replace(CONNECT, tries=(Attempt(Stage.NO_SESSION, "refused", 0.2),)),
        Outcome.REFUSED_IN_TLS,
        [differed("no TLS session (refused)")],
    ),
    "disturbed": (
        replace(CONNECT, network_loss="+CEREG: 2"),
        Outcome.NETWORK_LOST,
        [POLICY, said("network lost", "The radio network went away during the trial: '+CEREG: 2'.", "network_loss")],
    ),
    "unrecorded": (replace(CONNECT, tries=()), Outcome.INCONCLUSIVE, [UNRECORDED]),
    "locked out": (
        replace(CONNECT, reconnect_error="no answer"),
        Outcome.INCONCLUSIVE,
        [
            POLICY,
            said(
                "locked out",
                "CONNACK with a refusal (CONNACK return code 5); but the right login failed afterwards: no answer.",
                "tries",
                "reconnect_error",
            ),
        ],
    ),
    "nobody tried": (
        replace(CONNECT, after=None),
        Outcome.INCONCLUSIVE,
        [
            POLICY,
            said(
                "locked out",
                "CONNACK with a refusal (CONNACK return code 5); but the right login failed afterwards: nobody tried.",
                "tries",
                "reconnect_error",
            ),
        ],
    ),
    "failed again": (
        replace(CONNECT, after=FAILED),
        Outcome.INCONCLUSIVE,
        [
            POLICY,
            said(
                "failed again",
                "CONNACK with a refusal (CONNACK return code 5); the right login did not work: hung up: ENOTCONN "
                "(128).",
                "tries",
                "after",
            ),
        ],
    ),
    "own, twice": (
        replace(CONNECT, sort=Sort.OWN_CONNECT, tries=(REFUSED, Attempt(Stage.NO_CONNACK, "", 0.2)), after=None),
        Outcome.REFUSED_AT_CONNECT,
        [
            POLICY,
            said(
                "connect refused",
                "TLS came up and CONNECT was refused, twice: CONNACK with a refusal (CONNACK return code 5); closed "
                "instead of a CONNACK. The modem stayed registered (+CEREG: 5,1) and nothing restarted.",
                "tries",
                "registered",
            ),
        ],
    ),
    "own, accepted": (
        replace(CONNECT, sort=Sort.OWN_CONNECT, tries=(Attempt(Stage.ACCEPTED, "", 0.2),), control=CONTROL),
        Outcome.TOLERATED,
        [said("connected", f"Mutual TLS and CONNECT were accepted, and {CONTROL} worked.", "tries")],
    ),
    "own, unrecorded": (replace(CONNECT, sort=Sort.OWN_CONNECT), Outcome.INCONCLUSIVE, [UNRECORDED]),
}

GRANTED = Reply(200, True, "200 OK")
CALL = Facts(
    action="GET devices",
    sort=Sort.CALL,
    answer=Reply(401, False, "401 Unauthorized"),
    answer_before=GRANTED,
    answer_after=Reply(204, True, "204"),
    refs=REFS,
)
ANSWER = said("answer", "It was answered 401 Unauthorized.", "answer")
AROUND = said(
    "calls around",
    "The same call with the right token was answered 200 OK before and 204 after it.",
    "answer_before",
    "answer_after",
)
CALLS = {
    "denied": (CALL, Outcome.DENIED, [ANSWER, AROUND]),
    "granted": (
        replace(CALL, answer=GRANTED, policy="Policy: implicit deny."),
        Outcome.AUTHORISED,
        [POLICY, ANSWER._replace(text="It was answered 200 OK."), AROUND],
    ),
    "the right call is refused afterwards": (
        replace(CALL, answer=GRANTED, answer_after=Reply(403, False, "403 Forbidden")),
        Outcome.INCONCLUSIVE,
        [
            ANSWER._replace(text="It was answered 200 OK."),
            AROUND._replace(text=AROUND.text.replace("204", "403 Forbidden")),
        ],
    ),
    "no control": (replace(CALL, answer_before=None, answer_after=None), Outcome.DENIED, [ANSWER]),
    "half a control": (replace(CALL, answer_before=None), Outcome.DENIED, [ANSWER]),
    "throttled": (
        replace(CALL, answer=Reply(429, False, "429")),
        Outcome.INCONCLUSIVE,
        [ANSWER._replace(text="It was answered 429."), AROUND],
    ),
    "the right call is refused": (
        replace(CALL, answer=None, answer_before=Reply(500, False, "500")),
        Outcome.INCONCLUSIVE,
        [said("call before", "The same call with the right token was answered 500.", "answer_before")],
    ),
    "nothing was answered": (
        replace(CALL, answer=None, answer_before=None),
        Outcome.INCONCLUSIVE,
        [said("call before", "The same call with the right token was answered by nothing.", "answer_before")],
    ),
}

TROUBLE = said("trouble", "no answer to AT.", "trouble")
EARLIER = said("restarted", "The board restarted or its modem failed during the trial: 'Ready'.", "restarted_earlier")
DEAD = said("dead", "The local cloud died.", "dead")
TROUBLES = {
    **{
        f"trouble of the {party}": (replace(HUNG_UP, trouble=Trouble(party, "no answer to AT")), outcome, [TROUBLE])
        for party, outcome in (
            (TroubleSource.NETWORK, Outcome.NETWORK_LOST),
            (TroubleSource.BOARD, Outcome.BOARD_LOST),
            (TroubleSource.CLOUD, Outcome.CLOUD_LOST),
            (TroubleSource.LAB, Outcome.INCONCLUSIVE),
        )
    },
    "trouble that is a sentence": (
        replace(HUNG_UP, trouble=Trouble(TroubleSource.LAB, "no answer to AT.")),
        Outcome.INCONCLUSIVE,
        [TROUBLE],
    ),
    "restarted earlier": (
        replace(
            HUNG_UP,
            trouble=Trouble(TroubleSource.LAB, "no answer to AT"),
            restarted_earlier="Ready",
            dead=Trouble(TroubleSource.CLOUD, "The local cloud died"),
        ),
        Outcome.MODEM_RESET,
        [EARLIER, TROUBLE],
    ),
    "dead": (
        replace(
            HUNG_UP,
            trouble=Trouble(TroubleSource.LAB, "no answer to AT"),
            dead=Trouble(TroubleSource.CLOUD, "The local cloud died"),
        ),
        Outcome.CLOUD_LOST,
        [DEAD, TROUBLE],
    ),
    "what is proved stays proved": (
        replace(HUNG_UP, restarted_earlier="Ready", dead=Trouble(TroubleSource.CLOUD, "The local cloud died")),
        Outcome.POLICY_DISCONNECT,
        [BASELINE, HANG_UP, REGISTERED, NOBODY, WORKED_AGAIN],
    ),
}


def cases():
    for sort, all_of_it in {"packet": PACKETS, "connect": CONNECTS, "call": CALLS, "": TROUBLES}.items():
        for name, case in all_of_it.items():
            yield pytest.param(*case, id=f"{sort} {name}".strip())


@pytest.mark.parametrize(("facts", "outcome", "sentences"), list(cases()))
def test_the_evidence_of_a_verdict_is_complete(facts, outcome, sentences):
    found = judge(facts)
    assert found.outcome is outcome
    assert list(found.sentences) == sentences
    assert found.evidence == " ".join(sentence.text for sentence in sentences)


@pytest.mark.parametrize(("facts", "outcome", "sentences"), list(cases()))
def test_facts_without_events_prove_the_same_and_refer_to_nothing(facts, outcome, sentences):
    found = judge(replace(facts, refs={}))
    assert list(found.sentences) == [sentence._replace(refs=()) for sentence in sentences]


def test_a_sentence_refers_to_all_its_events_once_and_in_order():
    refs = {"tries": (9, 4), "registered": (4,), "after": (2, 9)}
    (_, sentence) = judge(replace(CONNECT, refs=refs)).sentences
    assert sentence.refs == (2, 4, 9)


def test_a_sentence_is_ready_for_json():
    assert NOBODY.as_data() == {
        "code": "reached nobody",
        "text": "The message reached nobody.",
        "refs": [9],
        "how": "absence",
    }
    assert FENCE.as_data()["how"] == "events"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0 ms"), (0.0124, "12 ms"), (0.9994, "999 ms"), (1.0, "1.0 s"), (3.44, "3.4 s")]
)
def test_a_span_is_written_for_a_reader(seconds, text):
    assert span(seconds) == text
