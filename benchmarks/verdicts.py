"""``python -m benchmarks.verdicts --trials N --seed S [--faults NAME ...]``: how often verdicts on wires are right.

The harness's own trials run over TLS connections to the local broker, through the fault proxy: allowed and forbidden
actions, on clouds that hang up, tolerate, or acknowledge first, with a fault that begins at a random moment, on several
boards at once. What is right is known from the cloud's settings. Each verdict is also found again from its timeline.

wrong pass: a tolerated action was called refused. wrong fail: a refused action was called tolerated. A wrong verdict's
timeline is kept in ``--keep DIR``. The seed makes the faults and the order of actions; places are drawn by the
operating system, and moments are those of a real clock, so two runs with one seed differ.
"""

import argparse
import multiprocessing
import random
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

from harness.faults import Deed, Direction, Fault, TcpProxy
from harness.settings import CloudSettings
from harness.timeline import TimelineFile
from harness.trial import LAB_OUTCOMES, Outcome
from harness.trial.experiment import ExperimentRule
from harness.trial.rejudge import rejudge
from tests.integration.broker_lab import Lab
from tests.integration.socket_board import SocketBoard

NIGHT: Final = 10
"""Trials of one board on one cloud with one fault."""
HANG: Final = 60.0
"""Seconds after which a trial hangs."""
NAME: Final = "board"
_TELL: Final = 500
_MOST_BROKEN: Final = 100  # nights that may break off
"""Trials after which the pace is told."""

FAULTS: Final[dict[str, tuple[Fault, ...]]] = {
    "none": (),
    "RST at an age of 1 s": (Fault(Deed.RST, age=1.0),),
    "RST at an age of 50 ms": (Fault(Deed.RST, age=0.05),),
    "FIN at an age of 8 ms": (Fault(Deed.FIN, age=0.008),),
    "FIN at packet 2": (Fault(Deed.FIN, packet=2),),
    "FIN at packet 3": (Fault(Deed.FIN, packet=3),),
    "RST at packet 5": (Fault(Deed.RST, packet=5),),
    "RST at packet 8": (Fault(Deed.RST, packet=8),),
    "cuts, mean 1 s": (Fault(Deed.RST, mean_age=1.0),),
    "cuts, mean 50 ms": (Fault(Deed.RST, mean_age=0.05),),
    "RST at 5 % of the packets": (Fault(Deed.RST, chance=0.05),),
    "FIN of 5 % of the answers": (Fault(Deed.FIN, Direction.IN, chance=0.05),),
    "only the board sees a close": (Fault(Deed.FIN_NEAR, chance=0.05),),
    "2 % of the packets garbled": (Fault(Deed.GARBLE, chance=0.02),),
    "5 % of the answers 30 ms late": (Fault(Deed.DELAY, Direction.IN, chance=0.05, seconds=0.03),),
    "duplicate client, back-off 5 ms": (),
    "duplicate client, back-off 50 ms": (),
}
CLOUDS: Final = {
    "closes": (CloudSettings(), Outcome.POLICY_DISCONNECT),
    "closes by RST": (CloudSettings(close_style="rst"), Outcome.POLICY_DISCONNECT),
    "tolerates": (CloudSettings(on_violation="tolerate"), Outcome.TOLERATED),
    "acknowledges, then closes": (CloudSettings(on_violation="ack-close"), Outcome.ACKNOWLEDGED_THEN_CLOSED),
}
REFUSED: Final = {Outcome.POLICY_DISCONNECT, Outcome.LATE_DISCONNECT, Outcome.ACKNOWLEDGED_THEN_CLOSED}


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one trial. ``found``: columns to count it in. ``seconds``: that it took."""

    found: tuple[str, ...]
    connections: int
    packets: int
    seconds: float


@dataclass
class Row:
    """What came of the trials under one fault."""

    found: Counter[str] = field(default_factory=Counter)
    trials: int = 0
    connections: int = 0
    packets: int = 0
    seconds: float = 0.0

    def add(self, trial: Trial) -> None:
        """Count a trial."""
        self.found.update(trial.found)
        self.trials += 1
        self.connections += trial.connections
        self.packets += trial.packets
        self.seconds += trial.seconds

    def __str__(self) -> str:
        count = max(1, self.trials)
        cells = [str(self.found[name]) for name in COLUMNS]
        return f"{self.trials} | {' | '.join(cells)} | " + (
            f"{self.connections / count:.1f}, {self.packets / count:.0f}, {self.seconds / count:.2g}"
        )


COLUMNS: Final = ("right", "wrong pass", "wrong fail", "inconclusive", "escaped", "hang", "judged otherwise")
_WRONG: Final = frozenset(COLUMNS) - {"right", "inconclusive"}


def night(number: int, seed: str, faults: Sequence[str], keep: Path | None) -> tuple[str, list[Trial]]:
    """Run the trials of one board on one cloud, and return its fault and what came of them.

    ``number``, ``seed``: decide fault, cloud and actions. ``keep``: where its timeline goes if anything was wrong.
    """
    chance = random.Random(f"{seed} {number}")
    fault, cloud = chance.choice(faults), chance.choice(list(CLOUDS))
    profile, refused = CLOUDS[cloud]
    begins = chance.randrange(NIGHT // 2)
    found: list[Trial] = []
    kept = None if keep is None else keep / f"{number}.jsonl"
    with ExitStack() as stack:
        lab = stack.enter_context(Lab(NAME, profile=profile).running())
        proxy = stack.enter_context(TcpProxy(("127.0.0.1", lab.port), FAULTS[fault], seed=number))
        board = SocketBoard(lab, NAME, lab.port, ExperimentRule(hold=0.05))
        stack.callback(board.close)
        if kept is not None:
            file = TimelineFile(kept, {"fault": fault, "cloud": cloud})
            stack.enter_context(board.device.timeline.sink(file))
        for trial in range(NIGHT):
            if trial == begins:
                board.device.disconnect()
                board.device.port = proxy.address[1]
                stack.callback(_evict(lab, NAME, fault))
            allowed = chance.random() < 0.5
            topic = f"{'ok' if allowed else 'no'}/action{trial}"
            found.append(_trial(board, topic, Outcome.TOLERATED if allowed else refused))
    if kept is not None and not any(_WRONG & set(trial.found) for trial in found):
        kept.unlink(missing_ok=True)
    return fault, found


def _trial(board: SocketBoard, topic: str, right: Outcome) -> Trial:
    began, mark, results = time.monotonic(), board.device.timeline.mark(), len(board.results)
    try:
        what = _what(board.publish(topic).outcome, right)
    except Exception:
        traceback.print_exc()
        what = "escaped"
    seconds = time.monotonic() - began
    tallies = [result.tally for result in board.results[results:]]
    otherwise = False
    try:
        again = rejudge(board.device.timeline.since(mark))
        otherwise = bool(again) and not again[-1].same
    except Exception:
        traceback.print_exc()
        what = "escaped"
    return Trial(
        ("hang" if seconds > HANG else what, *(["judged otherwise"] if otherwise else [])),
        sum(tally.connections for tally in tallies),
        sum(tally.packets for tally in tallies),
        seconds,
    )


def _what(got: Outcome, right: Outcome) -> str:
    if got is right:
        return "right"
    if got in LAB_OUTCOMES:
        return "inconclusive"
    return "wrong pass" if got in REFUSED and right is Outcome.TOLERATED else "wrong fail"


def _evict(lab: Lab, name: str, fault: str) -> Callable[[], None]:
    """Begin to be a second client with the board's id, and return what ends it."""
    if not fault.startswith("duplicate"):
        return lambda: None
    ended = threading.Event()
    back_off = float(fault.split()[-2]) / 1000

    def come_back() -> None:
        while not ended.wait(back_off):
            try:
                client = lab.raw(name)
                client.socket.settimeout(5.0)
                client.read()
                client.socket.close()
            except (OSError, AssertionError):
                continue

    thread = threading.Thread(target=come_back, daemon=True)
    thread.start()

    def end() -> None:
        ended.set()
        thread.join(10.0)

    return end


