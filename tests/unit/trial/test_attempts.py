"""When a trial is run once more, and when it is asked whether a process or a port behind it is gone."""

import pytest

from harness.errors import BoardLost, CloudUnreachable, LabError, Misuse
from harness.timeline import Timeline
from harness.trial.attempts import MAX_ATTEMPTS, Attempts, TrialSubject
from harness.trial.facts import Sort
from harness.trial.judgement import Judgement
from harness.trial.verdict import Outcome

TROUBLE = LabError("the lab's trouble")


def run(act, *, most=MAX_ATTEMPTS, check=lambda: None):
    """Return the verdict on what ``act`` does with the log and the acting of each attempt."""
    return Attempts(Timeline(), check, lambda _verdict: None).run(TrialSubject("a", Sort.PACKET, most=most), act)


@pytest.mark.parametrize(
    ("found", "staked", "trouble", "attempts"),
    [
        (Outcome.INCONCLUSIVE, False, None, 1),  # the experiment had its say
        (Outcome.INCONCLUSIVE, False, TROUBLE, 2),
        (Outcome.INCONCLUSIVE, True, TROUBLE, 1),  # whoever began to draw would have more than one chance
        (Outcome.TOLERATED, False, None, 1),
        (Outcome.TOLERATED, False, TROUBLE, 2),
        (None, False, TROUBLE, 2),
        (None, True, TROUBLE, 1),
        (None, False, BoardLost("the port is gone"), 1),  # and will be
    ],
)
def test_a_trial_is_run_once_more_where_trouble_kept_it_from_being_staked(found, staked, trouble, attempts):
    def act(_log, acting):
        acting.staked = staked
        if found is not None:
            acting.finish = lambda _events: Judgement(found, ())
        if trouble is not None:
            raise trouble

    assert run(act).attempts == attempts
    assert run(act, most=1).attempts == 1


def test_a_trial_in_which_nothing_was_done_is_run_once_more():
    attempts = Attempts(Timeline(), lambda: None, lambda _verdict: None)
    verdict = attempts.run(TrialSubject("a call", Sort.CALL), lambda _log, _acting: None)
    assert (verdict.outcome, verdict.attempts) == (Outcome.INCONCLUSIVE, 2)


@pytest.mark.parametrize("proved", [False, True])
def test_where_nothing_was_proved_it_is_asked_whether_a_process_is_gone(proved):
    asked = []

    def act(_log, acting):
        if proved:
            acting.proved = True
        raise TROUBLE

    def check():
        asked.append(1)
        raise CloudUnreachable("local cloud (pid 7) died with signal 9")

    verdict = run(act, most=1, check=check)
    assert verdict.outcome is (Outcome.INCONCLUSIVE if proved else Outcome.CLOUD_LOST)
    assert asked == ([] if proved else [1])


def test_unless_somebody_looked_nothing_is_known_of_an_effect():
    def act(_log, acting):
        acting.finish = lambda _events: Judgement(Outcome.TOLERATED, ())

    assert run(act).effect is None


def test_what_is_no_trouble_of_the_labs_ends_the_trial():
    def act(_log, _acting):
        raise Misuse("another login is needed")

    with pytest.raises(Misuse):
        run(act)
