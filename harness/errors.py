"""One tree of errors. Who has to act decides the branch, and with it how a test run reports the error.

=================  ==========================================  =====================================
branch             who has to act                              in JUnit
=================  ==========================================  =====================================
:class:`Misuse`    whoever wrote the call or the boards file   usage error, before any test runs
:class:`LabError`  whoever keeps the lab                       ``<error>``
:class:`Refusal`   the product: device, firmware or cloud      ``<failure>``
=================  ==========================================  =====================================

A message is one line: what happened, where, and what to do next.
"""


class HarnessError(Exception):
    """Root of everything the harness raises on purpose."""


class Misuse(HarnessError):
    """The caller's mistake: a wrong argument, a broken boards file, a command that can never be sent.

    Correct the call or the file; trying again changes nothing.
    """


class LabError(HarnessError):
    """The lab's trouble: a port, a cable, the radio network, a stand-in that died. Nothing is known about the product.

    Mend the lab and run again.
    """


class Refusal(HarnessError):
    """The other side answered, and the answer was no. The link works; the product said so."""


class PortMissing(LabError):
    """No such port: the board is not plugged in, or the boards file names another one."""


class PortBusy(LabError):
    """Another process has the port or the board's lease."""


class NoAnswer(LabError):
    """The board is there, and nothing intelligible came from it within the deadline."""


class BoardLost(LabError):
    """The port went away while it was open: unplugged, or its process died."""


class CloudUnreachable(LabError):
    """The cloud could not be reached, or went away: network, name, port, or the stand-in's process."""


class NotRegistered(LabError):
    """The modem is not registered in the radio network within the deadline."""
