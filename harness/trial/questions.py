"""What the modem is asked after something ended."""

from collections.abc import Callable

from harness.modem import Modem
from harness.trial.phases import Phase, PhaseLog


def ask_modem(modem: Modem, log: PhaseLog, connected: Callable[[], bool] | None = None) -> None:
    """Ask ``modem`` whether it is registered; and, where a line said that it restarted, whether it forgot its settings.

    A restart forgets them, so a modem that has kept them did not say so itself. ``log``: gets the answers.
    ``connected``: asks the board whether its connection lives, where something was not answered and no line said that
    it ended; None: that is not asked. Raises LabError.
    """
    with log.phase(Phase.QUESTIONS) as found:
        registration = modem.registration()
        found |= {"registered": registration.registered, "registration": registration.text}
        if connected is not None:
            found["connected"] = connected()
        if log.restarted():
            found["remembers"] = modem.remembers()
