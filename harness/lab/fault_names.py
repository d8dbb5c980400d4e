"""Names the faults of the boards file that wait for a moment: a run reports those that never struck."""

from collections.abc import Iterable, Iterator

from harness.faults import Fault
from harness.lab.config import BoardConfig, CloudConfig, LocalCloudConfig
from harness.lab.fault_config import ToldFault


def of_wire(place: str, owner: str, fault: Fault) -> str:
    """Return the name of ``fault`` on a wire. ``place``: line, device or observer. ``owner``: the board or cloud."""
    return f"{owner}: {place}: {fault}"


def of_command(owner: str, told: ToldFault) -> str:
    """Return the name of a command that is sent in a phase."""
    return f"{owner}: {told.command} in phase {told.phase}"


def declared(boards: Iterable[BoardConfig], clouds: Iterable[tuple[str, CloudConfig]]) -> list[str]:
    """Return the names of all faults that wait for a moment. A fault from a stand-in's start waits for none."""
    found = [name for board in boards for name in _of_board(board)]
    return [*found, *(name for cloud, config in clouds for name in _of_cloud(cloud, config))]


def _of_board(board: BoardConfig) -> Iterator[str]:
    yield from (of_wire("line", board.name, fault) for fault in board.faults.on_line)
    yield from (of_command(board.name, told) for told in board.faults.told if told.phase)


def _of_cloud(name: str, config: CloudConfig) -> Iterator[str]:
    if isinstance(config, LocalCloudConfig):
        yield from (of_wire("device", name, fault) for fault in config.faults.on_device)
        yield from (of_wire("observer", name, fault) for fault in config.faults.on_observer)
        yield from (of_command(name, told) for told in config.faults.told if told.phase)
