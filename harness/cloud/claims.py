"""nRF Cloud's provisioning service: boards that are claimed for the team, and commands for them.

Facts: nRF Cloud Utils (calls and bodies). UNCONFIRMED:

- The names of a command's final states. So every state is final but the two waiting ones.
- The error for a board that is claimed already. So if a claim is refused and the service then takes a command for the
  board, the board counts as claimed before.
- Whether a claimed board can be read by its UUID, or only in a list. So both are tried.
- Whether its tags come one by one or with commas between. So both are read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from harness.cloud.account_rest import AccountRest, path_of, read_object
from harness.cloud.created_things import HARNESS_TAG, CreatedThings, Note
from harness.cloud.refusals import NotOurs, OwnerUnknown, RestError
from harness.errors import HarnessError
from harness.redact import SECRETS

CLAIM: Final = "claim"
"""The kind of a claim, as ``note`` gets it. The claim's id is the board's device UUID."""
_WAITING: Final = ("PENDING", "IN_PROGRESS")
_FAILED: Final = "FAILED"
_REMOVE: Final = 'if nobody uses it: curl -X DELETE -H "Authorization: Bearer $NRFCLOUD_API_KEY" {}'


@dataclass(frozen=True, slots=True)
class CommandState:
    """How far a board is with a command. ``response``: the board's answer, by the kind of the command."""

    status: str
    response: Mapping[str, Any]

    @property
    def final(self) -> bool:
        """Whether the board has answered."""
        return self.status not in _WAITING

    @property
    def fault(self) -> str | None:
        """The error that the board answered, or None: it carried the command out, or has not answered yet."""
        if self.status != _FAILED:
            return None
        parts = [f"{name} {value}" for part in self.response.values() for name, value in part.items()]
        return ", ".join(parts) or "no reason given"


class Claims:
    """The team's claimed boards. ``address``: of the service.

    ``rest``: the calls. ``note``: see NrfCloud. ``made``: the device UUIDs of boards that this client has claimed, or
    may have claimed, because its call was not answered or was that of a killed run. A claim in doubt is given up only
    if it carries the harness's tag.
    """

    def __init__(self, rest: AccountRest, note: Note, address: str) -> None:
        self._rest = rest
        self._address = address
        self.made = CreatedThings(CLAIM, note)
        self._certain: set[str] = set()  # the service answered that it made them

    def claim(self, token: str, device_uuid: str) -> RestError | None:
        """Claim the board that made this attestation token, with the harness's tag.

        Returns None, or why the service refused: the board may be claimed already.
        """
        SECRETS.add(token)
        if device_uuid in self._certain:
            return None
        self.made.add(device_uuid)
        body = {"claimToken": token, "tags": [HARNESS_TAG]}
        try:
            self._rest.call("POST", "/claimed-devices", json=body, repeatable=False)
        except RestError as refused:
            if 400 <= refused.status < 500:  # nothing was made
                self.made.discard(device_uuid)
                return refused
            raise
        self._certain.add(device_uuid)
        return None

    def queue(self, device_uuid: str, description: str, request: Mapping[str, Any]) -> str:
        """Queue a command for a claimed board; return its id.

        ``device_uuid``: the board's. ``description``: for people. ``request``: has one member, named after the kind of
        the command.
        """
        body = {"description": description, "request": request}
        answer = self._rest.call("POST", path_of("claimed-devices", device_uuid, "provisioning"), json=body)
        return str(read_object(answer, "id")["id"])

    def state(self, device_uuid: str, command_id: str) -> CommandState:
        """Return how far the board is with a command."""
        answer = self._rest.call("GET", path_of("claimed-devices", device_uuid, "provisioning", command_id))
        found = read_object(answer, "status")
        response = found.get("response")
        parts = response.items() if isinstance(response, dict) else ()
        return CommandState(str(found["status"]), {kind: said for kind, said in parts if isinstance(said, dict)})

    def unclaim(self, device_uuid: str) -> bool:
        """Give up a board that this client has claimed, with the commands that wait for it; False: it was not claimed.

        Raises NotOurs: the claim is somebody else's, and this client forgets it. OwnerUnknown: the service does not say
        whose it is.
        """
        if device_uuid not in self.made:
            return False
        if device_uuid not in self._certain:
            self._check_ours(device_uuid)
        gone = self._rest.delete(path_of("claimed-devices", device_uuid))
        self._forget(device_uuid)
        return gone

    def _check_ours(self, device_uuid: str) -> None:
        remove = _REMOVE.format(self._address + path_of("claimed-devices", device_uuid))
        try:
            tags = self._tags(device_uuid)
        except HarnessError as error:
            raise OwnerUnknown(
                f"board {device_uuid}: a run of the harness may have claimed it, but its tags cannot be read: {error};"
                f" left as it is; {remove}"
            ) from error
        if tags is not None and HARNESS_TAG not in tags:
            self._forget(device_uuid)
            raise NotOurs(
                f"board {device_uuid} is claimed without the tag {HARNESS_TAG}, so by somebody else, and left as it is;"
                f" {remove}"
            )

    def _tags(self, device_uuid: str) -> list[str] | None:
        """Return the tags of a claimed board; None: the team has not claimed it. Raises RestError, CloudUnreachable."""
        found = self._rest.find(path_of("claimed-devices", device_uuid))
        if found is None:
            listed = self._rest.items("/claimed-devices", {}, "claimed boards")
            found = next((item for item in listed if item.get("id") == device_uuid), None)
        if found is None:
            return None
        return [tag.strip() for text in found.get("tags") or () for tag in str(text).split(",")]

    def _forget(self, device_uuid: str) -> None:
        self.made.discard(device_uuid)
        self._certain.discard(device_uuid)

    def deletions(self) -> list[tuple[Callable[[str], bool], str]]:
        """Return, for each board that this client has claimed, the call that gives it up."""
        return [(self.unclaim, device_uuid) for device_uuid in sorted(self.made)]

    def close(self) -> None:
        """End the HTTPS session."""
        self._rest.close()
