"""What the modem is asked after something ended."""

from harness.modem import Modem
from harness.trial.phases import Phase, PhaseLog


def ask_modem(modem: Modem, log: PhaseLog) -> None:
    """Ask whether it is registered; and, where a line said that it restarted, whether it has forgotten its settings.

    A restart forgets them, so a modem that has kept them did not say so itself. Raises LabError.
    """
    with log.phase(Phase.QUESTIONS) as found:
        registration = modem.registration()
        found |= {"registered": registration.registered, "registration": registration.text}
        if log.restarted():
            found["remembers"] = modem.remembers()
