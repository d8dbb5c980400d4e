"""The modem's sockets as application firmwares use them, without I/O and without any firmware's commands."""

from harness.virtual.board.sockets.host import SocketHost
from harness.virtual.board.sockets.modem_socket import ModemSocket

__all__ = ["ModemSocket", "SocketHost"]
