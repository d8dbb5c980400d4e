"""The AT port against bare pyserial and pexpect: round trips, waiting for a line, bytes lost.

The far end is a process of its own. Ours always has its timeline on, with transcript and
timeline file on disk.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import pexpect.fdpexpect
import serial

from benchmarks.common import Row, percentile, ratio
from benchmarks.far_end import LAST_LINE, far_end, log
from harness.at import AtPort
from harness.firmware import watching
from harness.firmware.serial_modem.watcher import SerialModemWatcher
from harness.report.transcript import Transcript
from harness.timeline import Kind, Timeline, TimelineFile

BLOCKS, ROUNDS = 60, 100
SIZES = (250_000, 1_000_000, 4_000_000)
RATE, SECONDS = 100_000, 5.0
UART_RATE = 11_520  # 115200 baud


def run() -> list[Row]:
    """Measure; about 25 s."""
    rows = round_trips()
    rows += [waiting(size) for size in SIZES]
    rows.append(waiting(SIZES[-1], transcript=True))
    rows.append(losses("bytes lost at 100 kB/s for 5 s", RATE, idle=False))
    rows.append(losses("bytes lost at 11.5 kB/s while the test does nothing for 5 s", UART_RATE, idle=True))
    rows.append(cpu())
    return rows


@contextmanager
def our_port(path: str, *, transcript: bool = True) -> Iterator[AtPort]:
    """An AtPort with a timeline and its MQTT watcher, and, unless told otherwise, both files on disk."""
    timeline = Timeline()
    with (
        tempfile.TemporaryDirectory() as folder,
        Transcript(Path(folder) / "transcript.txt", title="benchmark") as sink,
        timeline.sink(sink) if transcript else nullcontext(),
        timeline.sink(TimelineFile(Path(folder) / "board.jsonl", {})) if transcript else nullcontext(),
        AtPort.open(path, name="board", timeline=timeline) as port,
    ):
        port.watch(watching(SerialModemWatcher(), "board"))
        yield port


# -- AT round trips


def round_trips() -> list[Row]:
    """AT and OK, p50 and p95: block by block in turns, so that a ratio is of blocks that saw the same machine."""
    ours: list[list[float]] = []
    bare: list[list[float]] = []
    spawned: list[list[float]] = []
    with (
        a_core_each() as theirs,
        far_end(core=theirs) as path,
        our_port(path) as port,
        far_end(core=theirs) as bare_path,
        serial.Serial(bare_path, 115200, timeout=5) as device,
        far_end(core=theirs) as spawned_path,
        serial.Serial(spawned_path, 115200) as spawned_device,
    ):
        child = pexpect.fdpexpect.fdspawn(spawned_device.fileno(), timeout=5)
        for block in range(BLOCKS):
            ours.append(timed(partial(port.command, "AT")))
            bare.append(timed(partial(bare_command, device)))
            if block % 10 == 0:
                spawned.append(timed(partial(expect_command, child)))
    rows = []
    for label, share, goal in (("p50", 0.5, "<= 1.5x"), ("p95", 0.95, "<= 2.5x")):
        mine = [percentile(block, share) * 1000 for block in ours]
        for peer, blocks, wanted in (("bare pyserial loop", bare, goal), ("pexpect fdspawn", spawned, "-")):
            others = [percentile(block, share) * 1000 for block in blocks]
            name = f"AT round trip {label}, median of {len(blocks)} blocks, peer: {peer}"
            times = median(own / other for own, other in zip(mine[:: BLOCKS // len(blocks)], others, strict=True))
            rows.append(Row(name, median(mine), median(others), f"{times:.2f}x", wanted, "ms"))
    return rows


@contextmanager
def a_core_each() -> Iterator[int | None]:
    """Keep this process on one core for a while and yield another one for the far end; None: there is no other.

    A board works beside the computer. Where the kernel puts two processes onto one core now and onto two then, ratios
    differ by a third.
    """
    cores = os.sched_getaffinity(0)
    if len(cores) < 2:
        yield None
        return
    ours, theirs, *_ = sorted(cores)
    os.sched_setaffinity(0, {ours})
    try:
        yield theirs
    finally:
        os.sched_setaffinity(0, cores)


def timed(action: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Return the seconds that each of ``rounds`` calls took."""
    action()
    spent = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        spent.append(time.perf_counter() - start)
    return spent


