"""The scenario suite under one fault at a time: nothing may fail, and the cause that is named must be the right one.

    python -m tests.single_faults [--only NAME,...] [--select EXPRESSION] [--keep FOLDER] [--list]

A fault is what goes wrong around a correct board and a correct cloud. Under it a test may pass, or end as the lab's
error; it may not fail, because nothing is wrong with the product. Where it ends in an error, the diagnosis of its
events names one of the fault's causes, or says *inconclusive*; its verdict blames
nobody else either. A run's folder stays where that is not so, and the exit code is 1; ``--keep`` keeps every run's
folder below its own, named after the fault.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import yaml

from harness.firmware import WORDS
from harness.timeline import Kind
from harness.timeline.file_reader import read_timeline
from harness.trial.diagnosis import Cause, diagnose

NETWORK = frozenset({Cause.NETWORK_LOST})
AWAY = frozenset({Cause.CLOUD_AWAY})
LIMIT = frozenset({Cause.CONNECTION_LIMIT, Cause.DUPLICATE_CLIENT})  # from here they look alike
UART = frozenset({Cause.UART_TROUBLE})
MODEM = frozenset({Cause.MODEM_FAULT})
NONE: frozenset[Cause] = frozenset()
SELECT: Final = "test_violations or test_shadow or test_publish or test_subscribe"
_TIMEOUT: Final = 1800
_RESET: Final = "got modem reset"
_LOST: Final = "got network lost"


@dataclass(frozen=True)
class SingleFault:
    """``board``, ``cloud``: what ``faults:`` says of them; ``settings``: of the cloud besides.

    ``causes``: those that may be named. ``harmless``: every test passes.
    """

    name: str
    causes: frozenset[Cause]
    board: dict[str, Any] = field(default_factory=dict)
    cloud: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    harmless: bool = False

    def boards_file(self) -> str:
        """Return the text of the boards file."""
        cloud = {"kind": "local", **self.settings, "faults": self.cloud}
        board = {"name": "virtual-1", "virtual": {}, "faults": self.board}
        return yaml.safe_dump({"clouds": {"local": cloud}, "boards": [board]}, sort_keys=False)


def _board(command: str, phase: str = "action", **fields: Any) -> dict[str, Any]:
    return {"commands": [{"command": command, "phase": phase, **fields}]}


def _line(deed: str, **fields: Any) -> dict[str, Any]:
    return {"line": [{"deed": deed, "direction": "in", "chance": 0.01, **fields}], "seed": 3}


_cloud = _board
FAULTS: Final = (
    SingleFault("nothing", NONE, harmless=True),
    # on the way between board and broker
    SingleFault("each connection is reset after 1 s", LIMIT, cloud={"device": [{"deed": "rst", "age": 1.0}]}),
    SingleFault("each connection is closed at packet 3", LIMIT, cloud={"device": [{"deed": "fin", "packet": 3}]}),
    SingleFault("each connection is reset at packet 7", LIMIT, cloud={"device": [{"deed": "rst", "packet": 7}]}),
    SingleFault("cuts without memory", NETWORK, cloud={"device": [{"deed": "rst", "mean_age": 3.0}], "seed": 5}),
    SingleFault("three cuts at actions", NETWORK, cloud={"device": [{"deed": "rst", "phase": "action", "times": 3}]}),
    SingleFault(
        "the board alone sees a close", NETWORK, cloud={"device": [{"deed": "fin-near", "phase": "action", "times": 2}]}
    ),
    SingleFault(
        "a flipped bit now and then", NETWORK, cloud={"device": [{"deed": "garble", "direction": "in", "chance": 0.01}]}
    ),
    SingleFault(
        "one packet in five takes 50 ms", NONE, harmless=True,
        cloud={"device": [{"deed": "delay", "direction": "in", "chance": 0.2, "seconds": 0.05}], "seed": 5},
    ),
    SingleFault(
        "a black hole for a second", NETWORK,
        cloud={"device": [{"deed": "stall", "direction": "out", "phase": "action", "seconds": 1.0, "times": 3}]},
    ),
    # the radio
    SingleFault("coverage lost", NETWORK, _board("lose-registration", seconds=0.5, times=3)),
    SingleFault("PDN connection dropped", NETWORK, _board("drop-pdn", seconds=0.2, times=3)),
    SingleFault("detached by the network", NETWORK, _board("detach-network", times=3)),
    SingleFault("another cell at each action", NONE, _board("change-cell"), harmless=True),
    SingleFault("a slow radio", NONE, {"commands": [{"command": "set-latency", "seconds": 0.05}]}, harmless=True),
    # the modem and its firmware
    SingleFault("the modem crashes", MODEM, _board("fault-modem", times=2)),
    SingleFault("the modem crashes in silence", MODEM, _board("fault-modem", mqtt="silent", times=2)),
    SingleFault("the board restarts", MODEM, _board("reset-board", times=2)),
    SingleFault("the board restarts in a command", MODEM, _board("reset-during", begins="AT#XMQTTPUB", times=1)),
    # the UART
    SingleFault("a PUBACK is lost each time", UART, _board("disturb-urcs", how="lose", begins="#XMQTTEVT: 3", skip=2)),
    SingleFault("an end is lost each time", UART, _board("disturb-urcs", how="lose", begins="#XMQTTEVT: 1")),
    SingleFault("events come twice", UART, _board("disturb-urcs", how="double", begins="#XMQTTEVT: 3")),
    SingleFault("events come late", UART, _board("disturb-urcs", how="delay", begins="#XMQTTEVT: 1", seconds=0.7)),
    SingleFault("bytes get lost", UART, _line("drop")),
    SingleFault("bytes come twice", UART, _line("double")),
    SingleFault("bytes get garbled", UART, _line("garble")),
    SingleFault("the UART stalls", UART, _line("stall", seconds=0.4)),
    SingleFault("a foreign speaker", UART, _board("say-line", text="Ready", times=3)),
    # the cloud
    SingleFault("the broker restarts", AWAY, cloud=_cloud("restart-broker", times=2)),
    SingleFault(
        "a duplicate client", frozenset({Cause.DUPLICATE_CLIENT}),
        cloud=_cloud("duplicate-client", "connect", client_id="{device}", backoff=0.7, times=1),
    ),
    SingleFault(
        "the broker ends the connection", AWAY | NETWORK | {Cause.DUPLICATE_CLIENT},
        cloud=_cloud("close-connection", client_id="{device}", times=3),
    ),
    SingleFault("an age limit of the broker", LIMIT | AWAY, settings={"limits": {"age": 1.0}}),
    SingleFault("a packet limit of the broker", LIMIT | AWAY, settings={"limits": {"packets": 9}}),
    SingleFault("CONNECTs are throttled", frozenset({Cause.THROTTLED}), settings={"limits": {"connect_gap": 0.3}}),
    SingleFault("handshakes are refused", AWAY | {Cause.CREDENTIAL_REFUSED},
                cloud=_cloud("refuse-handshakes", "connect", times=4)),
    SingleFault("handshakes are closed", AWAY | {Cause.CREDENTIAL_REFUSED},
                cloud=_cloud("refuse-handshakes", "connect", how="close", times=4)),
    SingleFault("the observer is deaf", AWAY, cloud=_cloud("deafen-client", client_id="observer", chance=0.2)),
    SingleFault("the observer is cut", AWAY, cloud=_cloud("close-connection", client_id="observer", times=3)),
    SingleFault("REST answers 503", NONE, cloud=_cloud("disturb-rest", how="status", status=503, seconds=0, count=2),
                harmless=True),
    SingleFault("REST answers 429", NONE, cloud=_cloud("disturb-rest", how="status", status=429, seconds=0, count=2),
                harmless=True),
    SingleFault("REST is silent for a second", NONE, cloud=_cloud("disturb-rest", how="timeout", seconds=1.0, count=1),
                harmless=True),
    SingleFault("REST hangs up", NONE, cloud=_cloud("disturb-rest", how="close", count=1), harmless=True),
    SingleFault("REST answers are cut", NONE, cloud=_cloud("disturb-rest", how="cut", count=1), harmless=True),
    SingleFault("the cloud says no reason", NONE, settings={"reasons": {"AUTH_ERROR": ""}}, harmless=True),
    SingleFault("the cloud's reason comes late", NONE, settings={"reason_delay": 0.2}, harmless=True),
    SingleFault("another reason", NONE, settings={"reasons": {"AUTH_ERROR": "CLIENT_ERROR"}}, harmless=True),
)  # fmt: skip


@dataclass
class Found:
    """What came of one run. ``wrong``: each thing that may not be."""

    results: Counter[str]
    causes: Counter[str]
    wrong: list[str]
    seconds: float


def run(fault: SingleFault, select: str, folder: Path) -> Found:
    """Run the suite under a fault, with everything that it leaves in ``folder``."""
    boards = folder / "boards.yaml"
    boards.write_text(fault.boards_file())
    reports = folder / "reports"
    command = [sys.executable, "-m", "pytest", "tests/scenarios", "-q", "-n", "0", "-p", "no:cacheprovider"]
    command += ["--boards", str(boards), "--reports", str(reports), "--lab-ca", str(folder / "ca"), "-k", select]
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    (folder / "output.txt").write_text(done.stdout + done.stderr)
    found = Found(Counter(), Counter(), [], time.monotonic() - began)
    if done.returncode not in (0, 1):
        found.wrong.append(f"pytest ended with {done.returncode}")
        return found
    found.results.update(_results(reports / "junit.xml", found.wrong, fault))
    if not found.results["passed"] and fault.harmless:
        found.wrong.append("nothing passed")
    for path in reports.glob("*/timeline/virtual-1.jsonl*"):  # packed when the run has ended
        _look_at_causes(path, fault, found)
    return found


def _results(path: Path, wrong: list[str], fault: SingleFault) -> Counter[str]:
    results: Counter[str] = Counter()
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        result = next((kind for kind in ("failure", "error", "skipped") if case.find(kind) is not None), "passed")
        results[result] += 1
        if result in ("passed", "skipped"):
            continue
        message = (case.find(result).get("message") or "")[:300]
        blames_network = _LOST in message and Cause.NETWORK_LOST not in fault.causes
        if result == "error" and not fault.harmless and not blames_network:
            continue
        if _RESET in message and Cause.MODEM_FAULT in fault.causes:
            continue  # a modem that restarts in the middle of a trial is the product's fault, and said to be
        wrong.append(f"{result} of {case.get('name')}: {message}")
    return results


def _look_at_causes(path: Path, fault: SingleFault, found: Found) -> None:
    recording = read_timeline(path)
    for test in recording.tests.values():
        ended = next((event for event in test.events if event.kind is Kind.END), None)
        if ended is None or ended.data.get("result") in ("passed", "skipped"):
            continue
        diagnosis = diagnose(test.events, recording.events, words=WORDS)
        found.causes[diagnosis.cause] += 1
        right = {Cause.INCONCLUSIVE, *fault.causes}
        if "violation" in test.id:  # the cloud did refuse it, too
            right.add(Cause.POLICY)
        if diagnosis.cause not in right:
            text = diagnosis.speaks_for[0].text if diagnosis.speaks_for else ""
            found.wrong.append(f"cause of {test.id}: {diagnosis.cause} ({text})")


def _folder(fault: SingleFault, keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="nrf91-single-"))
    folder = _kept(fault, keep)
    folder.mkdir(parents=True)
    return folder.resolve()


def _kept(fault: SingleFault, keep: Path) -> Path:
    return keep / fault.name.replace(" ", "-")


def main(arguments: list[str] | None = None) -> int:
    """Run them all, or those that are named."""
    parser = argparse.ArgumentParser(prog="python -m tests.single_faults", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="names, or parts of them, with commas")
    parser.add_argument("--select", default=SELECT, help="pytest's -k")
    parser.add_argument("--keep", type=Path, help="keep every run's folder in this one")
    parser.add_argument("--list", action="store_true")
    given = parser.parse_args(arguments)
    wanted = [part for part in given.only.split(",") if part]
    chosen = [fault for fault in FAULTS if not wanted or any(part in fault.name for part in wanted)]
    former = [str(folder) for fault in chosen if given.keep and (folder := _kept(fault, given.keep)).exists()]
    if former:
        parser.error(f"--keep: {former[0]} is of a former run; move it away, or name another folder")
    failed = 0
    for fault in chosen:
        if given.list:
            print(f"{fault.name}: {', '.join(sorted(fault.causes)) or 'nothing to name'}")
            continue
        folder = _folder(fault, given.keep)
        found = run(fault, given.select, folder)
        failed += bool(found.wrong)
        results = ", ".join(f"{count} {name}" for name, count in sorted(found.results.items()))
        causes = ", ".join(f"{cause} {count}" for cause, count in found.causes.most_common()) or "-"
        verdict = "ok" if not found.wrong else f"WRONG, see {folder}"
        print(f"{fault.name:36} {found.seconds:6.1f} s  {results:34} causes: {causes}  {verdict}", flush=True)
        for line in found.wrong[:8]:
            print(f"    {line}", flush=True)
        if not found.wrong and given.keep is None:
            subprocess.run(["rm", "-r", str(folder)], check=True)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
