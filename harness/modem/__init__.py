"""What the nRF91 modem can do: identity, functional modes, registration, credential store, key generation, tokens."""

from harness.modem.attestation import AttestationMismatch, parse_attestation
from harness.modem.credential_store import CredentialKind, CredentialStore, DigestMismatch, StoredCredential, digest_of
from harness.modem.identity import Identity
from harness.modem.jwt import JwtMismatch, ModemJwt, parse_jwt
from harness.modem.keygen import KeygenMismatch, KeygenResult, parse_keygen, parse_keygen_public_key
from harness.modem.modem import Modem
from harness.modem.registration import Registration
from harness.modem.words import MODEM_WORDS

__all__ = [
    "MODEM_WORDS",
    "AttestationMismatch",
    "CredentialKind",
    "CredentialStore",
    "DigestMismatch",
    "Identity",
    "JwtMismatch",
    "KeygenMismatch",
    "KeygenResult",
    "Modem",
    "ModemJwt",
    "Registration",
    "StoredCredential",
    "digest_of",
    "parse_attestation",
    "parse_jwt",
    "parse_keygen",
    "parse_keygen_public_key",
]
