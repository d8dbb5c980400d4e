"""What keeps the stand-ins from starting, and is the caller's to correct."""


class UnusableSettings(Exception):
    """A setting names something that is not there, or that is not what it should be. One line."""


class UnusableState(Exception):
    """The state file belongs to something else, is in use, or is broken."""


class CannotDo(Exception):
    """A command is good, but not here or not now. One line that says why."""
