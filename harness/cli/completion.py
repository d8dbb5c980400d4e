"""``nrf91-harness completion``: a script for a shell that completes commands and options, made from the parser."""

import argparse
from pathlib import Path

import shtab

from harness.cli.arguments import Arguments, make_parser
from harness.cli.progress import Progress
from harness.cli.result import Result


def script(given: Arguments, _progress: Progress) -> Result:
    """Print the script for a shell."""
    parser = make_parser()
    _complete_files(parser)
    return Result(None, shtab.complete(parser, shell=given.shell, root_prefix="nrf91_harness").splitlines())


def _complete_files(parser: argparse.ArgumentParser) -> None:
    """Tell shtab which arguments are files: those whose type is a path."""
    for action in parser._actions:
        if action.type is Path:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                _complete_files(child)
