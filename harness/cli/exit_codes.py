"""How a command ends: 0 done, 1 refused, 2 misuse, 3 the lab's trouble, 130 interrupted."""

from typing import Final

from harness.errors import HarnessError, LabError, Misuse
from harness.redact import SECRETS

OK: Final = 0
REFUSED: Final = 1
MISUSE: Final = 2
LAB: Final = 3
INTERRUPTED: Final = 130

_KINDS: Final = {REFUSED: "refused", MISUSE: "misuse", LAB: "lab"}


def exit_code(error: HarnessError) -> int:
    """Return the exit code for an error, by who has to act."""
    return MISUSE if isinstance(error, Misuse) else LAB if isinstance(error, LabError) else REFUSED


def describe(error: HarnessError) -> dict[str, str]:
    """Return an error for ``--json``, without secrets, with its notes (for instance what could not be put back)."""
    message = "; ".join([str(error), *getattr(error, "__notes__", [])])
    return {"error": _KINDS[exit_code(error)], "message": SECRETS.scrub(message)}
