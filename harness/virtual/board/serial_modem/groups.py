"""What the AT server needs of the groups of commands that it is made of."""

from typing import Protocol

from harness.virtual.board.commands import Commands
from harness.virtual.board.outputs import LinkEvent


class CommandGroup(Protocol):
    """Some commands."""

    def commands(self) -> Commands:
        """Return the group's commands by name."""
        ...


class Sockets(CommandGroup, Protocol):
    """The socket commands of a product, and what the server tells them."""

    def link(self, event: LinkEvent) -> None: ...
    def network_lost(self) -> None: ...
    def drop_all(self) -> None: ...
    def left_data_mode(self) -> None: ...
