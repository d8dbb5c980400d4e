"""A local socket whose other end is a socket of the board's modem: any program's bytes go through the board."""

from harness.firmware.bridge.at_socket import FRAMED, AtSocket, SocketEnd, SocketsTaken
from harness.firmware.bridge.handle_socket import HandleSocket
from harness.firmware.bridge.listener import BridgeListener, Through
from harness.firmware.bridge.pump import Pump
from harness.firmware.bridge.selected_socket import SelectedSocket
from harness.firmware.bridge.tcp_client import TcpClientSocket

__all__ = [
    "FRAMED",
    "AtSocket",
    "BridgeListener",
    "HandleSocket",
    "Pump",
    "SelectedSocket",
    "SocketEnd",
    "SocketsTaken",
    "TcpClientSocket",
    "Through",
]
