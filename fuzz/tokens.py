"""What modems sign: the CSR of %KEYGEN, its public key, device tokens and attestation tokens."""

from collections.abc import Callable
from typing import Any

from harness.at import AtFormatError
from harness.modem.attestation import AttestationMismatch, parse_attestation
from harness.modem.cose import CoseSign1
from harness.modem.der import mend_csr, unmend_csr
from harness.modem.jwt import JwtMismatch, parse_jwt
from harness.modem.keygen import KeygenMismatch, parse_keygen, parse_keygen_public_key

_PARSERS: tuple[Callable[[str], Any], ...] = (parse_keygen, parse_keygen_public_key, parse_jwt, parse_attestation)
_BYTES: tuple[Callable[[bytes], Any], ...] = (CoseSign1.parse, mend_csr, unmend_csr)


def one_input(data: bytes) -> None:
    """The first byte chooses the parser. Documented errors: AtFormatError and the mismatches; ValueError of bytes."""
    if not data:
        return
    choice, rest = data[0] % (len(_PARSERS) + len(_BYTES)), data[1:]
    if choice < len(_PARSERS):
        try:
            _PARSERS[choice](rest.decode("latin-1"))
        except (AtFormatError, KeygenMismatch, JwtMismatch, AttestationMismatch):
            return
    else:
        try:
            _BYTES[choice - len(_PARSERS)](rest)
        except ValueError:
            return
