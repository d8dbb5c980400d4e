"""What a test's marks say it needs of a board's firmware."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.firmware import Capability

NEEDS = "needs"
NEEDS_HELP = "needs(*capabilities): skip the test on boards whose firmware lacks one (harness.firmware.Capability)"


def marked_needs(item: pytest.Item) -> tuple[Capability, ...]:
    """Return the capabilities that ``@pytest.mark.needs`` names, of the test and of its class and module."""
    return tuple(capability for mark in item.iter_markers(NEEDS) for capability in mark.args)
