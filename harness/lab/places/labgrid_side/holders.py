"""Who holds a place, and whether that is a run whose process is gone."""

import os
import re

_RUN = re.compile(r"nrf91-.*-(?P<origin>[0-9a-f]{12})-(?P<pid>[1-9]\d*)-[0-9a-f]{8}")


def dead(holder: str, me: str) -> bool:
    """Tell whether ``holder`` was a run that is gone. Its process number must mean the same process for ``me``."""
    theirs, mine = _RUN.fullmatch(holder.partition("/")[2]), _RUN.fullmatch(me.partition("/")[2])
    if theirs is None or mine is None or theirs["origin"] != mine["origin"]:
        return False
    return holder.partition("/")[0] == me.partition("/")[0] and not runs(int(theirs["pid"]))


def runs(pid: int) -> bool:
    """Tell whether a process is alive, as far as that shows: /proc may hide other users' processes."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
