"""General commands of the Serial LTE Modem: those of Serial Modem without echo and baud rate, and its own version.

Source: nRF Connect SDK 3.1, Serial LTE Modem documentation, "Generic AT commands".
"""

from typing import Final

from harness.virtual.board.commands import Args, Commands, Forms, Refused, Reply
from harness.virtual.board.personality import Personality
from harness.virtual.board.serial_modem.application import ApplicationCommands

_GONE: Final = frozenset({"E0", "E1", "+IPR", "#XSMVER"})


class GeneralCommands:
    """``kept``: Serial Modem's, of which most were there before. ``library``: version of the modem library.

    ``personality``: the kind of board.
    """

    def __init__(self, kept: ApplicationCommands, personality: Personality, library: str) -> None:
        self._kept = kept
        self._personality = personality
        self._library = library

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        kept = {name: forms for name, forms in self._kept.commands().items() if name not in _GONE}
        return kept | {
            "#XSLMVER": Forms(run=lambda: f'#XSLMVER: "{self._personality.sdk}","{self._library}"'),
            "#XSLEEP": Forms(set=self._sleep, test="#XSLEEP: (1,2)"),
        }

    def _sleep(self, args: Args) -> Reply:
        raise Refused  # it needs a power pin, which is not set in the firmware as it is shipped
