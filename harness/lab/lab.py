"""The lab of one run: its boards file, its clouds, the stand-ins that it started, and the leases on its boards."""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

from harness.cloud import CloudEndpoints
from harness.errors import BoardLost, CloudUnreachable, LabError, Misuse, PortMissing
from harness.lab.account import NRF_CLOUD_JITP, NRF_CLOUD_MQTT, account_endpoints, split_address
from harness.lab.api_keys import MissingApiKey, read_api_key
from harness.lab.attached_stand_in import AttachedStandIn
from harness.lab.config import BoardConfig, LabFile, LocalCloudConfig, NrfCloudAccount, select
from harness.lab.discovery import find_port, is_plain_file, list_kits
from harness.lab.fault_config import ToldFault
from harness.lab.fault_wiring import FaultWiring
from harness.lab.lease import Lease, lease_folder, place_key, port_key, private_folder
from harness.lab.places.helper import LabgridHelper
from harness.lab.places.holding import Holding, PlaceHolder
from harness.lab.places.places import Places
from harness.lab.power.switches import Switch, switch_of
from harness.lab.profiles import enforced_folder, expected_documents
from harness.lab.relay import Relay
from harness.lab.scratch import Scratch
from harness.lab.seen_ports import SeenPorts
from harness.lab.stand_in import StandIn
from harness.policy import PolicyDocument
from harness.settings import (
    PROVISIONING_SERVICE,
    BoardSettings,
    CloudSettings,
    FirmwareName,
    NamedBoard,
    ProcessCloud,
    ProcessSettings,
)

_OTHER_NAME = "broker.invalid"  # a name in the local cloud's network that its certificate does not have
_GRACE = 0.2  # seconds; only after a connection has broken


