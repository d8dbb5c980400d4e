"""What the AT server needs of the groups of commands that it is made of."""

from typing import Protocol

from harness.virtual.board.commands import Commands
from harness.virtual.board.sockets.table import SocketTable


class CommandGroup(Protocol):
    """Some commands."""

    def commands(self) -> Commands:
        """Return the group's commands by name."""
        ...


class Sockets(CommandGroup, Protocol):
    """The socket commands of a product. The server tells their table what happens to the sockets."""

    table: SocketTable

    def left_data_mode(self) -> None: ...
