"""labgrid's places for the lab, whichever process of the run holds them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from harness.errors import LabError, PortBusy, PortMissing

TURN: Final = 20.0  # seconds that one command may wait for a place; a longer wait takes several commands
ANSWER: Final = 60.0
"""Seconds to wait for an answer. A place that refuses is tried for twenty, and so is a port that does not appear."""
_KILLING: Final = 10.0  # seconds for the end of a tool that did not end by itself
_ERRORS: Final[dict[str, type[LabError]]] = {
    "held": PortBusy,
    "gone": PortMissing,
    "unknown": PortMissing,
    "unreachable": PortMissing,
}
_CURES: Final = {
    "held": "wait (pytest --wait SECONDS), or ask its holder; if that is dead:"
    " labgrid-client -p PLACE release-from HOST/USER",
    "gone": "start labgrid-exporter there and plug the kit in; labgrid-client resources shows what it offers",
    "unknown": "correct place: in the boards file, or labgrid-client -p PLACE create",
    "unreachable": "start labgrid-coordinator, or correct labgrid: {coordinator: ...} in the boards file",
    "stuck": "labgrid-client -p PLACE release-from HOST/USER; if that does not help, restart its exporter",
    "unreleased": "the end of the run tries again; if that fails: labgrid-client -p PLACE release-from HOST/USER",
    "broken": "is labgrid 26 in its environment? make labgrid-env makes it",
}

AskHelper = Callable[..., dict[str, Any]]
"""Sends a command with its fields to the process that holds the places; returns the plain answer.

``answer_within``: seconds until the answer, where ANSWER is too short.
"""


@dataclass(frozen=True, slots=True)
class Place:
    """``holder``: HOST/USER; None: nobody, or this run. ``exporters``: offer its serial port, now if ``available``."""

    name: str
    holder: str | None
    comment: str
    exporters: tuple[str, ...]
    available: bool


class Places:
    """The places of a coordinator, through ``request``."""

    def __init__(self, request: AskHelper) -> None:
        self._request = request

    def list(self) -> list[Place]:
        """Return all places. Raises LabError."""
        return [
            Place(each["name"], each["holder"], each["comment"], tuple(each["exporters"]), bool(each["available"]))
            for each in self._ask("places")["places"]
        ]

    def acquire(self, place: str, wait: float = 0.0) -> None:
        """Hold a place; wait up to ``wait`` seconds for another holder.

        Raises PortBusy with the holder; PortMissing: no such place, exporter or coordinator; LabError.
        """
        while True:
            turn = min(wait, TURN)
            wait -= turn
            try:
                self._ask("acquire", place=place, wait=turn)
                return
            except PortBusy:
                if wait <= 0:
                    raise

    def release(self, place: str) -> None:
        """Release a place; it may be free already. Raises LabError if labgrid does not take it back."""
        self._ask("release", place=place)

    def url(self, place: str, index: int = 0) -> str:
        """Return where the place's serial port is now. After a restart of its exporter it may be elsewhere.

        Raises PortMissing, PortBusy, LabError.
        """
        return str(self._ask("url", place=place, index=index)["url"])

    def heal(self, place: str, index: int = 0) -> str | None:
        """Acquire a place anew if its port server is dead; return what was done, or None if nothing was wrong.

        Raises LabError.
        """
        healed = self._ask("heal", place=place, index=index)["healed"]
        return None if healed is None else str(healed)

    def wrong(self, place: str) -> str | None:
        """Return what is wrong with a held place: its exporter is gone, or somebody else has it. Raises LabError."""
        wrong = self._ask("state", place=place)["wrong"]
        return None if wrong is None else str(wrong)

    def power(self, place: str, action: str, *, delay: float, timeout: float) -> str | None:
        """Switch the place's power; return labgrid's complaint, or None. Raises LabError.

        ``place``: its name. ``action``: on, off or cycle. ``delay``: seconds without power, of a cycle. ``timeout``:
        seconds for the rest.
        """
        limit = max(ANSWER, timeout + delay + _KILLING)
        said = self._ask("power", place=place, action=action, delay=delay, seconds=timeout, answer_within=limit)
        return None if said["complaint"] is None else str(said["complaint"])

    def _ask(self, command: str, **fields: Any) -> dict[str, Any]:
        answer = self._request(command, **fields)
        if not answer["ok"]:
            kind = answer["kind"]
            cure = _CURES.get(kind, "")
            cure = cure.replace("PLACE", str(fields.get("place", "PLACE")))
            raise _ERRORS.get(kind, LabError)(answer["error"] + (f"; {cure}" if cure else ""))
        return answer
