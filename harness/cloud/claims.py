"""nRF Cloud's provisioning service: boards claimed for the team, and the commands that they fetch.

Facts: nRF Cloud Utils (calls and bodies). UNCONFIRMED: the names of a command's final states, and which error says that
a board is claimed already; so every state but the two waiting ones is final, and a refused claim counts as one that was
there before if the service takes a command for the board.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from harness.cloud.account_rest import AccountRest, path_of, read_object
from harness.cloud.created_things import CreatedThings, Note
from harness.cloud.refusals import RestError
from harness.redact import SECRETS

CLAIM: Final = "claim"
"""Kind of a claim, as ``note`` is told of it; its id is the board's device UUID."""
_WAITING: Final = ("PENDING", "IN_PROGRESS")
_FAILED: Final = "FAILED"


@dataclass(frozen=True, slots=True)
class CommandState:
    """How far a board is with one command. ``response``: what it answered, by the kind of the command."""

    status: str
    response: Mapping[str, Any]

    @property
    def final(self) -> bool:
        """The board has answered it."""
        return self.status not in _WAITING

    @property
    def fault(self) -> str | None:
        """What the board answered in place of doing it; None: it did it, or has not answered yet."""
        if self.status != _FAILED:
            return None
        parts = [f"{name} {value}" for part in self.response.values() for name, value in part.items()]
        return ", ".join(parts) or "no reason given"


class Claims:
    """The team's claimed boards. ``made``: the device UUIDs of those that this client has claimed."""

    def __init__(self, rest: AccountRest, note: Note) -> None:
        self._rest = rest
        self.made = CreatedThings(CLAIM, note)

    def claim(self, token: str, device_uuid: str, tag: str) -> RestError | None:
        """Claim the board that made this attestation token. Returns why that was refused: it may be claimed already."""
        SECRETS.add(token)
        if device_uuid in self.made:
            return None
        self.made.add(device_uuid)
        try:
            self._rest.call("POST", "/claimed-devices", json={"claimToken": token, "tags": [tag]}, repeatable=False)
        except RestError as refused:
            if 400 <= refused.status < 500:  # nothing was made
                self.made.discard(device_uuid)
                return refused
            raise
        return None

    def queue(self, device_uuid: str, description: str, request: Mapping[str, Any]) -> str:
        """Queue a command for a claimed board; return its id. ``request``: one member, named after its kind."""
        body = {"description": description, "request": request}
        answer = self._rest.call("POST", path_of("claimed-devices", device_uuid, "provisioning"), json=body)
        return str(read_object(answer, "id")["id"])

    def state(self, device_uuid: str, command_id: str) -> CommandState:
        """Return how far the board is with a command."""
        answer = self._rest.call("GET", path_of("claimed-devices", device_uuid, "provisioning", command_id))
        found = read_object(answer, "status")
        return CommandState(str(found["status"]), found.get("response") or {})

    def unclaim(self, device_uuid: str) -> bool:
        """Give a board up that this client has claimed, with the commands that wait for it; False: it was not one."""
        if device_uuid not in self.made:
            return False
        gone = self._rest.delete(path_of("claimed-devices", device_uuid))
        self.made.discard(device_uuid)
        return gone

    def deletions(self) -> list[tuple[Callable[[str], bool], str]]:
        """Return what gives up each board that this client has claimed."""
        return [(self.unclaim, device_uuid) for device_uuid in sorted(self.made)]

    def close(self) -> None:
        """End the HTTPS session."""
        self._rest.close()
