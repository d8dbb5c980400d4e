"""The provisioning service's client in a shell's firmware: told to look for commands now.

Source: nRF Connect SDK, nRF Device provisioning library and sample (``nrf_provisioning now``; its log lines); Zephyr
documentation, Shell ("command not found"). UNCONFIRMED which line ends a run in which release: one that is not known
here costs the whole ``timeout``, and nothing else.
"""

import re
from typing import Final

from harness.at import AtPort
from harness.errors import Misuse, NoAnswer

_NOW: Final = "nrf_provisioning now"
_ENDED: Final = re.compile(r"No more commands|Provisioning ends|Provisioning done|nrf_provisioning: command not found")


def fetch_commands(port: AtPort, *, timeout: float) -> str:
    """Have the client fetch and carry out its commands; return the line that ended its run.

    After ``timeout`` seconds without one: what was heard last. Raises Misuse when the firmware has no such client;
    BoardLost.
    """
    mark = port.timeline.mark()
    port.type_line(_NOW)
    try:
        line = port.wait_line(_ENDED, timeout, since=mark).text
    except NoAnswer as silence:
        return str(silence)
    if "not found" in line:
        raise Misuse(
            f"{port.name}: the shell has no command {_NOW!r}: build its firmware with CONFIG_NRF_PROVISIONING and"
            " CONFIG_NRF_PROVISIONING_SHELL, or choose another key origin for this board"
        )
    return line
