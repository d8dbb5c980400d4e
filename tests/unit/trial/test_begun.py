"""What the record of a trial begins with, and how logins and calls are read."""

from dataclasses import replace

import pytest

from harness.cloud import RestAnswer
from harness.timeline import Kind
from harness.trial import Attempt, Stage
from harness.trial.actions import PublishAction
from harness.trial.experiment import Saw
from harness.trial.facts import Reply
from harness.trial.phases import Phase
from harness.trial.wire.login_runner import _said, _saw, reply_of
from tests.unit.trial.fakes import LATENCY, LOGIN
from tests.unit.trial.fakes import Stage as Board


def begun(board):
    """Return the data of the first attempt's begin."""
    return next(
        event.data for event in board.timeline.since() if event.kind is Kind.PHASE and event.data["name"] == "attempt"
    )


def known(board, *names):
    begin = begun(board)
    return tuple(begin[name] for name in names)


def test_another_login():
    board = Board()
    board.device.connack_refused_for = {"wrong"}
    board.trials.connect(replace(LOGIN, client_id="wrong"), difference="another client id")
    assert known(board, "action", "sort", "policy", "difference") == (
        *("connect as wrong (another client id)", "connect", "Policy: iot:Connect wrong.", "another client id"),
    )
    assert begun(board)["experiment"]["subject"] == {
        "action": "connect as wrong (another client id)",
        "sham": "the right login",
        "differs": "another client id",
    }
    assert begun(board)["experiment"]["kind"] == "login"


def test_the_own_login():
    board = Board(control=lambda: True)
    board.trials.verify_connection()
    assert known(board, "action", "sort", "policy", "difference") == (
        *("connect as dev-1", "own connect", "Policy: iot:Connect dev-1.", ""),
    )
    assert begun(board)["experiment"]["subject"] == {
        "action": "connect as dev-1",
        "sham": "a CONNECT of MQTT 5",
        "differs": "the version of MQTT",
    }
    plain = Board()
    plain.trials.verify_connection()
    assert "experiment" not in begun(plain)


def test_a_packet():
    board = Board()
    board.trials.publish("other", witness=None)
    assert known(board, "action", "sort", "policy", "difference") == (
        *("publish on other (QoS 1)", "packet", "Policy: iot:Publish other.", ""),
    )
    assert begun(board)["experiment"]["kind"] == "action"
    assert begun(board)["experiment"]["subject"]["action"] == "publish on other (QoS 1)"
    assert begun(board)["experiment"]["subject"]["sham"] == "publish on team/h (QoS 1)"
    assert begun(board)["experiment"]["subject"]["differs"].startswith("topic, length of the topic (5 and 6)")


@pytest.mark.parametrize(("watch", "hold"), [(30.0, 30.0), (0.25, 0.5)])
def test_what_may_have_been_refused_late_in_its_group_is_held_for_longer(watch, hold):
    board = Board(hold=0.5)
    board.night.watch["publish on other (QoS 1)"] = watch
    for topic, held in (("other", hold), ("another", 0.5)):
        evidence = board.trials.publish(topic, witness=None).evidence
        begin = [event.data for event in board.timeline.since() if "experiment" in event.data][-1]
        assert begin["experiment"]["rule"]["hold"] == held
        assert f"the connection stayed for {held:g} s" in evidence


def test_a_group():
    board = Board()
    board.trials.group([PublishAction("a", None), PublishAction("b", None)])
    assert known(board, "action", "sort", "policy", "difference") == (
        *("2 allowed actions on shared connections", "group", "", ""),
    )
    experiment = begun(board)["experiment"]
    assert (experiment["kind"], experiment["count"]) == ("group", 2)
    assert experiment["subject"]["action"] == "2 allowed actions on shared connections"


# -- logins and calls


@pytest.mark.parametrize(
    ("stage", "saw"),
    [
        (Stage.ACCEPTED, Saw.ANSWERED),
        (Stage.REFUSED, Saw.REFUSED),
        (Stage.NO_CONNACK, Saw.CLOSED),
        (Stage.LOST, Saw.CLOSED),
        (Stage.NO_SESSION, Saw.CLOSED),
        (Stage.SILENT, Saw.NOTHING),
    ],
)
def test_how_far_an_attempt_came_is_how_its_step_ended(stage, saw):
    assert _saw(Attempt(stage, "CONNACK return code 5", 0.1)) is saw
    busy = Attempt(stage, "CONNACK return code 3", 0.1)
    assert _saw(busy) is (Saw.LATER if stage is Stage.REFUSED else saw)


@pytest.mark.parametrize(
    ("answer", "saw"),
    [
        (RestAnswer(200), Saw.ANSWERED),
        (RestAnswer(429), Saw.LATER),
        (RestAnswer(428), Saw.CLOSED),
        (RestAnswer(430), Saw.CLOSED),
        (RestAnswer(499), Saw.CLOSED),
        (RestAnswer(500), Saw.LATER),
        (RestAnswer(501, 50100), Saw.LATER),
        (RestAnswer(401, 40100), Saw.REFUSED),
        (RestAnswer(403), Saw.CLOSED),
        (RestAnswer(422, 42200), Saw.CLOSED),
    ],
)
def test_how_a_call_was_answered_is_how_its_step_ended(answer, saw):
    assert _said(answer) is saw


def test_what_is_kept_of_an_answer():
    answer = RestAnswer(401, 40100, "denied")
    assert reply_of(answer) == Reply(401, False, str(answer), True)
    assert "denied" in str(answer)
    assert reply_of(RestAnswer(200)) == Reply(200, True, str(RestAnswer(200)), False)


def test_the_own_login_and_what_it_is_compared_with_are_phases_of_their_own():
    board = Board({"dev-1"}, control=lambda: True)
    asked = []
    told = board.trials._context.control_connect
    assert told is not None

    def control(login, held, patience):
        asked.append((login, patience))
        return told(login, held, patience)

    board.trials._context = replace(board.trials._context, control_connect=control)
    board.trials.verify_connection()
    assert set(asked) == {(LOGIN, 8.0)}
    names = [
        event.data["name"]
        for event in board.timeline.since()
        if event.kind is Kind.PHASE and event.data["on"] == "begin" and "step" in event.data
    ]
    assert {Phase.ACTION, Phase.RIGHT} <= set(names)
    assert names.count(Phase.RIGHT) >= len(asked)
    assert board.clock.now > LATENCY
