"""The error of this package. It is not part of harness.errors: policies depend on the standard library alone."""


class PolicyError(ValueError):
    """A policy document that cannot be used. One line: the document, the JSON path in it, and what is wrong.

    ``mistakes``: one line for each, in the order of the document. The error's own line has the first one, and how
    many follow.
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
