"""One cloud, opened for a run: REST client, account and observer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.cloud import Account, CloudEndpoints, NrfCloud, Observer
from harness.cloud.created_things import no_note
from harness.cloud.nrfcloud import CODE
from harness.cloud.team_devices import ASKED
from harness.errors import HarnessError, LabError
from harness.lab import AttachedStandIn, CloudConfig, Lab, StandIn
from harness.policy import PolicyDocument
from harness.policy.evaluation.membership import Membership
from harness.run.ledger import Ledger
from harness.timeline import Kind, Timeline

# nRF Cloud's REST API has no list of team devices, and takes no name for one.
_ORPHAN = (
    "a run was killed while it asked for a team device, at {}: if there is one of that time in the account that nobody"
    " uses, delete it"
)


class Cloud:
    """Opens a cloud of the boards file when it is first needed, and leaves nothing in it at the end.

    Its answers and its observer's messages go to the timeline of the board whose test runs: boards of one process take
    turns, and events between two tests belong to the board of the first.

    ``lab``: reaches or starts the cloud. ``name``: its name in the boards file. ``state``: folder of the lab's state,
    where a run notes what it makes in an account; None: nothing outlives the run.
    """

    def __init__(self, lab: Lab, name: str, state: Path | None = None) -> None:
        """``state``: the folder of the lab's state, where what is made in an account is written down; None: nowhere."""
        self.name = name
        self._state = state
        self._ledger: Ledger | None = None
        self._lab = lab
        self._timeline: Timeline | None = None
        self._endpoints: CloudEndpoints | None = None
        self._api: NrfCloud | None = None
        self._account: Account | None = None
        self._observer: Observer | None = None
        self._found: set[str] = set()
        self._unknown: list[str] = []
        self._documents: tuple[PolicyDocument, ...] | None = None

    def record_into(self, timeline: Timeline) -> None:
        """Record into ``timeline``, that of a board, from now on."""
        self._timeline = timeline
        if self._api is not None:
            self._api.timeline = timeline
        if self._observer is not None:
            self._observer.timeline = timeline

    @property
    def timeline(self) -> Timeline:
        """Where the cloud's side is recorded."""
        if self._timeline is None:
            raise LabError(f"cloud {self.name}: no test has used a board yet, so there is no timeline to record in")
        return self._timeline

    @property
    def endpoints(self) -> CloudEndpoints:
        """Addresses; starts the stand-in if the boards file asks for one. Raises CloudUnreachable."""
        if self._endpoints is None:
            self._endpoints = self._lab.clouds.endpoints(self.name)
        return self._endpoints

    @property
    def stand_in(self) -> StandIn | AttachedStandIn:
        """The process of a local cloud, which takes commands while it runs. Raises Misuse for any other cloud."""
        return self._lab.stand_ins.of(self.name)

    @property
    def api(self) -> NrfCloud:
        """The REST client."""
        if self._api is None:
            endpoints, api_key = self.endpoints, self._lab.clouds.api_key(self.name)
            if self._state is not None and self.config.outlives_run:
                self._ledger = Ledger(self._state, f"{endpoints.rest} {api_key}")
                self._clean_up(NrfCloud(endpoints, api_key, timeline=self.timeline))
            note = no_note if self._ledger is None else self._ledger.note
            self._api = NrfCloud(endpoints, api_key, timeline=self.timeline, note=note)
        return self._api

    def _clean_up(self, api: NrfCloud) -> None:
        """Delete what killed runs have left in the account."""
        assert self._ledger is not None  # noqa: S101 - only called with one
        with api, self._ledger.left_behind() as left:
            for path, things in left.items():
                what = ", ".join(
                    f"{len(ids)} x {kind}" for kind, ids in things.items() if ids and kind not in (ASKED, CODE)
                )
                if what:
                    self.timeline.add(Kind.STEP, self.name, f"a killed run left in the account: {what}; deleting it")
                self._unknown += [f"{self.name}: {_ORPHAN.format(asked)}" for asked in sorted(things[ASKED])]
                still = api.delete_left(things)
                lines = [*still, *api.not_ours]
                api.not_ours.clear()
                for line in lines:
                    self.timeline.add(Kind.FAULT, self.name, line)
                self._unknown += [f"{self.name}: a killed run's: {line}" for line in lines]
                if not still:
                    path.unlink(missing_ok=True)

    @property
    def account(self) -> Account:
        """The team that the API key belongs to."""
        if self._account is None:
            self._account = self.api.account()
        return self._account

    @property
    def known_tenant(self) -> str | None:
        """The team's id, None as long as nobody asked the cloud for it."""
        return None if self._account is None else self._account.tenant_id

    @property
    def observer(self) -> Observer:
        """The team's MQTT device, connected: one object for the run, which connects again when needed.

        It hears what it is told to listen to: the topics of this run's boards, and those that their trials publish on.
        """
        if self._observer is None:
            team = self.api.team_devices.create()
            self._observer = Observer(team, self.endpoints, self.account, self.timeline, filters=())
        self._observer.heal()
        return self._observer

    def recognise(self, device_id: str) -> Membership | None:
        """Return the membership of a device that the harness put into the account; None if the team has no such device.

        If an earlier run put it there, it stays there at the end. Raises NotOurs.
        """
        mine = device_id in self.api.made
        record = self.api.recognise(device_id)
        if record is None:
            return None
        if not mine:
            self._found.add(device_id)
        return _membership(record)

    def membership(self, device_id: str) -> Membership:
        """Return the present membership of a device that exists. A device that the team does not see is in no team."""
        record = self.api.device(device_id)
        return Membership.PROVISIONED if record is None else _membership(record)

    @property
    def documents(self) -> tuple[PolicyDocument, ...]:
        """The policy documents that this cloud is expected to enforce."""
        if self._documents is None:
            self._documents = self._lab.clouds.documents(self.name)
        return self._documents

    @property
    def config(self) -> CloudConfig:
        """This cloud's entry in the boards file."""
        return self._lab.file.cloud(self.name)

    def check(self, *, grace: float = 0.0) -> None:
        """Raise CloudUnreachable when the process behind the cloud is dead. ``grace``: see Board.check."""
        self._lab.stand_ins.check(self.name, grace=grace)

    def close(self, *, keep: bool = False) -> list[str]:
        """Delete what the run made in the cloud; devices only if they were not there before, none with ``keep``.

        Returns one line for each thing that is left, with the reason.
        """
        left: list[str] = []
        if self._observer is not None:
            try:
                self._observer.close()
            except (HarnessError, OSError) as error:  # what was made is deleted all the same
                left.append(f"{self.name}: the observer was not closed: {error}")
        if self._api is None:
            return left
        if self.endpoints.dead() is not None:  # a process on this computer, and nothing is left of what was in it
            self._api.close()
            return left
        still = [f"{self.name}: interrupted while the account was cleaned; the next run does it"]
        try:
            self._api.made -= self._api.made if keep else self._found
            self._api.claims.made -= self._api.claims.made if keep else set()
            still = self._api.delete_all_made()
        except HarnessError as error:
            still = [str(error)]
        finally:
            if self._ledger is not None:
                self._ledger.close(keep=bool(still))
            self._api.close()
        return left + still + self._api.not_ours + self._unknown


def _membership(record: Mapping[str, Any]) -> Membership:
    return Membership.GATEWAY if "gateway" in str(record.get("subType", "")).lower() else Membership.ASSOCIATED
