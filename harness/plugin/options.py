"""The harness's own options, its marker, and a JUnit report where none was asked for."""

from __future__ import annotations

import pytest

from harness.plugin.own_junit import add_own_junit


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the harness's own options."""
    group = parser.getgroup("nrf91", "nRF91 boards and clouds")
    group.addoption(
        "--boards", metavar="FILE", help="boards file (default: boards.yaml in the root folder, or a virtual board)"
    )
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


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and the harness's own JUnit report."""
    config.addinivalue_line("markers", "violation: breaks a policy on purpose; the board must be hung up on")
    add_own_junit(config)
