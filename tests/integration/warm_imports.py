"""Imports what runs of pytest and commands import, and their stand-ins, for the processes that are forked from here.

It is a module of its own because a fork server's command line names what it imports, and processes that name
``harness.virtual`` are taken for virtual boards.
"""

import importlib

for _name in (
    *("pytest", "requests", "rich.console", "rich.table", "jinja2", "cryptography.x509", "paho.mqtt.client"),
    *("execnet", "packaging.version", "pdb", "unittest"),  # what pytest and its plug-ins import
    *("harness.run.run", "harness.run.button", "harness.policy_trials.summary", "harness.policy_trials.own_names"),
    *("harness.policy_trials.derived_trials", "harness.policy_trials.probe", "harness.report.page"),
    *("harness.report.live.live_page", "harness.report.live.last_events", "harness.report.pruning"),
    *("harness.report.rebuild", "harness.report.run_again", "harness.report.junit_form"),
    *("harness.report.terminal_summary", "harness.lab.doctor", "harness.cli.main"),
    *("harness.virtual.launch", "harness.virtual.launch_cloud", "harness.virtual.control_cloud"),
):
    importlib.import_module(_name)
