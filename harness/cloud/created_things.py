"""The things that a client has put into an account, by kind. Each is noted before it is made."""

from collections.abc import Callable, Iterable
from typing import Final

HARNESS_TAG: Final = "nrf91-harness"
"""The tag of every device that the harness onboards or claims. By it a later run knows what a killed run left.

A device that comes by JITP cannot get a tag, so this text is its sub type.
"""
Note = Callable[[str, str, bool], None]
"""Takes the kind of a thing, its id, and True before the thing is made or False when it is gone."""


def no_note(_kind: str, _id: str, _there: bool) -> None:
    """Note nothing."""


class CreatedThings(set[str]):
    """The ids of one ``kind``. ``note`` is called for each one that is added or gone."""

    def __init__(self, kind: str, note: Note) -> None:
        super().__init__()
        self._kind = kind
        self._note = note
        self._taken: set[str] = set()

    def add(self, id_: str) -> None:
        """Add a thing that is about to be made."""
        if id_ not in self._taken:
            self._note(self._kind, id_, True)
        super().add(id_)

    def update(self, *ids: Iterable[str]) -> None:
        """Add several."""
        for group in ids:
            for id_ in group:
                self.add(id_)

    def take(self, id_: str) -> None:
        """Add a thing that an earlier run has made. It is not noted, because it stays, or a later call notes it."""
        self._taken.add(id_)
        super().add(id_)

    def discard(self, id_: object) -> None:
        """Remove a thing that is gone."""
        if id_ in self and id_ not in self._taken:
            self._note(self._kind, str(id_), False)
        super().discard(id_)
