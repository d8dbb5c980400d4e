"""The team's own MQTT clients in an account: the identities of observers."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from harness.cloud.account_rest import AccountRest, path_of
from harness.cloud.certificate_set import certificate_set
from harness.cloud.created_things import CreatedThings, Note
from harness.cloud.refusals import NotOurs
from harness.cloud.types import TeamDevice

TEAM: Final = "team"
"""The kind of a team device, as ``note`` gets it."""
ASKED: Final = "team-asked"
"""The kind, for ``note``, of a team device whose id is not known yet. Its id is then the time of the POST."""


class TeamDevices:
    """``made``: the ids of those that this client has made, or that a killed run has left."""

    def __init__(self, rest: AccountRest, note: Note) -> None:
        self._rest = rest
        self.made = CreatedThings(TEAM, note)
        self._asked = CreatedThings(ASKED, note)

    def create(self) -> TeamDevice:
        """Make an MQTT client for the team."""
        now = datetime.now(UTC).isoformat()
        self._asked.add(now)
        team = certificate_set(self._rest.call("POST", "/devices/mqtt-team"))
        self.made.add(team.client_id)
        self._asked.discard(now)
        return team

    def delete(self, client_id: str) -> bool:
        """Delete one that this client made; False if it was gone already. Raises NotOurs."""
        if client_id not in self.made:
            raise NotOurs(f"cannot delete team device {client_id}: this run did not make it; delete it in the account")
        gone = self._rest.delete(path_of("devices", "mqtt-team", client_id))
        self.made.discard(client_id)
        return gone

    def deletions(self) -> list[tuple[Callable[[str], bool], str]]:
        """Return, for each that this client has made, the call that deletes it."""
        return [(self.delete, client_id) for client_id in sorted(self.made)]
