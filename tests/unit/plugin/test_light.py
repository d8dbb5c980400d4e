"""What every pytest run of an environment pays for the plug-in that it may not need."""

import json
import subprocess
import sys
from importlib.metadata import entry_points

SHOW = """
import json, sys
import pytest
from _pytest.config import default_plugins
for name in default_plugins:
    __import__(f"_pytest.{name}")
before = set(sys.modules)
import harness.plugin
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_only_the_plugin_itself_is_imported():
    done = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, check=True)
    imported = [name for name in json.loads(done.stdout) if not name.startswith("harness.plugin")]
    assert imported == ["harness", "harness.errors"]


def test_it_is_registered_under_the_modules_own_name():
    (found,) = entry_points(group="pytest11", name="harness.plugin")
    assert found.value == "harness.plugin"
