"""``python -m benchmarks.verdicts --trials N --seed S [--faults NAME ...]``: how often verdicts on wires are right.

The harness's own trials run over TLS connections to the local broker, through the fault proxy: allowed and forbidden
actions, on clouds that hang up, tolerate, or acknowledge first, with a fault that begins at a random moment, on several
boards at once. What is right is known from the cloud's settings. Each verdict is also found again from its timeline.

wrong pass: a tolerated action was called refused. wrong fail: a refused action was called tolerated. A wrong verdict's
timeline is kept in ``--keep DIR``. The seed makes the faults and the order of actions; places are drawn by the
operating system, and moments are those of a real clock, so two runs with one seed differ.
"""

import argparse
import itertools
import random
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.faults import Deed, Direction, Fault, TcpProxy
from harness.timeline import TimelineFile
from harness.trial import LAB_OUTCOMES, Outcome
from harness.trial.experiment import ExperimentRule
from harness.trial.rejudge import rejudge
from harness.virtual.cloud.broker.profile import BrokerProfile
from tests.integration.broker_lab import Lab
from tests.integration.socket_board import SocketBoard

NIGHT: Final = 10
"""Trials of one board on one cloud with one fault."""
HANG: Final = 60.0
"""Seconds after which a trial hangs."""

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
    "closes": (BrokerProfile(), Outcome.POLICY_DISCONNECT),
    "closes by RST": (BrokerProfile(close_style="rst"), Outcome.POLICY_DISCONNECT),
    "tolerates": (BrokerProfile(on_violation="tolerate"), Outcome.TOLERATED),
    "acknowledges, then closes": (BrokerProfile(on_violation="ack-close"), Outcome.ACKNOWLEDGED_THEN_CLOSED),
}
REFUSED: Final = {Outcome.POLICY_DISCONNECT, Outcome.LATE_DISCONNECT, Outcome.ACKNOWLEDGED_THEN_CLOSED}


@dataclass
class Row:
    """What came of the trials under one fault."""

    found: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    packets: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        count = max(1, self.found.total())
        cells = [str(self.found[name]) for name in COLUMNS]
        return f"{self.found.total()} | {' | '.join(cells)} | " + (
            f"{self.connections / count:.1f}, {self.packets / count:.0f}, {self.seconds / count:.2g}"
        )


COLUMNS: Final = ("right", "wrong pass", "wrong fail", "inconclusive", "escaped", "hang", "judged otherwise")


class Measure:
    """All rows, filled by several threads. ``keep``: where timelines of wrong verdicts go, None: nowhere."""

    def __init__(self, trials: int, seed: str, faults: list[str], keep: Path | None) -> None:
        self.rows = {name: Row() for name in faults}
        self._left = trials
        self._chance = random.Random(seed)
        self._numbers = itertools.count(1)
        self._keep = keep
        self._lock = threading.Lock()

    def night(self) -> tuple[int, str, str, random.Random] | None:
        """Return number, fault, cloud and source of chance of the next night; None: enough."""
        with self._lock:
            if self._left <= 0:
                return None
            self._left -= NIGHT
            names = list(self.rows)
            chance = random.Random(self._chance.random())
            return next(self._numbers), chance.choice(names), chance.choice(list(CLOUDS)), chance

    def stop(self) -> None:
        """Begin no further night."""
        with self._lock:
            self._left = 0

    def work(self, board: int) -> None:
        """Run nights on one board until there are enough trials."""
        while (night := self.night()) is not None:
            self._night(f"board{board}", *night)

    def _night(self, name: str, number: int, fault: str, cloud: str, chance: random.Random) -> None:
        profile, refused = CLOUDS[cloud]
        begins = chance.randrange(NIGHT // 2)
        with ExitStack() as stack:
            lab = stack.enter_context(Lab(name, profile=profile).running())
            proxy = stack.enter_context(TcpProxy(("127.0.0.1", lab.port), FAULTS[fault], seed=number))
            board = SocketBoard(lab, name, lab.port, ExperimentRule(hold=0.05))
            stack.callback(board.close)
            if self._keep is not None:
                file = TimelineFile(self._keep / f"{number}.jsonl", {"fault": fault, "cloud": cloud})
                stack.enter_context(board.device.timeline.sink(file))
            wrong = False
            for trial in range(NIGHT):
                if trial == begins:
                    board.device.disconnect()
                    board.device.port = proxy.address[1]
                    stack.callback(_evict(lab, name, fault))
                allowed = chance.random() < 0.5
                wrong |= self._trial(board, fault, allowed, Outcome.TOLERATED if allowed else refused, trial)
        if self._keep is not None and not wrong:
            (self._keep / f"{number}.jsonl").unlink(missing_ok=True)

    def _trial(self, board: SocketBoard, fault: str, allowed: bool, right: Outcome, trial: int) -> bool:
        """Run one trial and note it. Return whether something was wrong with it."""
        began, mark = time.monotonic(), board.device.timeline.mark()
        got: Outcome | None = None
        try:
            got = board.publish(f"{'ok' if allowed else 'no'}/action{trial}").outcome
            what = _what(got, right)
        except Exception:
            traceback.print_exc()
            what = "escaped"
        seconds = time.monotonic() - began
        with self._lock:
            row = self.rows[fault]
            row.found["hang" if seconds > HANG else what] += 1
            row.seconds += seconds
            if board.results:
                tally = board.results[-1].tally
                row.connections, row.packets = row.connections + tally.connections, row.packets + tally.packets
            again = rejudge(board.device.timeline.since(mark))
            otherwise = bool(again) and not again[-1].same
            row.found["judged otherwise"] += otherwise
        return otherwise or what not in ("right", "inconclusive")


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


def main(arguments: list[str] | None = None) -> int:
    """Print the matrix; return 1 if anything was wrong, escaped or hung."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--boards", type=int, default=3, help="boards at once")
    parser.add_argument("--faults", nargs="*", choices=list(FAULTS), default=list(FAULTS))
    parser.add_argument("--keep", type=Path, help="folder for the timelines of wrong verdicts")
    given = parser.parse_args(arguments)
    measure = Measure(given.trials, given.seed, given.faults, given.keep)
    threads = [threading.Thread(target=measure.work, args=(number,)) for number in range(given.boards)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:  # what was measured until now is printed
        measure.stop()
        for thread in threads:
            thread.join()
    print(f"| fault | trials | {' | '.join(COLUMNS)} | connections, packets, s |")
    print(f"|---|---|{'---|' * len(COLUMNS)}---|")
    total: Counter[str] = Counter()
    for name, row in measure.rows.items():
        print(f"| {name} | {row} |")
        total += row.found
    print(f"\n{dict(total)}")
    return int(any(total[name] for name in COLUMNS if name not in ("right", "inconclusive")))


if __name__ == "__main__":
    raise SystemExit(main())
