"""``make nightly MUTANTS=20``: does the derived suite notice a cloud whose policies were changed in one place?

For each mutant of a sample: a local cloud that enforces the mutant while the documents are expected, one virtual board,
and ``tests/scenarios/test_policy.py`` in a process of its own. A mutant is caught when a derived scenario that it
changes fails (an error does not count) with a message that names the topic and what the policies say of it. Two mutants
at a time. Documents that look at names are refused: trials and mutants are derived for any names, the boards have some.
Exit codes: 0 all caught, 1 not, 2 wrong arguments or documents.
"""

from __future__ import annotations

import argparse
import random
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

from harness.errors import Misuse
from harness.lab import CloudConfig, expected_documents, load_boards_file
from harness.policy import Mutant, Names, PolicyDocument, document_json, too_long
from harness.policy_trials.own_names import own_names
from harness.policy_trials.predictions import going_otherwise
from harness.policy_trials.trials import cases_for, selection_for

ROOT = Path(__file__).parents[1]
SUITE = "tests/scenarios/test_policy.py"
BOARD = "mutant"
AT_ONCE = 2
TIMEOUT = 600.0  # seconds for one mutant; a run takes ten
_SHOWN = 3
_DEVICE = "56495254-3030-4000-8000-000000000000"  # virtual boards' device ids begin like this
_TEAM = "4a5ee2bb-1f0f-4d0e-9a5c-0f0d6f5a7c11"
_NAMES = Names(_DEVICE, f"{_DEVICE}-other", _TEAM, _TEAM.replace("4", "5"))
_NOTHING = '{"Statement": {"Effect": "Allow", "Action": "iot:Nothing", "Resource": "*"}}'  # AWS takes no empty document


@dataclass(frozen=True)
class Found:
    """What the suite said of one mutant. ``caught_by``: ids of scenarios; ``otherwise``: why it is not caught."""

    mutant: Mutant
    caught_by: list[str]
    otherwise: str
    seconds: float
    folder: Path


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation_run", description=__doc__.partition("\n")[0])
    parser.add_argument("--mutants", type=int, default=20, metavar="N", help="size of the sample (0: all)")
    parser.add_argument("--seed", type=int, help="of the sample (default: a new one, which is printed)")
    parser.add_argument("--boards", type=Path, default=ROOT / "boards.yaml", help="its first board's cloud")
    given = parser.parse_args(arguments)
    if given.mutants < 0:
        print(f"mutation run: --mutants {given.mutants}: a number of mutants is wanted, or 0 for all", file=sys.stderr)
        return 2
    seed = secrets.randbelow(10**6) if given.seed is None else given.seed
    try:
        file = load_boards_file(given.boards)
        cloud = file.boards[0].cloud
        config = file.cloud(cloud)
        documents = tuple(expected_documents(file, cloud).values())
    except Misuse as error:
        print(f"mutation run: {error}", file=sys.stderr)
        return 2
    if own_names(documents, _NAMES, cases_for(documents, full=False)).further:
        text = f"documents of cloud {cloud!r} look at names of devices; `policy probe` judges a cloud for real ones"
        print(f"mutation run: {text}", file=sys.stderr)
        return 2
    expected = expected_keys(config, file.path.parent.resolve())
    selection = selection_for(documents)
    wrong = baseline(expected)
    if wrong:
        print(f"mutation run: on the documents themselves the suite does not pass: {wrong}", file=sys.stderr)
        return 1
    killable = [mutant for mutant in selection.mutants if not any(map(too_long, mutant.documents.values()))]
    sample = random.Random(seed).sample(killable, min(given.mutants or len(killable), len(killable)))  # noqa: S311
    print(f"{config.expected}: {selection}; {len(sample)} of the mutants as clouds, SEED={seed}", flush=True)
    if len(killable) < len(selection.mutants):
        left_out = len(selection.mutants) - len(killable)
        print(f"left out: {left_out} mutants that are longer than AWS IoT takes a document", flush=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = []
        for one in pool.map(lambda mutant: run(mutant, expected, documents), sample):
            found.append(one)
            print(f"{len(found)}/{len(sample)} {_word(one)}: {one.mutant}", file=sys.stderr, flush=True)
    print("\n".join(table(found)))
    return 0 if all(one.caught_by for one in found) else 1


def expected_keys(config: CloudConfig, folder: Path) -> dict[str, Any]:
    """Return the keys that say what is expected of a cloud, for a boards file in another folder than ``folder``."""
    policies = [str(folder / name) for name in config.policies or ()]
    return {"profile": config.profile} | ({"policies": policies} if policies else {})


def baseline(expected: dict[str, Any]) -> str:
    """Run the suite on a cloud that enforces what is expected; return what does not pass, or nothing.

    What fails there would fail on every mutant, and count as noticing it.
    """
    folder = _new_lab(None, expected)
    code, output = _suite(folder)
    if code == 0:
        shutil.rmtree(folder)
        return ""
    return f"{output.strip()[-300:]}; see {folder}"


def run(mutant: Mutant, expected: dict[str, Any], documents: tuple[PolicyDocument, ...]) -> Found:
    """Run the suite on a cloud that enforces ``mutant``. The folder of what is not caught stays for a look."""
    folder = _new_lab(mutant, expected)
    began = time.monotonic()
    _, output = _suite(folder)
    seconds = time.monotonic() - began
    report = folder / "reports" / "junit.xml"
    caught_by, otherwise = [], output.strip()[-300:]
    if report.exists():
        caught_by, otherwise = read_report(report.read_text(), going_otherwise(documents, mutant.documents))
    if caught_by:
        shutil.rmtree(folder)
    return Found(mutant, caught_by, otherwise, seconds, folder)


def _new_lab(mutant: Mutant | None, expected: dict[str, Any]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="nrf91-mutant-"))
    write_lab(folder, mutant, expected)
    return folder


