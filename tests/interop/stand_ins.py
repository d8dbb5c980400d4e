"""What the interop tests share: virtual boards in a process of their own, and programs that other people wrote."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

SEC_TAG = 16842753
DEADLINE = 30.0
_LISTED_PORT = Path(__file__).parent / "listed_port"


@contextmanager
def virtual_board(*arguments: str) -> Iterator[dict[str, str]]:
    """Start one virtual board; yield what the ready line says of it."""
    command = [sys.executable, "-m", "harness.virtual", "--no-cloud", "--boards", "1", "--die-with-stdin", *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield json.loads(line)["boards"][0]
        process.stdin.close()
        assert process.wait(DEADLINE) == 0


def program(name: str) -> str | None:
    """Return the path of a program in this environment or on PATH, None when it is not installed."""
    own = Path(sys.executable).parent / name
    return str(own) if own.exists() else shutil.which(name)


def run(
    command: list[str],
    *,
    ports: tuple[str, ...] = (),
    stdin: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Run a program that must succeed; return its standard output. ``ports``: those that pyserial shall list."""
    devices = ":".join(os.path.realpath(port) for port in ports)
    environment = {**os.environ, "PYTHONPATH": str(_LISTED_PORT), "LISTED_PORTS": devices, **(variables or {})}
    done = subprocess.run(
        command, capture_output=True, text=True, input=stdin, timeout=4 * DEADLINE, check=False, env=environment
    )
    assert done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
