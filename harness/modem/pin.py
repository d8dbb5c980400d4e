"""A SIM's PIN: entered once, and never where a wrong one could block the SIM.

Source: nRF9160 and nRF91x1 AT Commands references, +CPIN, +CPINR, %XSIM (cause 1: PIN required). A SIM forgets its PIN
whenever it is switched off, so it is asked for at each AT+CFUN=1.
"""

from typing import Final

from harness.at import AtError, AtPort, ask
from harness.at.listener import Listener
from harness.errors import NoAnswer, NotRegistered

_ALL_TRIES: Final = 3
_START: Final = 10.0  # seconds; a SIM takes half of one


def enter_pin(port: AtPort, pin: str, notified: Listener) -> bool:
    """Enter ``pin`` at ``port`` if the SIM asks for it; return whether it did.

    ``notified``: has listened to %XSIM since before CFUN=1.

    Raises NotRegistered: the SIM is blocked, or a wrong PIN was entered before: one more might block it.
    """
    state = _state(port)
    if state is None:
        try:
            notified.next(_START, what="%XSIM, by which the SIM says that it has started")
        except NoAnswer:
            return False  # registration will say what is wrong with it
        state = _state(port)
    if state in (None, "READY"):
        return False
    if state != "SIM PIN":
        raise NotRegistered(f"{port.name}: the SIM asks for {state}: it is blocked; do not try PINs, ask its owner")
    left = ask(port, 'AT+CPINR="SIM PIN"', lambda answer: answer.value("+CPINR").rpartition(",")[2].strip())
    if left != str(_ALL_TRIES):
        raise NotRegistered(
            f"{port.name}: a wrong PIN was entered before ({left} of {_ALL_TRIES} tries are left), so pin_env is not "
            "tried; correct it, and enter the right PIN once by hand"
        )
    try:
        port.command(f'AT+CPIN="{pin}"')
    except AtError as error:
        code = f"+CME ERROR: {error.code}" if error.code is not None else "ERROR"
        text = f"{port.name}: the SIM refuses the PIN of pin_env ({code})"
        cure = "correct it, and enter the right one once by hand"
        raise NotRegistered(f"{text}; {cure}") from None  # the error names the command, and that the PIN
    return True


def _state(port: AtPort) -> str | None:
    """Return what the SIM asks for, READY for nothing, None while it does not tell."""
    try:
        return ask(port, "AT+CPIN?", lambda answer: answer.value("+CPIN").strip('"'))
    except AtError:
        return None
