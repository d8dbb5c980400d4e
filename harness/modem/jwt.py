"""The token of AT%JWT: a JSON Web Token that the modem signed with a key of its own.

Facts: nRF9160 and nRF91x1 AT Commands references, %JWT; RFC 7515, RFC 7519. From a recorded token: both JSON texts end
in spaces up to a multiple of three bytes, ``kid`` is the SHA-256 of the signing key's SubjectPublicKeyInfo, ``iss`` is
``<chip>.<device UUID>`` and ``jti`` is ``<chip>.<firmware UUID>.<random>``. The order of members is not known.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from harness.at import LOST_BYTES, AtFormatError
from harness.errors import Misuse, Party, Refusal
from harness.modem.es256 import SIGNATURE_SIZE, verified

LEEWAY = 300.0
"""Seconds by which the modem's clock and this computer's may differ."""

# Early firmware may pad its base64, and may write + and / (UNCONFIRMED): every form is taken.
_TOKEN = re.compile(r'"?([A-Za-z0-9_+/-]+={0,2})\.([A-Za-z0-9_+/-]+={0,2})\.([A-Za-z0-9_+/-]+={0,2})"?')
_TEXT = re.compile(r"[\x20\x21\x23-\x7e]*")
_CLIENT_KEY, _ENDORSEMENT_KEY = 2, 8
_NEXT = "do not use this token; ask for another; if it stays so, keep the transcript for Nordic"


class JwtMismatch(Refusal):
    """The answer of AT%JWT contradicts itself or the request, or is not a token."""

    party = Party.MODEM


@dataclass(frozen=True)
class ModemJwt:
    """A token of the modem. ``token``: the text for ``Authorization: Bearer``, a secret as long as it is valid."""

    token: str = field(repr=False)
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def key_id(self) -> str | None:
        """``kid``: SHA-256 of the signing key's SubjectPublicKeyInfo, 64 lower-case hex digits."""
        return _text(self.header.get("kid"))

    @property
    def device_uuid(self) -> str | None:
        """The device UUID in ``iss``, lower case."""
        return self._part("iss", 1)

    @property
    def firmware_uuid(self) -> str | None:
        """The UUID of the modem firmware's build in ``jti``, lower case."""
        return self._part("jti", 1)

    @property
    def chip(self) -> str | None:
        """The chip in ``iss``, such as ``nRF9160``."""
        issuer = _text(self.claims.get("iss"))
        return issuer.partition(".")[0] if issuer else None

    @property
    def expires_at(self) -> float | None:
        """``exp``, in seconds since the epoch; None for a token without an end."""
        return self.claims.get("exp")

    def signed_by(self, key: ec.EllipticCurvePublicKey) -> bool:
        """Tell whether ``key`` (P-256) signed the token."""
        signed, _, signature = self.token.rpartition(".")
        return verified(key, signed.encode(), _base64(signature))

    def verify(self, key: ec.EllipticCurvePublicKey, *, now: float | None = None) -> None:
        """Raise JwtMismatch unless ``key`` signed the token and ``kid``, where there is one, names this key.

        ``now``: seconds since the epoch; the token must be valid then, give or take :data:`LEEWAY`.
        """
        if not self.signed_by(key):
            raise _mismatch(f"the expected key did not make the signature (kid {self.key_id})")
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if self.key_id is not None and self.key_id.lower() != hashlib.sha256(spki).hexdigest():
            raise _mismatch(f"kid {self.key_id} names another key than the one that signed")
        if now is not None:
            self._check_times(now)

    def _check_times(self, now: float) -> None:
        issued, expires = self.claims.get("iat"), self.claims.get("exp")
        if issued is not None and issued > now + LEEWAY:
            raise JwtMismatch(
                f"AT%JWT: issued {issued - now:.0f} s ahead of this computer's clock: one of the two clocks is wrong, "
                "compare AT+CCLK? with date"
            )
        if expires is not None and expires < now - LEEWAY:
            raise JwtMismatch(
                f"AT%JWT: expired {now - expires:.0f} s ago by this computer's clock: ask for a new token, or compare "
                "AT+CCLK? with date if it is new"
            )

    def _part(self, claim: str, index: int) -> str | None:
        parts = (_text(self.claims.get(claim)) or "").split(".")
        return parts[index].lower() if len(parts) > index else None


