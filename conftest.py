"""The plug-in, also where the project is not installed; and the one option of pytest.ini that is not pytest's own."""

import pytest

pytest_plugins = ["harness.plugin"]


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Let ``-p no:timeout`` pass: pytest.ini sets that plug-in's limit, and --strict-config refuses unknown keys."""
    if not pluginmanager.hasplugin("timeout"):
        parser.addini("timeout", "seconds for each test; needs pytest-timeout")
