"""Trials of CONNECT itself: is it refused, at which stage, and because of the difference?"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from harness.firmware import Login

Circumstances = Callable[[], AbstractContextManager[object]]
"""Makes a context manager that changes something about the board for the length of a connection attempt."""


@dataclass(frozen=True, slots=True)
class ConnectTrial:
    """A CONNECT with another ``login`` than the right one, or under other circumstances.

    ``difference`` says in words what differs. ``during`` brings the circumstances about and takes them away again.
    """

    login: Login
    difference: str
    during: Circumstances | None = None

    def __str__(self) -> str:
        return f"connect as {self.login.client_id} ({self.difference})"

    def circumstances(self) -> AbstractContextManager[object]:
        """Return a context manager that changes the board for its block."""
        return self.during() if self.during else nullcontext()
