"""What to do about a modem's result codes, for a person at a command line: first the board, then code and cure.

Codes: nRF9160 and nRF91x1 AT Commands references.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from harness.at import AtError
from harness.errors import Refusal

_OFFLINE: Final = "the modem must be in flight mode for this: end the program that uses the board, and try again"
_BY_COMMAND: Final = {
    ("AT%JWT", 513): "there is no key: nrf91-harness provision {board}, or --identity for the device identity key",
    ("AT%JWT", 50): "this firmware does not take one of the parameters: leave --audience and --subject out",
    ("AT%JWT", 525): "the token could not be made: nrf91-harness credentials list {board} shows the keys",
    ("AT%CMNG", 513): "the modem has no such item: nrf91-harness credentials list {board}",
    ("AT%CMNG", 515): "the credential store is full: nrf91-harness credentials list {board}, then delete what is old",
    ("AT%KEYGEN", 519): "there is a key already: nrf91-harness credentials delete {board} --sec-tag N",
}
_BY_CODE: Final = {
    514: "the modem does not allow it: is this sec_tag one of Nordic's own (from 2147483648 on)?",
    518: _OFFLINE,
    528: "the supply voltage is too low to write: nrf91-harness doctor {board}, and check cable and battery",
    51: "this modem firmware does not have the command: nrf91-harness doctor {board}",
    10: "no SIM: insert one, then nrf91-harness doctor {board}",
}
_OTHERWISE: Final = "nrf91-harness doctor {board} finds what is wrong, --transcript FILE records the dialogue"


@contextmanager
def with_cure(board: str) -> Iterator[None]:
    """Add the board's name and the cure to a modem's refusal in the block. Raises Refusal in place of AtError."""
    try:
        yield
    except AtError as error:
        raise Refusal(f"{board}: {error}; {cure(error, board)}") from error


def cure(error: AtError, board: str) -> str:
    """Return what to do about a refusal."""
    name = error.command.partition("=")[0].partition("?")[0]
    code = error.code if error.kind == "CME" else None
    text = _BY_COMMAND.get((name, code or 0)) or _BY_CODE.get(code or 0) or _OTHERWISE
    return text.format(board=board)
