"""Stands in for nrfutil: the JSON that Nordic documents for ``nrfutil --json device``, and what goes wrong with it.

``FakeNrfutil`` puts it into a folder for PATH. What it does stands in ``how`` there: ok, hang, half-way, refuse, code,
silent, other-chip, no-family, no-debugger. Each call is noted in ``calls``; ``hook`` is run after a program that
went well, if it is there, with the file's name.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path


class FakeNrfutil:
    """``folder``: for PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        program = folder / "nrfutil"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -IS {Path(__file__).resolve()} {folder} "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.does("ok")

    def does(self, how: str) -> None:
        """Choose what the next calls do."""
        (self.folder / "how").write_text(how)

    def hook(self, text: str) -> None:
        """Run a shell script after each program that went well; $1 is the file's name."""
        (self.folder / "hook").write_text(text)

    @property
    def calls(self) -> list[list[str]]:
        """The words of each call so far."""
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def programmed(self) -> list[list[str]]:
        """The words of each call that programmed."""
        return [words for words in self.calls if "program" in words]

    @property
    def path(self) -> str:
        """A PATH that begins with it."""
        return f"{self.folder}:{os.environ['PATH']}"


def say(kind: str, **data: object) -> None:
    print(json.dumps({"type": kind, "data": data}), flush=True)


def end(task: dict[str, object], result: str = "success", **more: object) -> None:
    say("task_end", task=task, result=result, message=None, **more)


def main(folder: Path, words: list[str]) -> int:
    with (folder / "calls").open("a") as calls:
        calls.write(json.dumps(words) + "\n")
    how = (folder / "how").read_text()
    if how == "no-debugger":
        print("Error: no device found with serial number", file=sys.stderr)
        return 1
    if "device-info" in words:
        task: dict[str, object] = {"id": "1", "name": "device_info", "description": "Device info"}
        say("task_begin", task=task)
        family = "NRF53_FAMILY" if how == "other-chip" else "NRF91_FAMILY"
        end(task, data={"deviceInfo": {"hwInfo": {} if how == "no-family" else {"deviceFamily": family}}})
        return 0
    task = {"id": "2", "name": "program", "description": "Program device", "data": {}}
    say("task_begin", task=task)
    if how == "silent":
        return 0
    if how == "code":
        return 7
    for percent in (0, 25, 50):
        say("task_progress", task=task, progress={"totalProgressPercentage": percent, "description": "Programming"})
    if how == "hang":
        child = subprocess.Popen(["sleep", "600"])  # what it starts has to end with it
        (folder / "child").write_text(str(child.pid))
        time.sleep(600)
    if how == "half-way":
        end(task, "fail", error={"code": 24, "description": "Failed to write at 0x50000"})
        return 1
    if how == "refuse":  # the exit code alone would pass for a success
        end(task, "fail", error={"code": 12, "description": "The device is protected"})
        return 0
    say("task_progress", task=task, progress={"totalProgressPercentage": 100})
    hook = folder / "hook"
    if hook.exists():
        subprocess.run(["sh", str(hook), Path(words[words.index("--firmware") + 1]).name], check=True)
    end(task)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
