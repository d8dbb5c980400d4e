"""The pytest face: options, fixtures, and how a run is reported. It is thin: the work is done in the packages below.

A test that asks for ``board`` (or for anything made from it) runs once for each selected board. Heavy modules are
imported when the first such test is collected, so that other tests of the same environment do not pay for them.
"""

from harness.plugin.collection import (
    pytest_collection_finish,
    pytest_collection_modifyitems,
    pytest_generate_tests,
)
from harness.plugin.fixtures import (
    _board,
    board,
    board_api,
    board_socket,
    cloud,
    console,
    device,
    device_api,
    evidence,
    faults,
    membership,
    modem,
    mqtt_through_board,
    observer,
    own,
    own_names,
    own_trials,
    power_cycle,
    provisioned,
    rest_trial,
    run_derived,
    timeline,
    trial,
    trial_recorder,
)
from harness.plugin.options import (
    pytest_addoption,
    pytest_cmdline_main,
    pytest_configure,
    pytest_load_initial_conftests,
    pytest_sessionstart,
    pytest_unconfigure,
)
from harness.plugin.reporting import pytest_runtest_makereport, pytest_runtest_setup

__all__ = [
    "_board",
    "board",
    "board_api",
    "board_socket",
    "cloud",
    "console",
    "device",
    "device_api",
    "evidence",
    "faults",
    "membership",
    "modem",
    "mqtt_through_board",
    "observer",
    "own",
    "own_names",
    "own_trials",
    "power_cycle",
    "provisioned",
    "pytest_addoption",
    "pytest_cmdline_main",
    "pytest_collection_finish",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_load_initial_conftests",
    "pytest_runtest_makereport",
    "pytest_runtest_setup",
    "pytest_sessionstart",
    "pytest_unconfigure",
    "rest_trial",
    "run_derived",
    "timeline",
    "trial",
    "trial_recorder",
]
