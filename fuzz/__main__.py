"""Runs fuzz targets for some seconds each: ``python -m fuzz [--seconds N] [TARGET ...]``; exit code 1 for a finding.

With atheris (libFuzzer) it is guided by coverage. Where atheris does not install, the corpus is changed at random.
What fails is kept in .fuzz/findings and run again by ``python -m fuzz TARGET --input FILE``.
"""

import argparse
import random
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from fuzz.registry import CORPUS, NAMES, seeds, target

FOLDER: Final = Path(".fuzz")
_LONGEST_INPUT: Final = 8192
_MOST_SECONDS_OF_ONE: Final = 5
_MOST_MEGABYTES: Final = 2048


def main(arguments: list[str] | None = None) -> int:
    """Run the targets, each in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument(
        "targets", nargs="*", default=[], metavar="TARGET", help=f"of {', '.join(NAMES)} (default: all)"
    )
    parser.add_argument("--seconds", type=int, default=30, help="for each target (30)")
    parser.add_argument("--input", type=Path, help="run this one input")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    unknown = [name for name in given.targets if name not in NAMES]
    if unknown:
        parser.error(f"no target {unknown[0]!r}; targets: {', '.join(NAMES)}")
    names = given.targets or list(NAMES)
    if given.input is not None:
        for name in names:
            target(name)(given.input.read_bytes())
        return 0
    if given.here:
        return _run(names[0], given.seconds)
    results = {name: _in_a_process(name, given.seconds) for name in names}
    for name, code in results.items():
        print(f"fuzz {name:14} {'nothing found' if code == 0 else 'FOUND SOMETHING, see above'}", flush=True)
    return int(any(results.values()))


def _in_a_process(name: str, seconds: int) -> int:
    """A fuzzer ends its process, and so does what it finds."""
    command = [sys.executable, "-m", "fuzz", name, "--here", "--seconds", str(seconds)]
    return subprocess.run(command, check=False).returncode


def _run(name: str, seconds: int) -> int:
    (FOLDER / "findings").mkdir(parents=True, exist_ok=True)
    if find_spec("atheris") is None:
        return _at_random(name, seconds)
    import atheris

    with atheris.instrument_imports(include=["harness", "fuzz"]):
        one_input = target(name)
    grown = FOLDER / name
    grown.mkdir(exist_ok=True)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={_LONGEST_INPUT}",
        f"-timeout={_MOST_SECONDS_OF_ONE}",
        f"-rss_limit_mb={_MOST_MEGABYTES}",
        f"-artifact_prefix={FOLDER / 'findings' / name}-",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *options, str(grown), str(CORPUS / name)], one_input)
    atheris.Fuzz()
    return 0


def _at_random(name: str, seconds: int) -> int:
    """Change the corpus at random, without a look at coverage."""
    one_input, known, chance = target(name), seeds(name), random.Random(0)
    print(f"fuzz {name}: atheris is not installed: the corpus is changed at random", flush=True)
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = changed(chance.choice(known), chance)
        try:
            one_input(data)
        except Exception:
            path = FOLDER / "findings" / f"{name}-{count}"
            path.write_bytes(data)
            print(f"fuzz {name}: {path} fails", flush=True)
            raise
        count += 1
    print(f"fuzz {name}: {count} inputs", flush=True)
    return 0


def changed(data: bytes, chance: random.Random) -> bytes:
    """Return ``data`` with up to eight bytes or stretches changed, removed, doubled or added."""
    found = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        start = chance.randint(0, len(found))
        end = min(len(found), start + chance.choice((1, 1, 2, 8, 64)))
        match chance.randrange(4):
            case 0:
                found[start:end] = chance.randbytes(end - start)
            case 1:
                del found[start:end]
            case 2:
                found[start:start] = found[start:end]
            case _:
                found[start:start] = chance.randbytes(chance.choice((1, 2, 4)))
    return bytes(found[:_LONGEST_INPUT])


if __name__ == "__main__":
    sys.exit(main())
