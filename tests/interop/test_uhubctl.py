"""The real uhubctl understands the words that the harness gives it, and says that no such hub is here."""

import shutil

import pytest

from harness.lab.power.switches import switch_of
from harness.lab.power_config import UhubctlPower

pytestmark = pytest.mark.skipif(
    shutil.which("uhubctl", path="/usr/local/bin:/usr/bin:/usr/sbin:/sbin") is None,
    reason="uhubctl is not installed: apt-get install uhubctl",
)


@pytest.mark.parametrize("action", ["on", "off"])
def test_its_words_are_understood_and_a_hub_that_is_not_there_is_told(action, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/local/bin:/usr/bin")  # as users have it; Debian puts uhubctl into /usr/sbin
    switch = switch_of(UhubctlPower(kind="uhubctl", location="99-9.9", port=4))
    assert switch.act(action, {}) == (
        "uhubctl ended with exit code 1: No compatible devices detected at location 99-9.9!"
        " Run with -h to get usage info."
    )
