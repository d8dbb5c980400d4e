"""Kills a tool that takes too long, with the processes it started, and does not wait for one that cannot be killed."""

import os
import signal
import subprocess
from contextlib import suppress
from typing import Any, Final

_DYING: Final = 5.0  # seconds; a killed process ends at once, unless it hangs in the kernel


def kill_group(process: "subprocess.Popen[Any]") -> str:
    """Kill a process and its group; return what became of it, as the end of a sentence."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:
        return f"cannot be killed, for it runs as another user (sudo?): end process {process.pid} yourself"
    with suppress(subprocess.TimeoutExpired):
        process.wait(_DYING)
    return "was killed"
