"""%KEYGEN and %ATTESTTOKEN: keys made on the device, and statements signed with the device identity key.

Sources: "nRF91x1 AT Commands" reference, %KEYGEN and %ATTESTTOKEN; the encodings as decoded from published output of
boards; RFC 9052 §4.2 (COSE_Sign1).
"""

import base64
import hashlib
import os
import re
from typing import Final

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from harness.virtual.board.commands import Args, Commands, Forms, Refused, Reply, Wait
from harness.virtual.board.modem.codes import ALREADY_EXISTS, INCORRECT_PARAMETERS, KEY_GENERATION_FAILED, NO_ACCESS
from harness.virtual.board.modem.credentials import PRIVATE_KEY, CredentialCommands, writable_tag
from harness.virtual.board.modem.csr import make_csr, subject_name
from harness.virtual.board.modem.nvm import Credential
from harness.virtual.board.modem.state import State
from harness.virtual.board.personality import AttestationForm, ExternalAad

KEYGEN_SECONDS = 1.2  # not documented; tools allow 15 s
ENDORSEMENT_KEY = 8
DEFAULT_KEY_USAGE: Final = "111010000"
CSR, PUBLIC_KEY = 0, 1
CSR_MESSAGE, PUBLIC_KEY_MESSAGE, ATTESTATION_MESSAGE = 9, 8, 1
SELF_DESCRIBED_CBOR = 55799
COSE_SIGN1 = 18
ES256 = cbor2.dumps({1: -7})
IDENTITY_KEY_ID = cbor2.dumps(-2)


class KeyCommands:
    """Key generation and attestation."""

    def __init__(self, state: State, credentials: CredentialCommands) -> None:
        self._state = state
        self._credentials = credentials

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        return {
            "%KEYGEN": Forms(set=self._keygen),
            "%ATTESTTOKEN": Forms(run=lambda: self._attest(os.urandom(16)), set=self._attest_with),
        }

    def _keygen(self, args: Args) -> Reply:
        sec_tag, kind = args.at_most(5).number(0), args.number(1)
        response = args.number(2, default=CSR)
        subject = args.string(3, "")
        usage = args.string(4, DEFAULT_KEY_USAGE)
        self._state.check_storable()
        if not writable_tag(sec_tag, nrf91x1=self._state.personality.nrf91x1):
            raise Refused(NO_ACCESS)
        if (
            kind not in (PRIVATE_KEY, ENDORSEMENT_KEY)
            or response not in (CSR, PUBLIC_KEY)
            or not re.fullmatch("[01]{1,9}", usage)
        ):
            raise Refused(INCORRECT_PARAMETERS)
        name = self._subject(subject)
        before = self._state.nvm.credentials.get((sec_tag, kind))
        if kind == ENDORSEMENT_KEY:
            response = PUBLIC_KEY  # the only answer it has; a key that is there is used again
        elif before is not None:
            raise Refused(ALREADY_EXISTS)
        if before is None:
            self._credentials.make_room(138)  # a P-256 key in PKCS#8
            self._credentials.check_medium(KEY_GENERATION_FAILED)
        return Wait(KEYGEN_SECONDS, lambda: self._generate(sec_tag, kind, response, name, usage))

    def _generate(self, sec_tag: int, kind: int, response: int, name: x509.Name, usage: str) -> str:
        stored = self._state.nvm.credentials.get((sec_tag, kind))
        if stored is None:
            key = ec.generate_private_key(ec.SECP256R1())
            self._state.nvm.credentials[sec_tag, kind] = Credential(_pkcs8(key), generated=True)
        else:
            loaded = serialization.load_der_private_key(stored.content, password=None)
            assert isinstance(loaded, ec.EllipticCurvePrivateKey)  # noqa: S101 - stored by the branch above
            key = loaded
        if response == CSR:
            with_null = self._state.personality.csr_with_null
            body, message = make_csr(key, name, usage, with_null=with_null), CSR_MESSAGE
        else:
            body, message = _spki(key), PUBLIC_KEY_MESSAGE
        payload = cbor2.dumps(
            cbor2.CBORTag(
                SELF_DESCRIBED_CBOR,
                [
                    message,
                    self._state.nvm.identity.device_uuid.bytes,
                    cbor2.dumps(_signed_tag(sec_tag)),
                    hashlib.sha256(body).digest(),
                    os.urandom(16),
                ],
            )
        )
        aad = b"" if self._state.personality.external_aad is ExternalAad.EMPTY else body
        return f'%KEYGEN: "{_base64url(body)}.{_base64url(self._sign(payload, aad, payload))}"'

    def _attest_with(self, args: Args) -> Reply:
        challenge = args.at_most(1).string(0)
        if not re.fullmatch("[0-9A-Fa-f]{32}", challenge):
            raise Refused(INCORRECT_PARAMETERS)
        return self._attest(bytes.fromhex(challenge))

    def _attest(self, nonce: bytes) -> str:
        kind = self._state.personality
        fields = [
            ATTESTATION_MESSAGE,
            self._state.nvm.identity.device_uuid.bytes,
            kind.device_type,
            bytes.fromhex(kind.modem_uuid.replace("-", "")),
            nonce,
        ]
        body = cbor2.dumps(cbor2.CBORTag(SELF_DESCRIBED_CBOR, fields))
        aad, signed = {
            AttestationForm.AAD: (body, None),
            AttestationForm.DETACHED: (b"", body),
            AttestationForm.BOTH: (body, body),
        }[kind.attestation]
        return f'%ATTESTTOKEN: "{_base64url(body)}.{_base64url(self._sign(None, aad, signed))}"'

    def _sign(self, carried: bytes | None, aad: bytes, payload: bytes | None) -> bytes:
        """Return a COSE_Sign1 that carries ``carried`` and signs ``payload`` with ``aad``."""
        signed = cbor2.dumps(["Signature1", ES256, aad, payload])
        r, s = utils.decode_dss_signature(self._state.nvm.identity_key.sign(signed, ec.ECDSA(hashes.SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return cbor2.dumps(cbor2.CBORTag(COSE_SIGN1, [ES256, {4: IDENTITY_KEY_ID}, carried, signature]))

    def _subject(self, attributes: str) -> x509.Name:
        attributes = attributes or f"CN={self._state.nvm.identity.device_uuid}"
        try:
            return subject_name(attributes.encode("latin-1").decode())
        except ValueError:
            raise Refused(INCORRECT_PARAMETERS) from None


def _spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _pkcs8(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _signed_tag(sec_tag: int) -> int:
    """Tags above 2^31 appear as negative 32-bit numbers."""
    return sec_tag - 2**32 if sec_tag > 2**31 else sec_tag


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
