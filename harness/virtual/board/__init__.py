"""A virtual nRF91 board: an nRF9160, nRF9161 or nRF9151 that runs Serial Modem 1.0, at-client, or a shell.

It refuses what a real board refuses, in the same bytes, and keeps no secrets on disk::

    network = Network({("mqtt.nrfcloud.com", 8883): ("127.0.0.1", 18883)})
    board = VirtualBoard(NamedBoard(name="virtual-1"), link=Path("/tmp/lab/virtual-1"), network=network)
    await board.start()
"""

from harness.virtual.board.board import VirtualBoard
from harness.virtual.board.network import Network
from harness.virtual.board.personality import PERSONALITIES

__all__ = [
    "PERSONALITIES",
    "Network",
    "VirtualBoard",
]