class Measure:
    """All rows. Each night runs in a process: one interpreter would not keep several boards and clouds prompt."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.rows = {name: Row() for name in faults}
        self.broken = 0  # nights that ended before their trials did: the stand-ins' trouble, shown and not counted
        self._began = time.monotonic()

    @property
    def trials(self) -> int:
        """How many there are."""
        return sum(row.trials for row in self.rows.values())

    @property
    def pace(self) -> str:
        """How many there are, and how fast they came."""
        minutes = (time.monotonic() - self._began) / 60
        return f"{self.trials:,} trials in {minutes:.1f} min, {self.trials / minutes:.0f} a minute"

    def run(self, trials: int, seed: str, boards: int, keep: Path | None) -> None:
        """Run nights until there are so many trials, or until Ctrl-C."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["harness.trial.rejudge", "tests.integration.socket_board"])
        with ProcessPoolExecutor(boards, context, _ignore_interrupts) as pool:
            numbers = count(1)
            try:
                while (wanted := -(-(trials - self.trials) // NIGHT)) > 0 and self.broken < _MOST_BROKEN:
                    more = [pool.submit(night, next(numbers), seed, list(self.rows), keep) for _ in range(wanted)]
                    for done in as_completed(more):
                        self._end(done)
            except KeyboardInterrupt:  # what was measured until now is printed
                pool.shutdown(cancel_futures=True)

    def _end(self, done: Future[tuple[str, list[Trial]]]) -> None:
        if (error := done.exception()) is not None:
            self.broken += 1
            traceback.print_exception(error)
        else:
            self._take(*done.result())

    def _take(self, fault: str, found: Sequence[Trial]) -> None:
        for trial in found:
            self.rows[fault].add(trial)
        if self.trials % _TELL == 0:
            print(self.pace, file=sys.stderr, flush=True)


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the process that gives out the nights."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def main(arguments: list[str] | None = None) -> int:
    """Print the matrix; return 1 if anything was wrong, escaped or hung."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--boards", type=int, default=6, help="boards at once, each with its cloud in a process")
    parser.add_argument("--faults", nargs="*", choices=list(FAULTS), default=list(FAULTS))
    parser.add_argument("--keep", type=Path, help="folder for the timelines of wrong verdicts")
    given = parser.parse_args(arguments)
    measure = Measure(given.faults)
    measure.run(given.trials, given.seed, given.boards, given.keep)
    print(f"| fault | trials | {' | '.join(COLUMNS)} | connections, packets, s |")
    print(f"|---|---|{'---|' * len(COLUMNS)}---|")
    total: Counter[str] = Counter()
    for name, row in measure.rows.items():
        print(f"| {name} | {row} |")
        total += row.found
    print(f"\n{dict(total)}\n{measure.pace}; {measure.broken} nights broke off, and others were run in their place")
    return int(measure.broken >= _MOST_BROKEN or any(total[name] for name in _WRONG))


if __name__ == "__main__":
    raise SystemExit(main())
