"""Trials of CONNECT itself: refused where, by whom, and was it the difference?

A refused connection leaves nothing to put controls on, so the right login is tried before and after it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from harness.at import AtPort
from harness.firmware import Login
from harness.modem import Modem
from harness.trial.connection import Attempt, MqttConnection, NotConnected, Stage
from harness.trial.network import NetworkWatch
from harness.trial.verdict import Control, Facts, Outcome, Verdict, judge

_REFUSED_CONNECTS = (Stage.NO_CONNACK, Stage.REFUSED)

Circumstances = Callable[[], AbstractContextManager[object]]
"""Makes a context manager that changes something about the board for the length of a connection attempt."""


class Connecting:
    """One attempt at each kind of connect trial. ``explain``: what the policy documents say of an action and topic."""

    def __init__(self, link: MqttConnection, modem: Modem, port: AtPort, explain: Callable[[str, str], str]) -> None:
        self._link = link
        self._modem = modem
        self._port = port
        self._explain = explain

    def verify(self, action: str) -> Verdict:
        """Connect with the link's own login, and run the allowed action."""
        link = self._link
        link.forget()
        with NetworkWatch(self._port) as network:
            mark = link.device.mark()
            attempts = [link.attempt(link.login)]
            if attempts[0].stage in _REFUSED_CONNECTS:
                attempts.append(link.attempt(link.login))
            registration = self._modem.registration()
            quiet = registration.registered and network.loss() is None and link.device.restarted(mark) is None
        if quiet and len(attempts) == 2 and attempts[1].stage in _REFUSED_CONNECTS:
            policy = self._explain("iot:Connect", link.login.client_id)
            evidence = (
                f"{policy} TLS came up and CONNECT was refused, twice: {attempts[0]}; {attempts[1]}. "
                f"The modem stayed registered ({registration.text}) and nothing restarted."
            )
            return Verdict(Outcome.REFUSED_AT_CONNECT, action, evidence)
        try:
            link.ensure()
        except NotConnected as error:
            return Verdict(Outcome.INCONCLUSIVE, action, f"{error}.")
        text = f"Mutual TLS and CONNECT were accepted, and {link.action.description} worked."
        return Verdict(Outcome.TOLERATED, action, text)

    def with_another(
        self,
        action: str,
        login: Login,
        difference: str,
        during: Circumstances | None,
        policy: str,
    ) -> Verdict:
        """Connect with another login, or under other circumstances, between two connections with the right ones."""
        link = self._link
        link.ensure()
        link.disconnect()
        with during() if during else nullcontext(), NetworkWatch(self._port) as network:
            mark = link.device.mark()
            attempt = link.attempt(login)
            if attempt.stage is Stage.ACCEPTED:
                link.disconnect()
            registration = self._modem.registration()
            loss = network.loss() or (None if registration.registered else registration.text)
            restarted = link.device.restarted(mark)
        if restarted or loss:
            control = Control(acked=True, seen=True, seconds=0.0)
            outcome, evidence = judge(Facts(action, "", control, restarted=restarted, network_loss=loss))
            return Verdict(outcome, action, evidence)
        return self._judge_connect(action, attempt, difference, policy)

    def _judge_connect(self, action: str, attempt: Attempt, difference: str, policy: str) -> Verdict:
        try:
            self._link.reconnect()
            after = self._link.run()
        except NotConnected as error:
            return Verdict(Outcome.INCONCLUSIVE, action, f"{attempt}; but the right login failed afterwards: {error}.")
        if not after.ok:
            return Verdict(Outcome.INCONCLUSIVE, action, f"{attempt}; the right login did not work: {after.detail}.")
        outcome = {
            Stage.ACCEPTED: Outcome.TOLERATED,
            Stage.NO_SESSION: Outcome.REFUSED_IN_TLS,
            Stage.NO_CONNACK: Outcome.REFUSED_AT_CONNECT,
            Stage.REFUSED: Outcome.REFUSED_AT_CONNECT,
            Stage.SILENT: Outcome.INCONCLUSIVE,
        }[attempt.stage]
        if outcome is Outcome.REFUSED_IN_TLS:
            policy = ""  # it never came to a decision
        evidence = (
            f"{policy} Before and after it the right login connected to the same host and port, and its allowed action "
            f"worked; with {difference}: {attempt}. The modem stayed registered."
        )
        return Verdict(outcome, action, evidence.strip())
