"""``python -m harness.virtual``: the stand-ins as a process. Exit codes: 0 stopped, 1 cannot run, 2 wrong options."""

import asyncio
import sys

from harness.policy import PolicyError
from harness.virtual.cloud.registry.state_file import UnusableState
from harness.virtual.launch import run
from harness.virtual.options import parse_options
from harness.virtual.run_directory import UnusableDirectory


def main() -> int:
    """Run until told to stop."""
    options = parse_options()
    try:
        asyncio.run(run(options))
    except (PolicyError, UnusableDirectory, UnusableState) as error:
        print(f"python -m harness.virtual: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"python -m harness.virtual: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
