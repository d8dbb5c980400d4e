"""%CERTEXPIRY: serial number and validity of a stored certificate.

Source: sdk-nrf, modem key management library (command and a recorded answer). Newer nRF91x1 firmware only; that an
item with several certificates gives one line for each is not confirmed.
"""

from datetime import datetime

from cryptography import x509

from harness.virtual.board.commands import Args, Commands, Forms, Refused, Reply
from harness.virtual.board.modem.codes import CONTENT_INVALID, INCORRECT_PARAMETERS, NOT_FOUND
from harness.virtual.board.modem.credentials import CLIENT_CERTIFICATE, ROOT_CA
from harness.virtual.board.modem.state import State


class ExpiryCommands:
    """%CERTEXPIRY."""

    def __init__(self, state: State) -> None:
        self._state = state

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        return {"%CERTEXPIRY": Forms(set=self._expiry)}

    def _expiry(self, args: Args) -> Reply:
        sec_tag, kind = args.exactly(2).number(0), args.number(1)
        if kind not in (ROOT_CA, CLIENT_CERTIFICATE):
            raise Refused(INCORRECT_PARAMETERS)
        stored = self._state.nvm.credentials.get((sec_tag, kind))
        if stored is None:
            raise Refused(NOT_FOUND)
        try:
            certificates = x509.load_pem_x509_certificates(stored.content)
        except (ValueError, x509.InvalidVersion):  # stored by firmware that did not look at it
            raise Refused(CONTENT_INVALID) from None
        return [_line(certificate) for certificate in certificates]


def _line(certificate: x509.Certificate) -> str:
    serial = f"{certificate.serial_number:X}"
    dates = f"{_utc(certificate.not_valid_before_utc)},{_utc(certificate.not_valid_after_utc)}"
    return f"%CERTEXPIRY: {serial.zfill(len(serial) + len(serial) % 2)},{dates}"


def _utc(moment: datetime) -> str:
    return f"{moment:%Y%m%d%H%M%SZ}"
