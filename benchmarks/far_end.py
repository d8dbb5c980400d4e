"""The far end of a pty, in a process of its own: plays a board for the benchmarks.

Prints the pty's path, then obeys lines ended by CR: ``AT…`` answers OK at once; ``FLOOD`` sends log lines, as many
bytes as the process was started with, and a last line; ``PACE rate seconds`` sends log lines at ``rate`` bytes a
second like a UART without flow control: what the pty does not take is lost.
"""

import contextlib
import os
import select
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager

LAST_LINE = "[99:59:59.999,999] <wrn> app: the line that is waited for"
LINE = b"[00:00:%06d] <inf> nrf_cloud_transport: MQTT_EVT_PUBACK: id = 1234 result = 0 and so on.....\r\n"  # 92 bytes


@contextmanager
def far_end(flood: int = 0, core: int | None = None) -> Iterator[str]:
    """Start the process; yield the path of its pty. ``flood``: bytes that FLOOD sends. ``core``: for it alone."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.far_end", str(flood)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def log(size: int) -> bytes:
    """Return about ``size`` bytes of numbered log lines."""
    return b"".join(LINE % number for number in range(size // 92))


def main() -> None:
    """Serve until the parent goes away."""
    master, slave = os.openpty()
    tty.setraw(slave)
    flood = log(int(sys.argv[1])) + LAST_LINE.encode() + b"\r\n"
    print(os.ttyname(slave), flush=True)
    line = b""
    while True:
        ready, _, _ = select.select([master, sys.stdin], [], [])
        if sys.stdin in ready:
            return
        line += os.read(master, 65536)
        while b"\r" in line:
            command, line = line.split(b"\r", 1)
            obey(master, command, flood)


def obey(master: int, command: bytes, flood: bytes) -> None:
    """Do what one line says."""
    words = command.split()
    if words[0] == b"FLOOD":
        data = memoryview(flood)
        while data:
            data = data[os.write(master, data) :]
    elif words[0] == b"PACE":
        pace(master, int(words[1]), float(words[2]))
    else:
        os.write(master, b"OK\r\n")


def pace(master: int, rate: int, seconds: float) -> None:
    """Send at ``rate`` in steps of 10 ms; a UART does not wait."""
    data = log(int(rate * seconds))
    start = time.monotonic()
    sent = 0
    os.set_blocking(master, False)
    while sent < len(data):
        due = min(int((time.monotonic() - start) * rate), len(data))
        if due > sent:
            with contextlib.suppress(BlockingIOError):
                os.write(master, data[sent:due])
            sent = due
        time.sleep(0.01)
    os.set_blocking(master, True)
    os.write(master, b"\r\n" + LAST_LINE.encode() + b"\r\n")


if __name__ == "__main__":
    main()