def _suite(folder: Path) -> tuple[int | None, str]:
    """Run the derived trials in ``folder``'s lab; return the exit code (None: it did not end) and the output."""
    command = [sys.executable, "-m", "pytest", SUITE, "-q", "-p", "no:cacheprovider"]
    command += ["--boards", str(folder / "boards.yaml"), "--reports", str(folder / "reports")]
    command += ["--lab-ca", str(folder / "ca")]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT)
        code, output = done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired:
        code, output = None, f"not finished within {TIMEOUT:g} s"
    (folder / "output").write_text(output)
    return code, output


def write_lab(folder: Path, mutant: Mutant | None, expected: dict[str, Any]) -> None:
    """Write a boards file with one virtual board and a local cloud that enforces the mutant's documents, if given."""
    cloud = {"kind": "local", **expected}
    if mutant is not None:
        policies = folder / "policies"
        policies.mkdir()
        for name, document in mutant.documents.items():
            (policies / f"{name}.json").write_text(
                document_json(document) if document.statements else _NOTHING, encoding="utf-8"
            )
        cloud["enforces"] = [f"policies/{name}.json" for name in mutant.documents]
    boards = {"clouds": {"local": cloud}, "boards": [{"name": BOARD, "virtual": {}}]}
    (folder / "boards.yaml").write_text(yaml.safe_dump(boards))


def read_report(junit: str, changed: Collection[str]) -> tuple[list[str], str]:
    """Return the ids of derived scenarios that caught a mutant, and what happened otherwise.

    ``changed``: ids of those that the mutant changes. The failure of any other is not its doing, so it shows nothing.
    """
    caught: list[str] = []
    others: list[str] = []
    passed = 0
    for case in ElementTree.fromstring(junit).iter("testcase"):
        identifier = case.get("name", "").partition("[")[2].removesuffix("]")
        identifier = identifier.removeprefix(f"{BOARD}-").removesuffix(f"-{BOARD}")
        failure, error = case.find("failure"), case.find("error")
        if failure is not None:
            text = failure.text or ""  # its message is cut off
            if identifier not in changed:
                others.append(f"{identifier} failed, although the mutant does not change it: {text}")
            elif says_why(identifier, text):
                caught.append(identifier)
            else:
                others.append(f"{identifier} failed, but does not say what the policies say: {text}")
        elif error is not None:
            others.append(f"{identifier} is an error: {error.text or ''}")
        elif case.find("skipped") is None:
            passed += 1
    first = f": {' '.join(others[0].split())[:600]}" if others else ""
    return caught, f"{passed} scenarios passed, {len(others)} otherwise{first}"


def says_why(identifier: str, message: str) -> bool:
    """Tell whether a message names the topic of the scenario and what the policies should have made of it."""
    topic = re.sub(r"\\\{\w+\\\}", "[^/ ]+", re.escape(_topic(identifier)))
    return (
        re.search(rf"Policy: .*iot:\w+ on (client/)?{topic}: (allowed|implicit deny|explicit deny)", message)
        is not None
    )


def table(found: Sequence[Found]) -> list[str]:
    """Return lines: each mutant, what caught it, seconds."""
    lines = []
    for one in found:
        lines.append(f"{_word(one):<10} {one.seconds:5.1f} s  {one.mutant}")
        more = [f"and {len(one.caught_by) - _SHOWN} more"] if len(one.caught_by) > _SHOWN else []
        by = [*one.caught_by[:_SHOWN], *more] if one.caught_by else [one.otherwise, f"see {one.folder}"]
        lines += [f"{'':20}by {text}" if one.caught_by else f"{'':20}{text}" for text in by]
    caught = sum(bool(one.caught_by) for one in found)
    return [*lines, f"{len(found)} mutants, {caught} caught, {len(found) - caught} not"]


def _word(found: Found) -> str:
    return "caught" if found.caught_by else "NOT CAUGHT"


def _topic(identifier: str) -> str:
    """Return the topic (template) of a derived scenario's id: ``associated-publish-retained-prod/{tenant}/m/x``."""
    found = re.fullmatch(
        r"[a-z]+-(?:publish|subscribe|receive|connect|will)-(?:retained-|persistent-)*(.*)", identifier
    )
    return found[1] if found else identifier


if __name__ == "__main__":
    sys.exit(main())