class Lab:
    """Starts each cloud and virtual board once, when it is first needed, and ends them in :meth:`close`.

    ``file``: the boards file. ``leases``: the folder of leases, None: the computer's.
    ``folder``: stand-ins keep their files in a private folder in it; None: in a temporary one, while the lab is open.
    ``cloud_override``: the cloud for every board, in place of the boards file's.
    ``clouds``: local clouds that another process started, by name, each with the line that it printed when ready.
    ``wait``: seconds to wait for a board that another process uses.
    ``places``: what lead_places returned in the process that leads this one.
    ``faults``: what went wrong with stand-ins, one line each; complete after :meth:`close`.
    """

    def __init__(
        self,
        file: LabFile,
        *,
        folder: Path | None = None,
        cloud_override: str | None = None,
        leases: Path | None = None,
        clouds: Mapping[str, Mapping[str, Any]] | None = None,
        wait: float = 0.0,
        places: Path | None = None,
    ) -> None:
        self.file = file
        self.faults: list[str] = []
        self._parent = folder
        self._scratch: Scratch | None = None
        self._leases = leases
        self._wait = wait
        self._override = cloud_override
        self._endpoints: dict[str, CloudEndpoints] = {}
        self._stand_ins: dict[tuple[str, str], StandIn | AttachedStandIn] = {}  # by ("cloud" | "board", name)
        for name, ready in (clouds or {}).items():
            self._stand_ins["cloud", name] = AttachedStandIn(f"local cloud {name!r}", name, ready)
        self._seen_ports = SeenPorts()
        self._relay: Relay | None = None
        self._wiring: FaultWiring | None = None
        self._holder = PlaceHolder(self._start_labgrid, places)
        self._api_keys: dict[str, str] = {}
        if cloud_override is not None:
            self._cloud(cloud_override)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process that this lab started. Those that did not end properly are in ``faults``."""
        if self._relay is not None:
            self._relay.close()
            self._relay = None
        if self._wiring is not None:
            self._wiring.close()
            self._wiring = None
        if fault := self._holder.close():
            self.faults.append(fault)
        while self._stand_ins:
            _, stand_in = self._stand_ins.popitem()
            fault = stand_in.stop()
            if fault is not None:
                self.faults.append(fault)
        if self._scratch is not None:
            self._scratch.remove()

    def select(self, names: Sequence[str] = ()) -> list[BoardConfig]:
        """Return the boards with one of these names or tags, or all; each has the name of the cloud that it will use.

        Raises Misuse if no board has one of the names, or if a board cannot reach its cloud.
        """
        boards = select(self.file.boards, names)
        return [board.model_copy(update={"cloud": self.cloud_of(board)}) for board in boards]

    def cloud_of(self, board: BoardConfig) -> str:
        """Return the name of the board's cloud. Raises Misuse for a cloud that the board cannot reach."""
        name = self._override or board.cloud
        if self._override is None and board.name in self.file.without_cloud:
            raise Misuse(self.file.without_cloud[board.name])
        if board.virtual is None and isinstance(self._cloud(name), LocalCloudConfig):
            raise Misuse(
                f"board {board.name!r} is a real board and cannot reach cloud {name!r}: only this computer can;"
                f" set cloud: nrfcloud for it in {self.file.path}"
            )
        return name

    def endpoints(self, cloud_name: str) -> CloudEndpoints:
        """Return how a cloud is reached; start a local one on first use. Raises CloudUnreachable if that fails."""
        if cloud_name not in self._endpoints:
            config = self._cloud(cloud_name)
            if isinstance(config, LocalCloudConfig):
                made = self._start_cloud(cloud_name, config)
            else:
                made = account_endpoints(cloud_name, config, folder=self.file.path.parent)
            self._endpoints[cloud_name] = made
        return self._endpoints[cloud_name]

    def api_key(self, cloud_name: str) -> str:
        """Return the key for a cloud's REST calls. Raises MissingApiKey if its variable or file holds none."""
        config = self._cloud(cloud_name)
        if isinstance(config, LocalCloudConfig):
            self.endpoints(cloud_name)
            return self._api_keys[cloud_name]
        if config.api_key_file is not None:
            return read_api_key(self.file.path.parent / config.api_key_file, cloud_name)
        key = os.environ.get(config.api_key_env, "").strip()
        if not key:
            raise MissingApiKey(
                f"environment variable {config.api_key_env} is empty; set it to the API key for cloud {cloud_name!r}"
            )
        return key

    def start_clouds(self, boards: Sequence[BoardConfig]) -> dict[str, dict[str, Any]]:
        """Start the local clouds of ``boards``; return by name what another process needs to attach to each.

        Raises CloudUnreachable if one does not start.
        """
        names = dict.fromkeys(board.cloud for board in boards if isinstance(self._cloud(board.cloud), LocalCloudConfig))
        for name in names:
            self.endpoints(name)
        clouds = {name: self._stand_ins["cloud", name] for name in names}
        if clouds:
            self._relay = Relay(self._folder, {name: cloud.command for name, cloud in clouds.items()})
        return {name: cloud.ready | {"relay": str(self._folder)} for name, cloud in clouds.items()}

    def check_api_keys(self, boards: Iterable[BoardConfig]) -> None:
        """Raise MissingApiKey unless there is a key for every account that ``boards`` use. Starts no cloud."""
        for name in dict.fromkeys(board.cloud for board in boards):
            if not isinstance(self._cloud(name), LocalCloudConfig):
                self.api_key(name)

    def documents(self, cloud_name: str) -> tuple[PolicyDocument, ...]:
        """Return the policy documents that the cloud is expected to enforce."""
        return tuple(expected_documents(self.file, cloud_name).values())

    def port_url(self, board: BoardConfig) -> str:
        """Return the path or URL of the board's port. Starts a virtual board on first use.

        With ``faults: line`` in the boards file it is the port of a man in the middle. Raises PortMissing if the port
        or the USB kit is missing, BoardLost if a virtual board does not start.
        """
        port = self._own_port(board)
        return self.wiring.port(board, port) if board.faults.line else port

    @property
    def struck(self) -> set[str]:
        """Names of the boards file's faults on wires that have struck. Ask before :meth:`close`."""
        return set() if self._wiring is None else self._wiring.all_struck()

    @property
    def wiring(self) -> FaultWiring:
        """The proxies for the faults in the boards file."""
        if self._wiring is None:
            self._wiring = FaultWiring(self._folder)
        return self._wiring

    def _own_port(self, board: BoardConfig) -> str:
        if board.virtual is not None:
            started = self._stand_ins.get(("board", board.name)) or self._start_board(board, board.virtual)
            return str(started.ready["boards"][0]["port"])
        if board.place is not None:
            return self.places.url(board.place, board.vcom)
        if board.serial is not None:
            return find_port(board.serial, board.vcom, location=board.location)
        named = str(board.port)
        port = self._seen_ports.find(named) if named.startswith("/") else named
        if port is None:
            there = "; ".join(str(kit) for kit in list_kits()) or "none"
            raise PortMissing(
                f"board {board.name!r}: no such port: {named}; plug it in or correct {self.file.path}; kits: {there}"
            )
        if is_plain_file(port):
            raise PortMissing(f"board {board.name!r}: {port} is a plain file, not a device; remove it, and plug it in")
        return port

    def lease(self, board: BoardConfig, *, timeout: float | None = None) -> Lease | Holding:
        """Take the board for this process alone; wait up to ``timeout`` seconds, None: the lab's ``wait``.

        Raises PortBusy with the owner.
        """
        timeout = self._wait if timeout is None else timeout
        if board.virtual is not None:  # a virtual board belongs to the run that started it: no other run wants it
            return Lease(board.name, f"virtual-{board.name}-{os.getpid()}", folder=self._folder, timeout=timeout)
        folder = self._leases or lease_folder()
        if board.place is not None:
            lease = Lease(board.name, place_key(board.place), folder=folder, timeout=timeout)
            return Holding(lease, self.places, board.place, wait=timeout)
        key = port_key(self._own_port(board))
        return Lease(board.name, key, folder=folder, timeout=timeout)

    @property
    def places(self) -> Places:
        """The places of the labgrid coordinator that the boards file names."""
        return self._holder.places

    def lead_places(self, boards: Sequence[BoardConfig]) -> str | None:
        """Begin to acquire the places of ``boards``; return what another process needs to reach them, or None.

        Raises LabError: labgrid is not installed.
        """
        places = [board.place for board in boards if board.place is not None]
        if not places:
            return None
        folder = private_folder(self._folder / "places")
        self._holder.lead(folder, places)
        return str(folder)

    def heal(self, board: BoardConfig) -> str | None:
        """Repair the connection to a board as far as possible; return what was done, None: nothing. Raises LabError."""
        return None if board.place is None else self.places.heal(board.place, board.vcom)

    def wrong(self, board: BoardConfig) -> str | None:
        """Return what is wrong with the connection to a board in use, or None if nothing is known to be wrong."""
        return None if board.place is None else self.places.wrong(board.place)

    def switch(self, board: BoardConfig) -> Switch:
        """Return the switch of a board's power. Raises Misuse if the boards file names none."""
        if board.power is None:
            raise Misuse(f"board {board.name!r} has no power: in the boards file, so nothing can switch it; add it")
        return switch_of(board.power, place=board.place, places=self.places)

    def _start_labgrid(self) -> LabgridHelper:
        labgrid = self.file.labgrid
        python = labgrid.python(self.file.path.parent)
        return LabgridHelper(python, labgrid.address(), self._folder / "labgrid.stderr")

    def stand_in(self, what: str | BoardConfig) -> StandIn | AttachedStandIn:
        """Return the process of a virtual board, or of a local cloud by its name. It takes commands.

        Raises Misuse if there is no process: the board is real, or the cloud is an account or was not used yet.
        """
        key = ("cloud", what) if isinstance(what, str) else ("board", what.name)
        if key not in self._stand_ins:
            raise Misuse(f"no stand-in runs for {key[0]} {key[1]!r}; only virtual boards and local clouds have one")
        return self._stand_ins[key]

    def check(self, what: str | BoardConfig, *, grace: float = 0.0) -> None:
        """Raise CloudUnreachable or BoardLost if the process of a cloud (by its name) or of a board is gone.

        ``grace``: seconds to wait for the end of a process whose connection or port has just broken.
        """
        name = what.name if isinstance(what, BoardConfig) else what
        errors: dict[str, type[LabError]] = {"cloud": CloudUnreachable, "board": BoardLost}
        for kind, error in errors.items():
            stand_in = self._stand_ins.get((kind, name))
            dead = None if stand_in is None else stand_in.died(grace=grace)
            if dead is not None:
                raise error(f"{dead}; run again")

    @cached_property
    def _folder(self) -> Path:
        """The stand-ins' folder. It is made when a stand-in needs it, so that listing tests leaves no trace."""
        if self._parent is not None:
            return private_folder(self._parent / "stand-ins")
        self._scratch = Scratch()
        return self._scratch.path

    def _cloud(self, name: str) -> LocalCloudConfig | NrfCloudAccount:
        return self.file.cloud(name)

    def _start_cloud(self, name: str, config: LocalCloudConfig) -> CloudEndpoints:
        folder = self.file.path.parent
        said = {field: getattr(config, field) for field in CloudSettings.model_fields}
        if config.state is not None:
            said["state"] = str(folder / config.state)
        policies = enforced_folder(config, folder, self._folder / f"policies-{name}")
        settings = ProcessSettings(cloud=ProcessCloud(**said, policies=str(policies or "page")))
        stand_in = self._start(("cloud", name), f"local cloud {name!r}", settings, CloudUnreachable)
        cloud = stand_in.ready["cloud"]
        self._api_keys[name] = Path(cloud["api_key_file"]).read_text().strip()
        ca = Path(cloud["ca"])
        if not isinstance(stand_in, AttachedStandIn):  # else the process that started it has sent it the commands
            _tell(stand_in, config.faults.told)
        host, port = cloud["mqtt"]
        if config.faults.observer:
            host, port = self.wiring.broker(name, config, "observer", (host, port))
        return CloudEndpoints(
            name=name,
            rest=cloud["rest"],
            rest_ca=ca,
            device_mqtt=NRF_CLOUD_MQTT,
            observer_mqtt=(host, port),
            root_ca_pem=ca.read_text(),
            public=False,
            dead=partial(stand_in.died, grace=_GRACE),
            jitp=_jitp(cloud),
            provisioning=cloud.get("provisioning", PROVISIONING_SERVICE),
            other_name=_OTHER_NAME,
        )

    def _start_board(self, board: BoardConfig, virtual: BoardSettings) -> StandIn | AttachedStandIn:
        said = {field: getattr(virtual, field) for field in BoardSettings.model_fields}
        said["firmware"] = virtual.firmware or board.firmware or FirmwareName.SERIAL_MODEM
        if board.cloud_library is not None:
            said["sample"] = virtual.sample or board.cloud_library.sample
        network = {name: f"{host}:{port}" for name, (host, port) in self._network(self.cloud_of(board)).items()}
        rest_ca = self.endpoints(self.cloud_of(board)).rest_ca
        settings = ProcessSettings(
            boards=(NamedBoard(name=board.name, **said),),
            network=network,
            firmware_ca=None if rest_ca is None else str(rest_ca),
        )
        started = self._start(("board", board.name), f"virtual board {board.name!r}", settings, BoardLost)
        cloud = self._stand_ins.get(("cloud", self.cloud_of(board)))
        if cloud is not None:  # a cloud knows only the boards of its own process, as Nordic knows its own modules
            (made,) = started.ready["boards"]
            cloud.command("trust-identity", identity=f"{made['device_uuid']}={made['identity_key']}")
        _tell(started, board.faults.told, board=board.name)
        return started

    def _network(self, cloud_name: str) -> dict[str, tuple[str, int]]:
        """Return the addresses of names inside a virtual board's radio network."""
        endpoints = self.endpoints(cloud_name)
        config = self._cloud(cloud_name)
        if isinstance(config, NrfCloudAccount):
            host, port = endpoints.device_mqtt
            routes = {name: split_address(target) for name, target in config.network.items()}
            return {f"{host}:{port}": (host, port)} | routes
        cloud = self._stand_ins["cloud", cloud_name].ready["cloud"]
        broker = tuple(cloud["mqtt"])
        routes = {name: (host, port) for name, (host, port) in cloud["network"].items()}
        if config.faults.device:
            behind = self.wiring.broker(cloud_name, config, "device", (broker[0], broker[1]))
            routes = {name: behind if target == broker else target for name, target in routes.items()}
        return routes

    def _start(
        self, key: tuple[str, str], what: str, said: ProcessSettings, error: type[LabError]
    ) -> StandIn | AttachedStandIn:
        if key in self._stand_ins:
            return self._stand_ins[key]
        folder = self._folder / "-".join(key)
        log = self._folder / f"{'-'.join(key)}.stderr"
        settings = said.model_copy(update={"directory": str(folder), "die_with_stdin": True})
        started = StandIn(what, settings, log=log, error=error)
        self._stand_ins[key] = started
        return started


def _tell(stand_in: StandIn | AttachedStandIn, told: Iterable[ToldFault], **target: Any) -> None:
    """Send a stand-in the commands that are due when it starts."""
    for one in told:
        if not one.phase:
            stand_in.command(one.command, **target, **one.fields)


def _jitp(cloud: Mapping[str, Any]) -> tuple[str, int]:
    host, port = cloud.get("jitp") or NRF_CLOUD_JITP
    return host, port
