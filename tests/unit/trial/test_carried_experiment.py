"""What an experiment begins with, as it is written down and read again."""

import pytest

from harness.trial.experiment import Do, Done, ExperimentRule, Night, Observation, Plan, Saw, Subject
from harness.trial.wire.carried_experiment import Setup, carry_out

SETUP = Setup("login", Subject("connect as x", "", "client id"), ExperimentRule(hold=0.5), Night(), 3, gives_up=True)


@pytest.mark.parametrize("gives_up", [True, False])
def test_it_is_read_as_it_was_written(gives_up):
    data = SETUP.as_data() | {"gives_up": gives_up}
    read = Setup.of(data)
    assert (read.kind, read.subject, read.rule, read.count) == ("login", SETUP.subject, SETUP.rule, 3)
    assert read.gives_up is gives_up
    assert read.as_data() == data


def test_a_coin_of_an_older_file_never_gave_up():
    data = SETUP.as_data()
    del data["gives_up"]
    assert Setup.of(data).gives_up is False


@pytest.mark.parametrize(("gives_up", "last"), [(True, Do.WRONG_LOGIN), (False, Do.RIGHT_LOGIN)])
def test_a_coin_tries_the_login_in_question_last_once_nothing_can_be_proved_any_more(monkeypatch, gives_up, last):
    """Both logins fail each time, and the coin shows the right one."""
    monkeypatch.setattr("secrets.SystemRandom.randrange", lambda *_: 0)
    tried = []

    def fail(plan: Plan, _about):
        tried.append(plan.steps[0].do)
        return Observation((Done(Saw.CLOSED, 1.0),)), {}

    carry_out(Setup("login", SETUP.subject, SETUP.rule, Night(), gives_up=gives_up), fail)
    assert tried[-1] is last
