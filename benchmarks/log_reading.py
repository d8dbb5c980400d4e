"""Reading a log for what it says of the connection, against pexpect's own expect and pytest-embedded's.

All read the same file with the same question: each line that tells of a connection, a refusal or a hang-up. The peers
are asked by a list of patterns, as one would write it for them, and get a tenth of the file, because they are slower
the longer it is. pytest-embedded is a pytest plug-in that would load itself into every run here, so it lives in an
environment of its own, made when it is needed. Seconds are the processor's: nothing here waits for anybody.
"""

import random
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import pexpect
import pexpect.fdpexpect

from benchmarks.common import Row, ratio
from harness.at.dialogue import Dialogue
from harness.at.recorder import LineRecorder
from harness.firmware.cloud_library.watcher import log_watch
from harness.timeline import Kind

LINES = 400_000
PEER_SHARE = 10
PEER = "pytest-embedded==2.9.3"
PATTERNS = (
    rb"Connected to nRF Cloud",
    rb"Connection to nRF Cloud ready",
    rb"CLOUD_EVT_READY",
    rb"err: -111",
    rb"TRANSPORT_CONNECT_ERROR",
    rb"MQTT input error: -\d+",
    rb"Socket error: POLL(?:HUP|NVAL|ERR)",
    rb"_DISCONNECTED(?:, status)?: \d",
    rb"Network connectivity lost",
    rb"\+CEREG: [024]",
    rb"MQTT ping error",
)
_MODULES = ("nrf_cloud_transport", "net_mqtt", "app_module", "modem_info", "lte_lc")
_PEER_SCRIPT = """
import sys, time
import pexpect
from pytest_embedded.log import PexpectProcess
patterns = [eval(text) for text in sys.argv[2:]]
with open(sys.argv[1], "rb") as file:
    process = PexpectProcess(file.fileno(), timeout=5, use_poll=False)
    began, found = time.process_time(), 0
    try:
        while process.expect([*patterns, pexpect.EOF]) < len(patterns):
            found += 1
    except (pexpect.EOF, pexpect.TIMEOUT):
        pass
    print(found, time.process_time() - began)
"""


def run() -> list[Row]:
    """Measure; about 40 s, and the time to install the peer."""
    data = log(LINES)
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "log"
        part.write_bytes(data[: len(data) // PEER_SHARE] + b"\r\n")
        expect = pexpect_rate(part)
        rows = []
        for size in (256, 4095):
            ours = our_rate(data, size)
            name = f"log read in pieces of {size} bytes, peer: pexpect"
            rows.append(Row(name, ours, expect, ratio(ours, expect), ">= 20", "MB/s"))
        embedded = embedded_rate(part, Path(folder))
        figure = ratio(ours, embedded) if embedded else "-"
        rows.append(Row("the same, peer: pytest-embedded", ours, embedded, figure, "", "MB/s"))
    return rows


def log(lines: int) -> bytes:
    """Return a log as a busy board writes it: coloured in part, URCs between, one telling line in a thousand."""
    draws = random.Random(11)  # noqa: S311  # the same log each time
    found = []
    for number in range(lines):
        stamp = f"{number // 3_600_000:02}:{number // 60_000 % 60:02}:{number // 1000 % 60:02}.{number % 1000:03},000"
        line = f"[{stamp}] <inf> {draws.choice(_MODULES)}: sample {number}, temperature {number % 40} C, nothing to see"
        if number % 500 == 0:
            line = '+CEREG: 1,"AAAA","00000001",7'
        if number % 1000 == 999:
            line = f"[{stamp}] <err> nrf_cloud_transport: MQTT input error: -128"
        found.append(f"\x1b[0m{line}\x1b[0m" if number % 3 == 0 else line)
    return "\r\n".join(found).encode()


def our_rate(data: bytes, size: int) -> float:
    """Return MB/s of a test run's own code: bytes to lines, secrets cut out, the evidence behind its line."""
    dialogue, recorder, watch = Dialogue(), LineRecorder("board"), log_watch("board")
    told, began = 0, time.process_time()
    for at in range(0, len(data), size):
        drafts = recorder.drafts(dialogue.receive(data[at : at + size]), 0.0, seconds=0.0, secret=False)
        told += sum(kind is Kind.MQTT for _, kind, _, _, _ in watch(drafts))
    seconds = time.process_time() - began
    assert told == LINES // 1000 - 1, told  # the last line has no end, so it is not read yet
    return len(data) / seconds / 1e6


def pexpect_rate(file: Path) -> float:
    """Return MB/s of pexpect's own expect on the file."""
    with file.open("rb") as stream:
        spawn = pexpect.fdpexpect.fdspawn(stream.fileno(), timeout=5)
        began = time.process_time()
        while spawn.expect([*PATTERNS, pexpect.EOF]) < len(PATTERNS):
            pass
        return file.stat().st_size / (time.process_time() - began) / 1e6


def embedded_rate(file: Path, folder: Path) -> float | None:
    """Return MB/s of pytest-embedded's process class; None where it cannot be installed."""
    home = folder / "peer"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    installed = subprocess.run([python, "-m", "pip", "-q", "install", PEER], capture_output=True, check=False)
    if installed.returncode:
        print(f"{PEER} cannot be installed here: its row stays empty", file=sys.stderr)
        return None
    script = [str(python), "-c", _PEER_SCRIPT, str(file), *map(repr, PATTERNS)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=600, check=True)
    return file.stat().st_size / float(done.stdout.split()[1]) / 1e6