def jwt_command(
    *, sec_tag: int | None, key_type: int, expires_in: int | None, subject: str | None, audience: str | None
) -> str:
    """Return the AT%JWT command for these parameters; None leaves one out. Raises Misuse.

    ``sec_tag``: None for the device identity key. ``key_type``: 2 client key, 8 endorsement key (nRF9160).

    ``expires_in``: seconds from now, 0 for no end. ``subject``, ``audience``: the claims sub and aud.
    """
    if key_type not in (_CLIENT_KEY, _ENDORSEMENT_KEY):
        raise Misuse(f"expected key_type 2 (client key) or 8 (endorsement key), got {key_type}")
    if expires_in is not None and not 0 <= expires_in < 2**32:
        raise Misuse(f"expected expires_in in seconds from now, 0 for a token without an end, got {expires_in}")
    for name, text in (("subject", subject), ("audience", audience)):
        if text is not None and not _TEXT.fullmatch(text):
            raise Misuse(f'expected printable ASCII without " as {name}, got {text!r}')
    fields = ["0", "" if expires_in is None else str(expires_in)]
    fields += ["" if text is None else f'"{text}"' for text in (subject, audience)]
    if sec_tag is not None:
        fields += [str(sec_tag), str(key_type)]
    while not fields[-1]:
        fields.pop()
    return "AT%JWT=" + ",".join(fields)


def parse_jwt(
    value: str, *, expires_in: int | None = None, subject: str | None = None, audience: str | None = None
) -> ModemJwt:
    """Return the token in ``value`` (what follows ``%JWT: ``, quotes or not); its signature is not checked here.

    ``expires_in``, ``subject``, ``audience``: checked when given, and not empty. Raises JwtMismatch.
    """
    found = _TOKEN.fullmatch(value.strip())
    if not found:
        raise _unreadable(f"expected three base64url parts with dots between, got {len(value)} other characters")
    try:
        header, claims = (_object(part) for part in found.groups()[:2])
        signature = _base64(found[3])
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"the token cannot be read ({error})") from error
    if header.get("alg") != "ES256":
        raise _mismatch(f"it is signed with {header.get('alg')!r}, not ES256")
    if len(signature) != SIGNATURE_SIZE:
        raise _mismatch(f"its signature has {len(signature)} bytes, not {SIGNATURE_SIZE}")
    for name, wanted in (("sub", subject), ("aud", audience)):
        if wanted and claims.get(name) != wanted:
            raise _mismatch(f"its {name} is {claims.get(name)!r}, but {wanted!r} was asked for")
    _check_lifetime(claims, expires_in)
    return ModemJwt(".".join(found.groups()), header, claims)


def _check_lifetime(claims: Mapping[str, Any], expires_in: int | None) -> None:
    issued, expires = claims.get("iat"), claims.get("exp")
    for name, value in (("iat", issued), ("exp", expires)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise _mismatch(f"its {name} is not a number")
    if expires_in and expires is None:
        raise _mismatch(f"it has no exp, but one in {expires_in} s was asked for")
    if expires_in and issued is not None and expires != issued + expires_in:
        raise _mismatch(f"it is valid for {expires - issued} s, but {expires_in} s were asked for")


def _object(part: str) -> dict[str, Any]:
    try:
        item = json.loads(_base64(part))
    except RecursionError as error:
        raise ValueError("JSON that is nested too deeply") from error
    if not isinstance(item, dict):
        raise ValueError("no JSON object")
    return item


def _base64(text: str) -> bytes:
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _mismatch(what: str) -> JwtMismatch:
    return JwtMismatch(f"AT%JWT: {what}: {_NEXT}")


def _unreadable(what: str) -> AtFormatError:
    return AtFormatError(f"AT%JWT: {what}: {LOST_BYTES}")
