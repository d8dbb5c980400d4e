"""``python -m harness.virtual``: the stand-ins as a process. Exit codes: 0 stopped, 1 cannot run, 2 wrong settings."""

import argparse
import asyncio
import errno
import gc
import os
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

if __name__ == "__main__":
    os.environ["SSL_CERT_FILE"] = os.devnull  # aiohttp reads every CA of the computer; here nothing asks for one
    gc.disable()  # until everything runs: what imports make stays, and to look for garbage in it is a tenth of a start

from harness.policy import PolicyError
from harness.settings import (
    UnreadableSettings,
    WrongOption,
    add_options,
    settings_of,
)
from harness.virtual.event_loop import EventLoop
from harness.virtual.launch import run
from harness.virtual.run_directory import UnusableDirectory
from harness.virtual.standard_input import InputReader
from harness.virtual.unusable import UnusableSettings, UnusableState

_PROGRAM = "python -m harness.virtual"
_CURES: Final = {
    errno.EADDRINUSE: "another process has the port: end it, or give another number",
    errno.EMFILE: "raise the limit of open files, e.g. ulimit -n 1024",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Exit 2 with one line: a supervisor shows the last line of stderr."""
        self.exit(2, f"{self.prog}: {message}\n")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; a wrong option ends the process with one line and exit code 2."""
    parser = _Parser(prog=_PROGRAM, description="Virtual nRF91 boards and a local nRF Cloud.", allow_abbrev=False)
    add_options(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to stop."""
    lines = InputReader(0)
    parser = make_parser()
    given = parser.parse_args(arguments)
    try:
        settings = settings_of(given, lambda: lines.read() or b"")
    except (WrongOption, UnreadableSettings) as error:
        parser.error(str(error))
    try:
        with asyncio.Runner(loop_factory=EventLoop) as runner:
            runner.run(run(settings, lines))
    except (PolicyError, UnusableDirectory, UnusableSettings, UnusableState) as error:
        print(f"{_PROGRAM}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        cure = _CURES.get(error.errno or 0)
        print(f"{_PROGRAM}: {error}" + (f"; {cure}" if cure else ""), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