def bare_command(device: serial.Serial) -> bytes:
    """The least that a script without a harness does."""
    device.write(b"AT\r")
    answer = b""
    while b"OK\r\n" not in answer:
        answer += device.read(device.in_waiting or 1)
    return answer


def expect_command(child: pexpect.fdpexpect.fdspawn) -> None:
    """The same through pexpect."""
    child.send("AT\r")
    child.expect_exact("OK\r\n")


# -- waiting for one line at the end of a long log


def waiting(size: int, *, transcript: bool = False) -> Row:
    """MB/s from the trigger to the line found, with the timeline, or both files too. Peer: pexpect's defaults."""
    total = (len(log(size)) + len(LAST_LINE) + 2) / 1e6
    mine = percentile([wait_ours(size, transcript=transcript) for _ in range(5)], 0.5)
    theirs = percentile([wait_pexpect(size) for _ in range(3)], 0.5)
    name = (
        f"wait for the last line of {size / 1e6:g} MB{' with both files' if transcript else ''}, peer: pexpect fdspawn"
    )
    goal = ">= 4.6 (50 000 lines/s)" if transcript else ">= 20, flat"
    return Row(name, total / mine, total / theirs, ratio(total / mine, total / theirs), goal, "MB/s")


def wait_ours(size: int, *, transcript: bool) -> float:
    """Seconds."""
    with far_end(size) as path, our_port(path, transcript=transcript) as port:
        mark = port.timeline.mark()
        start = time.perf_counter()
        port._stream.write(b"FLOOD\r")
        port.wait_line("that is waited for", 60, since=mark)
        return time.perf_counter() - start


def wait_pexpect(size: int) -> float:
    """Seconds."""
    with far_end(size) as path, serial.Serial(path, 115200) as device:
        child = pexpect.fdpexpect.fdspawn(device.fileno(), timeout=60)
        start = time.perf_counter()
        child.send("FLOOD\r")
        child.expect("that is waited for")
        return time.perf_counter() - start


# -- bytes lost


def losses(name: str, rate: int, *, idle: bool) -> Row:
    """Bytes of ``SECONDS`` at ``rate`` that never arrived; peer: pexpect, which reads only while it is waiting."""
    sent = len(log(int(rate * SECONDS)))
    mine = sent - lost_ours(rate, idle=idle)
    theirs = sent - lost_pexpect(rate, idle=idle)
    return Row(f"{name}, peer: pexpect fdspawn", mine, theirs, "-", "0", "bytes")


def lost_ours(rate: int, *, idle: bool) -> int:
    """Return the bytes of log that are in the timeline."""
    with far_end() as path, our_port(path) as port:
        mark = port.timeline.mark()
        port._stream.write(b"PACE %d %g\r" % (rate, SECONDS))
        if idle:
            time.sleep(SECONDS + 0.5)
        port.wait_line("that is waited for", 30, since=mark)
        return (
            sum(len(event.text) + 2 for event in port.timeline.since(mark) if event.kind is Kind.RX)
            - len(LAST_LINE)
            - 2
        )


def lost_pexpect(rate: int, *, idle: bool) -> int:
    """Return the bytes of log that the peer received."""
    with far_end() as path, serial.Serial(path, 115200) as device:
        child = pexpect.fdpexpect.fdspawn(device.fileno(), timeout=30)
        child.send(f"PACE {rate} {SECONDS:g}\r")
        if idle:
            time.sleep(SECONDS + 0.5)
        child.expect("that is waited for")
        heard: Any = child.before  # bytes, where no encoding was given; the stubs do not know
        return len(heard.replace(LAST_LINE.removesuffix("that is waited for").encode(), b"").rstrip()) + 2


def cpu() -> Row:
    """The processor's share at 100 kB/s with transcript and timeline file on disk."""
    with far_end() as path, our_port(path) as port:
        mark = port.timeline.mark()
        port._stream.write(b"PACE %d %g\r" % (RATE, SECONDS))
        before, start = time.process_time(), time.perf_counter()
        port.wait_line("that is waited for", 30, since=mark)
        share = (time.process_time() - before) / (time.perf_counter() - start)
    return Row("processor while reading 100 kB/s with both files", share * 100, None, "-", "<= 4", "%")
