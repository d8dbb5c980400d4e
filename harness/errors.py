"""One tree of errors. Who has to act decides the branch, and with it how a test run reports the error.

=================  ==========================================  =====================================
branch             who has to act                              in JUnit
=================  ==========================================  =====================================
:class:`Misuse`    whoever wrote the call or the boards file   usage error, before any test runs
:class:`LabError`  whoever keeps the lab                       ``<error>``
:class:`Refusal`   the product: device, firmware or cloud      ``<failure>``
=================  ==========================================  =====================================

A message is one line: what happened, where, and what to do next. Beside its branch each class carries the
:class:`Party` that it points at; an error may know it better than its class and set its own.
"""

from enum import StrEnum


class Party(StrEnum):
    """Whom an error points at. That is a hint and not a proof: only a trial's facts prove."""

    CLOUD = "cloud"
    MODEM = "modem/firmware"
    RADIO = "radio"
    LAB = "lab"
    USER = "user"  # whoever wrote the call, the test or the boards file
    UNCLEAR = "unclear"


class HarnessError(Exception):
    """Root of everything the harness raises on purpose."""

    party = Party.UNCLEAR


def party_of(error: BaseException) -> Party:
    """Return whom ``error`` points at; where that is unclear, whom the error that caused it points at.

    Errors that the harness did not raise are unclear.
    """
    if isinstance(error, HarnessError) and error.party is not Party.UNCLEAR:
        return error.party
    return Party.UNCLEAR if error.__cause__ is None else party_of(error.__cause__)


def about(name: str, error: BaseException) -> str:
    """Return what ``error`` says, for a sentence that has named ``name`` already.

    >>> about("dk-1", LabError("dk-1: no answer to AT"))
    'no answer to AT'
    """
    return str(error).removeprefix(f"{name}: ")


def again(error: HarnessError) -> HarnessError:
    """Return a new error that says what ``error`` says: its words, its party, its notes and its cause.

    To raise one error several times: each has then the traceback of its own place only.
    """
    kind = type(error)
    copied = kind.__new__(kind, *error.args)  # some constructors take what the message is made of
    copied.args = error.args
    copied.__dict__.update(error.__dict__)
    copied.__cause__ = error.__cause__
    return copied


def branch_of(error: BaseException) -> str:
    """Return the branch of the tree that ``error`` belongs to: its name, or "" for what the harness did not raise."""
    return next((branch.__name__ for branch in (Misuse, LabError, Refusal) if isinstance(error, branch)), "")


class Misuse(HarnessError):
    """The caller's mistake: a wrong argument, a broken boards file, a command that can never be sent.

    Correct the call or the file; trying again changes nothing.
    """

    party = Party.USER


class LabError(HarnessError):
    """The lab's trouble: a port, a cable, the radio network, a stand-in that died. Nothing is known about the product.

    Mend the lab and run again.
    """

    party = Party.LAB


class Refusal(HarnessError):
    """The other side answered, and the answer was no. The link works; the product said so."""


class PortMissing(LabError):
    """No such port: the board is not plugged in, or the boards file names another one."""


class PortBusy(LabError):
    """Another process has the port or the board's lease."""


class NoAnswer(LabError):
    """The board is there, but sent nothing intelligible within the deadline."""


class BoardLost(LabError):
    """The port went away while it was open: unplugged, or its process died."""


class CloudUnreachable(LabError):
    """The cloud could not be reached, or went away: network, name, port, or the stand-in's process."""

    party = Party.CLOUD


class NotRegistered(LabError):
    """The modem is not registered in the radio network within the deadline."""

    party = Party.RADIO
