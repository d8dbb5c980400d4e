"""Hooks of the project's own tests: garbage is looked for less often, which saves a fifth of the unit tests' time.

What collecting the tests makes stays to the end, and a test makes little garbage in cycles.
"""

from __future__ import annotations

import gc


def pytest_collection() -> None:
    """Look for no garbage while tests are collected."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Never look through what stays; look for new garbage, but not after every 700 objects."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()
