"""Switches the power of a place with labgrid's own tool, as the one who holds it."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import Any


async def switch(address: str, place: str, action: str, *, delay: float, seconds: float) -> dict[str, Any]:
    """Switch the place's power; say what labgrid complained of, None: of nothing.

    ``address``: the coordinator's. ``place``: its name. ``action``: on, off or cycle. ``delay``: seconds without power,
    of a cycle. ``seconds``: for everything but the delay; then it is killed.
    """
    tool = os.path.join(os.path.dirname(sys.executable), "labgrid-client")
    cycle = action == "cycle"
    words = [tool, "-x", address, "-p", place, "power", action, *(["-t", str(delay)] if cycle else [])]
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    most = seconds + (delay if cycle else 0.0)
    try:
        said, _ = await asyncio.wait_for(process.communicate(), most)
    except TimeoutError:
        return {"complaint": f"it did not end in {most:g} s and was killed"}
    finally:
        await end_group(process)
    words_said = " ".join(said.decode(errors="replace").split())
    return {"complaint": None if process.returncode == 0 else words_said or f"exit code {process.returncode}"}


async def end_group(process: asyncio.subprocess.Process) -> None:
    """Kill a process that still runs, with those it started, so that none of them switches power later."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
