"""A pump between a local socket and a board's, for every test of what it carries."""

import socket

import pytest

from harness.firmware.bridge import Pump

DEADLINE = 10.0


@pytest.fixture
def ends():
    """Makes pumps; their local ends are closed afterwards."""
    made = []

    def start(far, **options):
        ours, boards = socket.socketpair()
        ours.settimeout(DEADLINE)
        mark = far.port.timeline.mark()
        far.connect("h", 1, None, timeout=1.0)
        pump = Pump(boards, far, since=mark, **options)
        pump.start()
        made.append((ours, pump))
        return ours, pump

    yield start
    for ours, pump in made:
        ours.close()
        pump.join(DEADLINE)
