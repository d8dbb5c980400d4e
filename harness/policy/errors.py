"""The one error of this package. Policies depend on the standard library alone, hence no branch of harness.errors."""


class PolicyError(ValueError):
    """A policy document that cannot be used: which document, where in it (JSON path), and what is wrong. One line.

    ``mistakes``: the line of each mistake, in the order of the document. The error's own line says the first one, and
    how many follow.
    """

    def __init__(self, message: str, mistakes: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.mistakes = mistakes or (message,)

    @classmethod
    def of(cls, document: str, mistakes: tuple[str, ...]) -> "PolicyError":
        """Return the error of a document that has these mistakes, at least one."""
        lines = tuple(f"{document}: {mistake}" for mistake in mistakes)
        more = len(lines) - 1
        rest = f"; and {more} more error{'s' * (more > 1)}, which policy check lists" if more else ""
        return cls(lines[0] + rest, lines)
