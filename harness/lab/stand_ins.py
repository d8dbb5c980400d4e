"""The processes of one lab's virtual boards and local clouds, and the proxies for faults on their wires."""

from collections.abc import Iterable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from harness.errors import BoardLost, CloudUnreachable, LabError, Misuse
from harness.lab.attached_stand_in import AttachedStandIn
from harness.lab.config import BoardConfig, LocalCloudConfig
from harness.lab.fault_config import ToldFault
from harness.lab.fault_wiring import FaultWiring
from harness.lab.lease import private_folder
from harness.lab.profiles import enforced_folder
from harness.lab.relay import Relay
from harness.lab.scratch import Scratch
from harness.lab.spare import take_spare
from harness.lab.stand_in import StandIn
from harness.settings import CloudSettings, NamedBoard, ProcessCloud, ProcessSettings


class StandIns:
    """Starts each process once, when it is first needed, and ends them in :meth:`close`.

    ``parent``: they keep their files in a private folder in it; None: in a temporary one, until :meth:`close`.
    ``attached``: local clouds that another process started, by name, each with the line that it printed when ready.
    """

    def __init__(self, parent: Path | None, attached: Mapping[str, Mapping[str, Any]]) -> None:
        self._parent = parent
        self._scratch: Scratch | None = None
        self._relay: Relay | None = None
        self._wiring: FaultWiring | None = None
        self._running: dict[tuple[str, str], StandIn | AttachedStandIn] = {  # by ("cloud" | "board", name)
            ("cloud", name): AttachedStandIn(f"local cloud {name!r}", name, ready) for name, ready in attached.items()
        }

    def close(self) -> list[str]:
        """End every process that was started here. Return a line for each that did not end properly."""
        if self._relay is not None:
            self._relay.close()
            self._relay = None
        if self._wiring is not None:
            self._wiring.close()
            self._wiring = None
        faults: list[str] = []
        while self._running:
            _, stand_in = self._running.popitem()
            fault = stand_in.stop()
            if fault is not None:
                faults.append(fault)
        return faults

    def remove_files(self) -> None:
        """Remove the temporary folder, if there is one."""
        if self._scratch is not None:
            self._scratch.remove()

    @cached_property
    def folder(self) -> Path:
        """Their folder. It is made when it is first needed, so that listing tests leaves no trace."""
        if self._parent is not None:
            return private_folder(self._parent / "stand-ins")
        self._scratch = Scratch()
        return self._scratch.path

    @property
    def wiring(self) -> FaultWiring:
        """The proxies for the faults in the boards file."""
        if self._wiring is None:
            self._wiring = FaultWiring(self.folder)
        return self._wiring

    @property
    def struck(self) -> set[str]:
        """Names of the boards file's faults on wires that have struck. Ask before :meth:`close`."""
        return set() if self._wiring is None else self._wiring.all_struck()

    def of(self, what: str | BoardConfig) -> StandIn | AttachedStandIn:
        """Return the process of a virtual board, or of a local cloud by its name. It takes commands.

        Raises Misuse if there is no process: the board is real, or the cloud is an account or was not used yet.
        """
        key = ("cloud", what) if isinstance(what, str) else ("board", what.name)
        if key not in self._running:
            raise Misuse(f"no stand-in runs for {key[0]} {key[1]!r}; only virtual boards and local clouds have one")
        return self._running[key]

    def check(self, what: str | BoardConfig, *, grace: float = 0.0) -> None:
        """Raise CloudUnreachable or BoardLost if the process of a cloud (by its name) or of a board is gone.

        ``grace``: seconds to wait for the end of a process whose connection or port has just broken.
        """
        name = what.name if isinstance(what, BoardConfig) else what
        errors: dict[str, type[LabError]] = {"cloud": CloudUnreachable, "board": BoardLost}
        for kind, error in errors.items():
            stand_in = self._running.get((kind, name))
            dead = None if stand_in is None else stand_in.died(grace=grace)
            if dead is not None:
                raise error(f"{dead}; run again")

    def start_cloud(self, name: str, config: LocalCloudConfig, folder: Path) -> StandIn | AttachedStandIn:
        """Start a local cloud, unless another process did; return its process. Raises CloudUnreachable.

        ``name``, ``config``: its entry in the boards file. ``folder``: of that file.
        """
        said = {field: getattr(config, field) for field in CloudSettings.model_fields}
        if config.state is not None:
            said["state"] = str(folder / config.state)
        policies = enforced_folder(config, folder, self.folder / f"policies-{name}")
        settings = ProcessSettings(cloud=ProcessCloud(**said, policies=str(policies or "page")))
        started = self._start(("cloud", name), f"local cloud {name!r}", settings, CloudUnreachable)
        if not isinstance(started, AttachedStandIn):  # else the process that started it has sent it the commands
            _tell(started, config.faults.told)
        return started

    def start_board(
        self, board: BoardConfig, network: Mapping[str, tuple[str, int]], rest_ca: Path | None
    ) -> StandIn | AttachedStandIn:
        """Start a virtual board, unless it runs; return its process. Raises BoardLost.

        ``board``: its entry in the boards file, with the name of the cloud that it uses. ``network``: what the names in
        its radio network lead to. ``rest_ca``: file of the CA that it trusts when it downloads firmware; None: any of
        the Internet's.
        """
        key = ("board", board.name)
        if key in self._running:
            return self._running[key]
        virtual = board.virtual
        assert virtual is not None  # noqa: S101 - for the type checker
        said = dict(virtual) | {"firmware": virtual.firmware or board.firmware}
        if board.cloud_library is not None:
            said["sample"] = virtual.sample or board.cloud_library.sample
        settings = ProcessSettings(
            boards=(NamedBoard(name=board.name, **said),),
            network={name: f"{host}:{port}" for name, (host, port) in network.items()},
            firmware_ca=None if rest_ca is None else str(rest_ca),
        )
        started = self._start(key, f"virtual board {board.name!r}", settings, BoardLost)
        cloud = self._running.get(("cloud", board.cloud))
        if cloud is not None:  # a cloud knows only the boards of its own process, as Nordic knows its own modules
            (made,) = started.ready["boards"]
            cloud.command("trust-identity", identity=f"{made['device_uuid']}={made['identity_key']}")
        _tell(started, board.faults.told, board=board.name)
        return started

    def share(self, clouds: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return by name what another process needs to attach to each of these local clouds, which have started."""
        running = {name: self._running["cloud", name] for name in clouds}
        if running:
            self._relay = Relay(self.folder, {name: cloud.command for name, cloud in running.items()})
        return {name: cloud.ready | {"relay": str(self.folder)} for name, cloud in running.items()}

    def _start(
        self, key: tuple[str, str], what: str, said: ProcessSettings, error: type[LabError]
    ) -> StandIn | AttachedStandIn:
        if key not in self._running:
            folder = self.folder / "-".join(key)
            log = self.folder / f"{'-'.join(key)}.stderr"
            settings = said.model_copy(update={"directory": str(folder), "die_with_stdin": True})
            self._running[key] = StandIn(what, settings, log=log, error=error, spare=partial(take_spare, key[0]))
        return self._running[key]


def _tell(stand_in: StandIn | AttachedStandIn, told: Iterable[ToldFault], **target: Any) -> None:
    """Send a stand-in the commands that are due when it starts."""
    for one in told:
        if not one.phase:
            stand_in.command(one.command, **target, **one.fields)
