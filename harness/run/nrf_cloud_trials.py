"""Trials of the connection that ``#XNRFCLOUD`` makes: a message that goes where the pairing in the shadow says.

The firmware tells that the connection has ended, and never why. So the coin experiment has to prove the cause: before
each attempt a coin decides whether the pairing has the topic in question or the board's own. The firmware connects,
sends the same message, and is watched for a hold. What ends such connections by itself cannot know the coin.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final

from harness.errors import NoAnswer
from harness.firmware.nrf_cloud_commands import NrfCloudConnection
from harness.timeline import Timeline
from harness.trial import Sort, Verdict
from harness.trial.attempts import Acting, Attempts, TrialSubject
from harness.trial.experiment import Do, ExperimentRule, Night, Plan, Saw, Subject
from harness.trial.phases import Phase, PhaseLog
from harness.trial.wire.carried_experiment import Setup, carry_out
from harness.trial.wire.experiment_verdict import judged
from harness.trial.wire.plan_observation import Seen, observation_of

CONFIDENCE: Final = 1e-2
"""As for every connection that the firmware holds itself (:mod:`harness.run.own_trials`)."""
_LEAST_HOLD: Final = 0.1


class NrfCloudTrials:
    """Trials on the connection that a firmware makes by its own nRF Cloud commands.

    ``connection``: the board's. ``timeline``: its. ``patience``: seconds that the connection may take to become ready.
    ``hold``: seconds that it has to stay. ``check``, ``record``: see Attempts.
    """

    def __init__(
        self,
        connection: NrfCloudConnection,
        timeline: Timeline,
        *,
        patience: float,
        hold: float,
        check: Callable[[], None],
        record: Callable[[Verdict], None],
    ) -> None:
        self._connection = connection
        self._timeline = timeline
        self._patience = patience
        self._hold = max(hold, _LEAST_HOLD)
        self._attempts = Attempts(timeline, check, record)

    def message(self, what: str, payload: bytes, on: Callable[[], object], off: Callable[[], object]) -> Verdict:
        """Try whether a message costs the connection. It is down afterwards, and the pairing as the last coin left it.

        ``what``: the message in words. ``payload``: of it. ``on``: gives the pairing the topic in question; ``off``:
        the board's own.
        """
        words = Subject(what, sham="the same message on its own topic", differs="topic")
        setup = Setup("login", words, ExperimentRule(confidence=CONFIDENCE, hold=self._hold), Night())
        subject = TrialSubject(what, Sort.NRF_CLOUD, most=1, experiment=setup.as_data)

        def act(log: PhaseLog, acting: Acting) -> None:
            self._end()
            carried = carry_out(setup, partial(self._do, log, payload, on, off))
            acting.finish = partial(judged, carried)

        return self._attempts.run(subject, act)

    def _do(
        self,
        log: PhaseLog,
        payload: bytes,
        on: Callable[[], object],
        off: Callable[[], object],
        plan: Plan,
        about: Mapping[str, Any],
    ) -> Seen:
        """Carry out one plan: an attempt. None is ever told to come later, so that is all that a plan asks for."""
        wrong = plan.steps[0].do is Do.WRONG_LOGIN
        with log.phase(Phase.PLAN, plan.name, **plan.as_data(), since=0.0, packets=0, **about):
            first = log.begun
            (on if wrong else off)()
            with log.phase(Phase.ACTION if wrong else Phase.RIGHT, step=0) as found:
                found |= self._attempt(payload)
            self._end()
        return observation_of(log.since(first))

    def _attempt(self, payload: bytes) -> dict[str, Any]:
        """Connect, send, watch. Raises NoAnswer: it does not become ready; NrfCloudRefused."""
        self._connection.connect(timeout=self._patience)
        mark, began = self._timeline.mark(), time.monotonic()
        self._connection.send(payload)
        saw, said = Saw.ANSWERED, "it stayed"
        with suppress(NoAnswer):
            said = self._connection.wait_ended(since=mark, timeout=self._hold).text
            saw = Saw.CLOSED
        return {"saw": saw, "seconds": time.monotonic() - began, "detail": said}

    def _end(self) -> None:
        if self._connection.state().ready:
            self._connection.disconnect()
