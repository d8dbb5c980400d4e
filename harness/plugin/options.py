"""The harness's own options, its marker, and the name of the JUnit report."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.plugin.state import FOLDER, OWN_JUNIT
from harness.report import RunFolder


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the harness's own options."""
    group = parser.getgroup("nrf91", "nRF91 boards and clouds")
    group.addoption("--boards", metavar="FILE", help="boards file (default: boards.yaml in the root folder)")
    group.addoption("--board", metavar="NAME|TAG", action="append", default=[], help="only these boards; repeatable")
    group.addoption("--cloud", metavar="NAME", help="use this cloud of the boards file for every board")
    group.addoption("--reports", metavar="DIR", help="where runs are reported (default: reports in the root folder)")
    group.addoption(
        "--policy-trials",
        choices=("minimal", "full"),
        default="minimal",
        help="derived policy trials: the smallest set that notices every change to the policies, or all",
    )
    group.addoption("--lab-ca", metavar="DIR", help="folder of the lab's CA, made on first use (default: .lab/ca)")
    group.addoption("--provision", metavar="WAY", choices=("device", "host", "cloud"), help="where every key is made")
    group.addoption("--reprovision", action="store_true", help="make new credentials although valid ones are there")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and name the JUnit report before pytest's own plug-in looks for its option."""
    config.addinivalue_line("markers", "violation: breaks a policy on purpose; the board must be hung up on")
    folder = RunFolder(Path(config.getoption("--reports") or config.rootpath / "reports"))
    config.stash[FOLDER] = folder
    if config.option.xmlpath is None:
        config.option.xmlpath = str(folder.junit)
        config.stash[OWN_JUNIT] = True
