"""Carries out the attempts of an experiment on a login or a call: the one in question, or the right one."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Any, Final

from harness.cloud import RestAnswer
from harness.firmware import Login
from harness.modem import Modem
from harness.trial.connect_trial import ConnectTrial
from harness.trial.connection import MqttConnection
from harness.trial.experiment import Do, Observation, Plan, Saw
from harness.trial.facts import Attempt, Reply, Stage
from harness.trial.judge import REFUSING
from harness.trial.phases import Phase, PhaseLog
from harness.trial.questions import ask_modem
from harness.trial.wire.plan_observation import Refs, observation_of

_STAGES: Final = {
    Stage.ACCEPTED: Saw.ANSWERED,
    Stage.REFUSED: Saw.REFUSED,
    Stage.NO_CONNACK: Saw.CLOSED,
    Stage.LOST: Saw.CLOSED,
    Stage.NO_SESSION: Saw.CLOSED,
    Stage.SILENT: Saw.NOTHING,
}


_LONGER: Final = 1.5

ControlConnect = Callable[[Login, float, float], Attempt]
"""Sends a CONNECT of MQTT 5 from the board with a login's credentials, its end some seconds later, and waits for the
answer at most some seconds. ACCEPTED: a CONNACK came, whatever it says."""


class LoginRunner:
    """Makes attempts of ``action`` on ``link``, or of the link's own login.

    ``modem``: asked after each attempt whether it is registered. ``log``: gets what is done and seen.

    The circumstances of the login in question may take seconds each time (a credential is written, the modem registers
    again). So they stay as they are until the coin falls the other way, and for the whole experiment where they do not
    touch the right login, because it uses another sec_tag.
    """

    def __init__(self, link: MqttConnection, modem: Modem, log: PhaseLog, action: ConnectTrial) -> None:
        self._link = link
        self._modem = modem
        self._log = log
        self._action = action
        self._shared = action.login.sec_tag != link.login.sec_tag
        self._circumstances = ExitStack()
        self._made = False

    @contextmanager
    def around(self) -> Iterator[None]:
        """Around the whole experiment: the circumstances are taken away at its end at the latest."""
        if self._shared:
            self._make()
        with self._circumstances:
            yield

    def do(self, plan: Plan, about: Mapping[str, Any]) -> tuple[Observation, Refs]:
        """Carry out ``plan``. Raises LabError: the lab's trouble."""
        return _do(self._log, plan, about, self._attempt, self._link.pause)

    def _attempt(self, wrong: bool) -> None:
        if wrong:
            self._make()
        elif not self._shared:
            self._take_away()
        login = self._action.login if wrong else self._link.login
        with self._log.phase(Phase.ACTION if wrong else Phase.RIGHT, step=0) as found:
            attempt = self._link.attempt(login)
            found |= asdict(attempt) | {"saw": _saw(attempt)}
        if attempt.stage is Stage.ACCEPTED:
            self._link.disconnect()
        ask_modem(self._modem, self._log)

    def _make(self) -> None:
        if not self._made:
            self._circumstances.enter_context(self._action.circumstances())
            self._made = True

    def _take_away(self) -> None:
        self._made = False
        self._circumstances.pop_all().close()


class OwnLoginRunner:
    """Makes attempts of the own login of ``link``, or of a CONNECT of MQTT 5 with the same credentials.

    ``modem``: asked after each attempt whether it is registered. ``log``: gets what is done and seen. ``longest``:
    seconds that an attempt of the login has taken at most so far.

    ``control``: sends that. Its end is held back for longer than any attempt of the login has taken. An attempt of the
    login waits as long first: so each CONNECT comes as long behind the session before it, and a cloud that closes what
    comes too soon, or that is away now and then, closes both alike.
    """

    def __init__(
        self, link: MqttConnection, modem: Modem, log: PhaseLog, control: ControlConnect, longest: float
    ) -> None:
        self._link = link
        self._modem = modem
        self._log = log
        self._control = control
        self._longest = longest

    def do(self, plan: Plan, about: Mapping[str, Any]) -> tuple[Observation, Refs]:
        """Carry out ``plan``. Raises LabError: the lab's trouble."""
        return _do(self._log, plan, about, self._attempt, self._link.pause)

    def _attempt(self, whole: bool) -> None:
        link = self._link
        with self._log.phase(Phase.ACTION if whole else Phase.RIGHT, step=0) as found:
            attempt = link.attempt(link.login, held=self._held) if whole else self._compared()
            found |= asdict(attempt) | {"saw": _saw(attempt)}
        if whole:
            self._longest = max(self._longest, attempt.seconds)
            link.disconnect()
        ask_modem(self._modem, self._log)

    def _compared(self) -> Attempt:
        link = self._link
        with link.other_connect():
            return self._control(link.login, self._held, link.patience)

    @property
    def _held(self) -> float:
        return _LONGER * self._longest


class CallRunner:
    """Makes calls with the token in question, or with the right one.

    ``log``: gets what is done and seen. ``call``: makes one with the token in question, ``control`` with the right one.
    ``pause``: lets seconds pass between them.
    """

    def __init__(
        self,
        log: PhaseLog,
        call: Callable[[], RestAnswer],
        control: Callable[[], RestAnswer],
        pause: Callable[[float], None],
    ) -> None:
        self._log = log
        self._call = call
        self._control = control
        self._pause = pause

    def do(self, plan: Plan, about: Mapping[str, Any]) -> tuple[Observation, Refs]:
        """Carry out ``plan``. Raises LabError: the lab's trouble."""
        return _do(self._log, plan, about, self._attempt, self._pause)

    def _attempt(self, wrong: bool) -> None:
        with self._log.phase(Phase.ACTION if wrong else Phase.RIGHT, step=0) as found:
            answer = self._call() if wrong else self._control()
            found |= asdict(reply_of(answer)) | {"saw": _said(answer)}


def _do(
    log: PhaseLog,
    plan: Plan,
    about: Mapping[str, Any],
    attempt: Callable[[bool], None],
    pause: Callable[[float], None],
) -> tuple[Observation, Refs]:
    with log.phase(Phase.PLAN, plan.name, **plan.as_data(), since=0.0, packets=0, **about):
        first = log.begun
        for number, step in enumerate(plan.steps):
            if step.do is Do.PAUSE:
                with log.phase(Phase.PAUSE, step=number, seconds=step.seconds):
                    pause(step.seconds)
            else:
                attempt(step.do is Do.WRONG_LOGIN)
    return observation_of(log.since(first))


def _saw(attempt: Attempt) -> Saw:
    return Saw.LATER if attempt.busy else _STAGES[attempt.stage]


def reply_of(answer: RestAnswer) -> Reply:
    """Return what a timeline keeps of an answer."""
    return Reply(answer.status, answer.authorised, str(answer), answer.code is not None)


def _said(answer: RestAnswer) -> Saw:
    """A refusal counts as the API's own word only with a number of nRF Cloud's: something in between has none."""
    if answer.authorised:
        return Saw.ANSWERED
    if answer.status == 429 or answer.status >= 500:
        return Saw.LATER
    return Saw.REFUSED if answer.status in REFUSING and answer.code is not None else Saw.CLOSED
