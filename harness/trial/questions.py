"""What the modem is asked after something ended."""

from collections.abc import Callable

from harness.modem import Modem
from harness.trial.phases import Phase, PhaseLog


def ask_modem(modem: Modem, log: PhaseLog, connected: Callable[[], bool] | None = None) -> None:
    """Ask whether it is registered; and, where a line said that it restarted, whether it has forgotten its settings.

    A restart forgets them, so a modem that has kept them did not say so itself. ``connected``: asks the board whether
    its connection lives, where something was not answered and no line said that it ended. Raises LabError.
    """
    with log.phase(Phase.QUESTIONS) as found:
        registration = modem.registration()
        found |= {"registered": registration.registered, "registration": registration.text}
        if connected is not None:
            found["connected"] = connected()
        if log.restarted():
            found["remembers"] = modem.remembers()
