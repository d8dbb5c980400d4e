"""Why a trial has no connection with an allowed action on it."""

from harness.errors import LabError, Party


class NotConnected(LabError):
    """The connection that a trial needs could not be made, so nothing can be proved on it."""

    party = Party.UNCLEAR  # a cloud that refuses its every allowed action looks like this too


class NothingAllowed(NotConnected):
    """The cloud accepts the device, and hangs up on every action that the policy documents allow it.

    Raised once each of them was refused several times, each time on a connection of its own, and the connections in
    between, without any action, stayed.
    """

    party = Party.CLOUD
