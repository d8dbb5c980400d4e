"""harness.lab imports what is used, when it is used: a list of what is attached comes at once."""

import subprocess
import sys

import pytest

import harness.lab


def test_every_name_of_the_package_is_there():
    assert sorted(harness.lab._HOMES) == sorted(harness.lab.__all__)
    for name in harness.lab.__all__:
        assert getattr(harness.lab, name) is not None
    with pytest.raises(AttributeError, match=r"module 'harness.lab' has no attribute 'Labb'"):
        harness.lab.Labb  # noqa: B018


def test_what_is_not_used_is_not_imported():
    code = "import sys, harness.lab.boards_file, harness.lab.inventory; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert not {"harness.lab.lab", "harness.lab.account", "harness.credentials"} & set(done.stdout.split())
