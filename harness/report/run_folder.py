"""The folder that one run leaves behind: ``reports/<run>/`` with junit.xml, journal.jsonl and transcripts/."""

import hashlib
import json
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from harness.redact import SECRETS

_UNSAFE = re.compile(r"[^A-Za-z0-9_.,=+-]+")
_LONGEST_NAME = 120


def short_name(test: str) -> str:
    """Return a pytest node id without its folders: ``test_policy.py::test_x[a/b]``. Parameters may hold slashes."""
    path, colons, rest = test.partition("::")
    return path.rpartition("/")[2] + colons + rest


class RunFolder:
    """Names the files of a run below ``base`` and makes its folder on first use. ``base``: usually ``reports``."""

    def __init__(self, base: Path) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        self.base = base
        self.path = base / f"{stamp}-{os.getpid()}"

    @property
    def junit(self) -> Path:
        """The run's JUnit report."""
        return self.path / "junit.xml"

    @property
    def journal(self) -> Path:
        """The run's journal: one JSON object a line."""
        return self.path / "journal.jsonl"

    def timeline(self, board: str) -> Path:
        """Return where the timeline of ``board`` belongs."""
        return self.path / "timeline" / f"{_UNSAFE.sub('_', board)}.jsonl"

    def transcript(self, test: str) -> Path:
        """Return where the transcript of ``test`` (a pytest node id) belongs."""
        name = short_name(test).replace("::", ".").replace("[", "-").replace("]", "")
        safe = _UNSAFE.sub("_", name)[:_LONGEST_NAME]
        if safe != name:
            safe += f"-{hashlib.sha256(test.encode()).hexdigest()[:8]}"  # names that differ in what was cut stay apart
        return self.path / "transcripts" / f"{safe}.log"

    def write_journal(self, entry: dict[str, Any]) -> None:
        """Append ``entry`` and flush it, so that a killed run still tells how far it came."""
        self.path.mkdir(parents=True, exist_ok=True)
        line = SECRETS.scrub(json.dumps(entry, ensure_ascii=False, default=str))
        with self.journal.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def write_mistake(self, message: str) -> None:
        """Write a JUnit report with one error: the run could not begin. CI then shows why, not just an exit code."""
        count = {"errors": "1", "failures": "0", "skipped": "0", "tests": "1"}
        suites = ElementTree.Element("testsuites")
        suite = ElementTree.SubElement(suites, "testsuite", {"name": "pytest", **count})
        case = ElementTree.SubElement(suite, "testcase", {"classname": "harness", "name": "boards file", "time": "0"})
        ElementTree.SubElement(case, "error", {"message": message}).text = message
        self.path.mkdir(parents=True, exist_ok=True)
        ElementTree.ElementTree(suites).write(self.junit, encoding="utf-8", xml_declaration=True)
        self.publish_junit()

    def publish_junit(self) -> Path | None:
        """Copy the run's junit.xml to ``base/junit.xml``, where CI looks; return that path, None without a report."""
        if not self.junit.exists():
            return None
        target = self.base / "junit.xml"
        fresh = self.base / f".junit.xml.{os.getpid()}"
        shutil.copyfile(self.junit, fresh)
        fresh.replace(target)
        return target
