"""A virtual nRF91 board: nRF9151, modem firmware mfw_nrf91x1_2.0.2, application firmware Serial Modem 1.0.

It refuses what a real board refuses, in the same bytes, and keeps no secrets on disk::

    network = Network({("mqtt.nrfcloud.com", 8883): ("127.0.0.1", 18883)})
    board = VirtualBoard("virtual-1", link=Path("/tmp/lab/virtual-1"), network=network)
    await board.start()
"""

from harness.virtual.board.board import VirtualBoard
from harness.virtual.board.network import Network
from harness.virtual.board.personality import GARBAGE, MUTE, NRF9151_MFW_2_0_2, PERSONALITIES, Personality

__all__ = ["GARBAGE", "MUTE", "NRF9151_MFW_2_0_2", "PERSONALITIES", "Network", "Personality", "VirtualBoard"]
