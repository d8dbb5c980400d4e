"""pytest's JUnit report, held back until the harness writes it."""

from pathlib import Path

import pytest

from harness.plugin.held_junit import HeldReport


def test_a_file_that_no_worker_can_import_is_named_once(tmp_path):
    """pytest-xdist compares tracebacks, and no two are equal: sixteen workers named it sixteen times."""
    held = HeldReport("junit.xml", None)
    held.pytest_sessionstart()
    for file in ("test_a.py", "test_a.py", "test_b.py", "test_a.py"):
        with pytest.raises(ZeroDivisionError) as error:
            _ = 1 / 0
        held.pytest_collectreport(pytest.CollectReport(file, "failed", error.getrepr(), []))
    assert held.uncollected == ["test_a.py", "test_b.py"]
    held.write(tmp_path / "junit.xml")
    assert 'errors="2" failures="0" skipped="0" tests="2"' in Path(tmp_path / "junit.xml").read_text()
