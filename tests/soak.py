"""A board that works for an hour while things go wrong: memory, descriptors and threads must stay flat.

    python -m tests.soak [--minutes 60] [--seed 1] [--boards FILE]

One round: one fault of the list strikes, the board connects and publishes through it, the fault is undone, and the
board must connect and publish again. The harness's own process and the two stand-ins are watched. Exit code 1 if one of
them grew, or if the board did not come back. ``make soak`` runs it; the faults and their order come from the seed.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.errors import HarnessError
from harness.faults import Deed, Direction, Fault
from harness.lab import Lab, load_boards_file
from harness.run import cloud_device, leased_board
from harness.run.asked_faults import AskedFaults
from harness.run.board import Board
from harness.run.cloud import Cloud
from harness.timeline import Timeline

WARM_UP: Final = 0.25  # of the time: caches fill, the timeline reaches its bound
MOST_GROWTH: Final = 0.10  # of resident memory, from the end of the warm-up to the end
SLACK_KIB: Final = 12_288  # the allocator keeps what it once had; a leak goes beyond it within an hour
SLACK: Final = 3  # descriptors and threads that are open at the moment of a look
TRIES: Final = 5  # to come back after a fault
_ONE_BOARD: Final = "boards: [{name: soak, virtual: {time_scale: 0.01}}]\n"

Strike = Callable[[AskedFaults, str], object]


def _board(command: str, **fields: object) -> Strike:
    return lambda faults, _device: faults.board(command, **fields)


def _cloud(command: str, **fields: object) -> Strike:
    def strike(faults: AskedFaults, device: str) -> object:
        return faults.cloud(
            command, **{name: device if value == "{device}" else value for name, value in fields.items()}
        )

    return strike


def _wire(*wire_faults: Fault) -> Strike:
    return lambda faults, _device: faults.broker(*wire_faults)


STRIKES: Final[dict[str, Strike]] = {
    "nothing": lambda _faults, _device: None,
    "coverage lost": _board("lose-registration", seconds=0.3),
    "PDN dropped": _board("drop-pdn", seconds=0.1),
    "detached": _board("detach-network"),
    "another cell": _board("change-cell"),
    "latency": _board("set-latency", seconds=0.02, spread=0.5),
    "modem fault": _board("fault-modem"),
    "board reset": _board("reset-board"),
    "reset in a command": _board("reset-during", begins="AT#XMQTTPUB"),
    "PUBACK lost": _board("disturb-urcs", how="lose", begins="#XMQTTEVT: 3"),
    "events double": _board("disturb-urcs", how="double", begins="#XMQTTEVT", count=4),
    "foreign line": _board("say-line", text="+CGEV: ME BATTERY LOW"),
    "byte lost": _board("disturb-output", place=7, how="drop"),
    "cut by the broker": _cloud("close-connection", client_id="{device}", style="rst"),
    "broker restarted": _cloud("restart-broker"),
    "duplicate client": _cloud("duplicate-client", client_id="{device}", backoff=0.1, times=2),
    "handshake refused": _cloud("refuse-handshakes"),
    "observer deaf": _cloud("deafen-client", client_id="observer", seconds=0.2),
    "observer cut": _cloud("close-connection", client_id="observer"),
    "REST fails": _cloud("disturb-rest", how="status", status=503, seconds=0),
    "late close": _cloud("change-broker", settings={"close_delay": 0.1}),
    "wire: RST": _wire(Fault(Deed.RST, packet=3)),
    "wire: a flipped bit": _wire(Fault(Deed.GARBLE, Direction.IN, packet=3)),
    "wire: near side closed": _wire(Fault(Deed.FIN_NEAR, packet=4)),
}


class _SmallTimeline(Timeline):
    """Reaches its bound within a minute: what it holds must not look like a leak."""

    def __init__(self) -> None:
        super().__init__(keep=3_000, keep_text=500_000)


@dataclass(slots=True)
class Watched:
    """One process. ``looks``: time, resident KiB, descriptors, threads."""

    name: str
    pid: int
    looks: list[tuple[float, int, int, int]] = field(default_factory=list)

    def look(self, now: float) -> None:
        """Take the figures now."""
        folder = Path("/proc") / str(self.pid)
        fields = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
        descriptors = len(list((folder / "fd").iterdir()))
        self.looks.append((now, int(fields["VmRSS"].split()[0]), descriptors, int(fields["Threads"])))

    def verdict(self, warm: float) -> list[str]:
        """Return what grew since ``warm``; nothing where all is flat."""
        after = [look for look in self.looks if look[0] >= warm] or self.looks
        half = len(after) // 2 or 1
        (_, memory, *counts), (_, memory_end, *counts_end) = _lowest(after[:half]), _lowest(after[half:] or after)
        found = []
        if memory_end - memory > max(SLACK_KIB, MOST_GROWTH * memory):
            found.append(f"{self.name}: memory grew from {memory / 1024:.1f} to {memory_end / 1024:.1f} MiB")
        for what, before, end in zip(("descriptors", "threads"), counts, counts_end, strict=True):
            if end - before > SLACK:
                found.append(f"{self.name}: {what} grew from {before} to {end}")
        return found

    def row(self) -> str:
        """Return the figures in one line."""
        kib, descriptors, threads = zip(*(look[1:] for look in self.looks), strict=True)
        memory = [each / 1024 for each in kib]
        return (
            f"{self.name:10} memory {memory[0]:6.1f} .. {max(memory):6.1f} .. {memory[-1]:6.1f} MiB"
            f"  descriptors {descriptors[0]:3} .. {max(descriptors):3} .. {descriptors[-1]:3}"
            f"  threads {threads[0]:3} .. {max(threads):3} .. {threads[-1]:3}"
        )


def _lowest(looks: list[tuple[float, int, int, int]]) -> tuple[float, int, int, int]:
    """Return the lowest figures of some looks: what is never given back counts, not what is open just now."""
    times, memory, descriptors, threads = zip(*looks, strict=True)
    return times[0], min(memory), min(descriptors), min(threads)


class Soak:
    """Works on ``board`` until its time is over."""

    def __init__(self, board: Board, seed: int) -> None:
        self.rounds: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.stuck = ""
        self.last = ""
        self._board = board
        self._chance = random.Random(seed)  # noqa: S311  (the order of faults is not a secret)

    def run(self, seconds: float, look: Callable[[], None]) -> None:
        """Do rounds, looking after each; stops early where the board does not come back."""
        end, names = time.monotonic() + seconds, list(STRIKES)
        while time.monotonic() < end and not self.stuck:
            self._chance.shuffle(names)
            for name in names:
                self._round(name)
                look()
                if self.stuck or time.monotonic() >= end:
                    return

    def _round(self, name: str) -> None:
        self.rounds[name] += 1
        self._work(name, name)
        if not any(self._work("nothing", name) for _ in range(TRIES)):
            self.stuck = f"the board did not come back after {name!r}, tried {TRIES} times: {self.last}"

    def _work(self, strike: str, about: str) -> bool:
        """Connect and publish under a fault; tell whether that worked."""
        board = self._board
        try:
            board.begin()
            device = board.provisioned.device_id
            link = board.provisioned.link
            with AskedFaults(board) as faults:
                STRIKES[strike](faults, device)
                link.ensure()
                control = link.run()
            self.last = control.detail
            return control.ok
        except HarnessError as error:
            self.last = str(error)
            self.errors[f"{about}: {type(error).__name__}"] += 1
            self._recover()
            return False

    def _recover(self) -> None:
        """Do what the next test of a run does: register a modem that is not registered."""
        try:
            self._board.begin()
            modem = self._board.opened.modem
            if not modem.registration().registered:
                modem.prepare()
                modem.register(timeout=20)
            self._board.provisioned.link.disconnect()
        except HarnessError as error:
            self.last = str(error)


@contextmanager
def _running(boards: Path | None, folder: Path) -> Iterator[tuple[Board, list[Watched]]]:
    if boards is None:
        boards = folder / "boards.yaml"
        boards.write_text(_ONE_BOARD)
    with ExitStack() as stack:
        lab = stack.enter_context(Lab(load_boards_file(boards), folder=folder))
        config = lab.select()[0]
        cloud = Cloud(lab, config.cloud, folder / "ca")
        board = Board(lab, config, cloud, ca_folder=folder / "ca")
        stack.callback(cloud.close)
        stack.callback(board.close)
        board.begin()
        _ = board.provisioned
        pids = {"harness": None, "board": lab.stand_ins.of(config).pid, "cloud": lab.stand_ins.of(config.cloud).pid}
        yield board, [Watched(name, pid or _own_pid()) for name, pid in pids.items()]


def _own_pid() -> int:
    return int(Path("/proc/self").resolve().name)


def soak(minutes: float, seed: int, boards: Path | None = None) -> int:
    """Soak, print the figures, and return the exit code."""
    cloud_device._PATIENCE_LOCAL = 2.0  # what does not come is waited for often here
    leased_board.Timeline = _SmallTimeline  # type: ignore[assignment, attr-defined]
    with tempfile.TemporaryDirectory(prefix="nrf91-soak-") as name, _running(boards, Path(name)) as (board, watched):
        began = time.monotonic()
        work = Soak(board, seed)

        def look() -> None:
            for one in watched:
                one.look(time.monotonic() - began)

        look()
        work.run(minutes * 60, look)
        seconds = time.monotonic() - began
    grown = [line for one in watched for line in one.verdict(WARM_UP * seconds)]
    rounds = sum(work.rounds.values())
    print(f"soak: {seconds / 60:.1f} min, {rounds} rounds of {len(STRIKES)} faults, seed {seed}")
    for one in watched:
        print(one.row())
    if work.errors:
        print("errors under a fault: " + ", ".join(f"{what} {count}" for what, count in work.errors.most_common(12)))
    for line in (*grown, *([work.stuck] if work.stuck else [])):
        print(f"FAILED: {line}")
    print("flat" if not grown and not work.stuck else "not flat")
    return int(bool(grown or work.stuck))


def main(arguments: list[str] | None = None) -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--boards", type=Path)
    given = parser.parse_args(arguments)
    return soak(given.minutes, given.seed, given.boards)


if __name__ == "__main__":
    sys.exit(main())
