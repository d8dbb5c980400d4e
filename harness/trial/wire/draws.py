"""Random numbers of an experiment: drawn by the operating system, written down, and read back."""

import random
import secrets
from collections.abc import Iterable

Drawn = int | float


class NothingDrawn(Exception):
    """An experiment asks for a number that was not drawn when it was recorded: its rules have changed."""


class RecordingDraws(random.Random):
    """Draws from the operating system, never from a seed that whatever disturbs the link could share."""

    def __init__(self) -> None:
        super().__init__()
        self._system = secrets.SystemRandom()
        self._drawn: list[Drawn] = []

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        """See :meth:`random.Random.randrange`."""
        number = self._system.randrange(start, stop, step)
        self._drawn.append(number)
        return number

    def random(self) -> float:
        """See :meth:`random.Random.random`."""
        number = self._system.random()
        self._drawn.append(number)
        return number

    def taken(self) -> list[Drawn]:
        """Return what was drawn since this was asked last."""
        drawn, self._drawn = self._drawn, []
        return drawn


class RecordedDraws(random.Random):
    """Gives the numbers that were drawn before, in order. Raises :class:`NothingDrawn` behind the last."""

    def __init__(self, drawn: Iterable[Drawn]) -> None:
        super().__init__()
        self._left = iter(drawn)

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        """See :meth:`random.Random.randrange`."""
        return int(self._next())

    def random(self) -> float:
        """See :meth:`random.Random.random`."""
        return float(self._next())

    def _next(self) -> Drawn:
        try:
            return next(self._left)
        except StopIteration:
            raise NothingDrawn from None
