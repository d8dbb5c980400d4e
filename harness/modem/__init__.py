"""What the nRF91 modem can do: identity, functional modes, registration, credential store, key generation."""

from harness.modem.cose import CoseSign1
from harness.modem.credential_store import CredentialKind, CredentialStore, DigestMismatch, StoredCredential
from harness.modem.identity import Identity
from harness.modem.keygen import KeygenAnswer, KeygenMismatch, KeygenResult, parse_keygen, parse_keygen_public_key
from harness.modem.modem import Modem
from harness.modem.registration import Registration

__all__ = [
    "CoseSign1",
    "CredentialKind",
    "CredentialStore",
    "DigestMismatch",
    "Identity",
    "KeygenAnswer",
    "KeygenMismatch",
    "KeygenResult",
    "Modem",
    "Registration",
    "StoredCredential",
    "parse_keygen",
    "parse_keygen_public_key",
]
