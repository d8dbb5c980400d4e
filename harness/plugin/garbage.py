"""When a run of boards looks for garbage: not while it starts, and never in what its start has made.

What imports and the collection of tests make stays to the end. To look through it takes each process a tenth of its
start, and pytest looks through everything twice more before it ends.
"""

import gc


def look_for_none() -> None:
    """Look for no garbage until the tests begin."""
    gc.disable()


def look_for_new() -> None:
    """Look for garbage in what is made from now on."""
    gc.freeze()
    gc.enable()
