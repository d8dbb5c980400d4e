"""Runs a command and returns its exit code: 0 done, 1 refused, 2 misuse, 3 the lab's trouble, 130 interrupted.

Results go to standard output, as text or with ``--json`` as one JSON object; progress and errors to standard error.
"""

import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from types import FrameType
from typing import Final, cast

from harness.cli.arguments import Arguments, parse
from harness.cli.exit_codes import INTERRUPTED, LAB, OK, describe, exit_code
from harness.cli.progress import Progress
from harness.cli.result import CommandFunction, Result
from harness.errors import HarnessError
from harness.hang_up import ending_signals, let_go_of_terminal

# Module and function of each command. A command imports only what it needs, so that quick commands are quick.
COMMANDS: Final = {
    "boards list": "boards:list_boards",
    "boards suggest": "boards:suggest_boards",
    "boards check": "boards:check",
    "boards schema": "boards:schema",
    "boards lease": "boards:lease",
    "doctor": "doctor:examine",
    "power": "power:switch",
    "bridge": "bridge:carry",
    "flash": "flash:flash",
    "matrix": "matrix:matrix",
    "completion": "completion:script",
    "provision": "provision:provision",
    "credentials list": "credentials:list_stored",
    "credentials verify": "credentials:verify",
    "credentials delete": "credentials:delete",
    "attest": "tokens:attest",
    "jwt": "tokens:jwt",
    "policy check": "policy:check",
    "policy explain": "policy:explain",
    "policy trials": "policy:trials",
    "policy probe": "policy_probe:probe",
    "judge": "judge:judge",
    "report rebuild": "report:rebuild_junit",
    "report html": "report_pages:make_html",
    "report index": "report_pages:make_index",
    "report diff": "report_pages:compare",
    "report prune": "report_pages:prune_runs",
    "virtual fault": "virtual_fault:fault",
    "virtual up": "virtual:up",
}


def load(command: str) -> CommandFunction:
    """Return the function that carries out a command, imported now."""
    module, _, function = COMMANDS[command].partition(":")
    return cast(CommandFunction, getattr(importlib.import_module(f"harness.cli.{module}"), function))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. argparse exits by itself for wrong arguments (2) and ``--help``."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal or log without UTF-8 gets escapes, not a traceback
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(parse(arguments))
    except KeyboardInterrupt:
        print("nrf91-harness: interrupted", file=sys.stderr)
        return INTERRUPTED


def _run(given: Arguments) -> int:
    progress = Progress(sys.stderr)
    told = _end_by_signals()
    try:
        result = load(given.command)(given, progress)
    except HarnessError as error:
        progress.close()
        return _fail(given, error)
    finally:
        progress.close()
        told()
    try:
        _show(given, result)
        sys.stdout.flush()
    except OSError as error:
        # Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # then the reader of the output (head, less) has ended
            print(f"nrf91-harness: cannot write to standard output: {error.strerror}", file=sys.stderr)
            return LAB
    return result.code


def _open_closed_streams() -> None:
    """Lead streams that were closed (``>&-``) to nowhere. Python has None for them; files would get their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - until the process ends


def _end_by_signals() -> Callable[[], None]:
    """Make SIGTERM and SIGHUP end the command as Ctrl-C does: board and account are left clean. Return what undoes it.

    A second one is ignored, so that it does not stop the clean-up. This works only in the main thread, in which
    Python handles signals.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    former = {number: signal.getsignal(number) for number in ending_signals() if number != signal.SIGINT}

    def end(number: int, _frame: FrameType | None) -> None:
        for one in former:
            signal.signal(one, signal.SIG_IGN)
        if number == signal.SIGHUP:
            let_go_of_terminal()
        raise KeyboardInterrupt

    def undo() -> None:
        for one, handler in former.items():
            signal.signal(one, handler)

    for one in former:
        signal.signal(one, end)
    return undo


def _show(given: Arguments, result: Result) -> None:
    if given.json and result.data is not None:
        print(json.dumps({"ok": result.code == OK, **result.data}))
    elif not given.json and result.lines:
        print("\n".join(result.lines))


def _fail(given: Arguments, error: HarnessError) -> int:
    described = describe(error)
    for line in described["message"].splitlines():
        print(f"nrf91-harness: {line}", file=sys.stderr)
    if given.json:
        print(json.dumps({"ok": False, **described}))
    return exit_code(error)
