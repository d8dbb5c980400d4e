"""%JWT: tokens signed with the device identity key or with a client key.

Sources: "nRF9160 AT Commands" and "nRF91x1 AT Commands" references, %JWT; a published token of a board (members, kid,
padding); RFC 7515 (compact form), RFC 7518 §3.4 (ES256).
"""

import base64
import hashlib
import json
import os

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from harness.virtual.board.commands import Args, Commands, Forms, Refused, Reply
from harness.virtual.board.modem.codes import INCORRECT_PARAMETERS, JWT_FAILED, NO_ACCESS, NOT_FOUND
from harness.virtual.board.modem.credentials import writable_tag
from harness.virtual.board.modem.nvm import Credential
from harness.virtual.board.modem.state import State

ES256 = 0


class JwtCommands:
    """%JWT. Every parameter may be left out. Undocumented: whether the bare command is taken; here it is."""

    def __init__(self, state: State) -> None:
        self._state = state

    def commands(self) -> Commands:
        """Return this group's commands by name."""
        return {"%JWT": Forms(run=lambda: self._jwt(Args()), set=self._jwt)}

    def _jwt(self, args: Args) -> Reply:
        algorithm, lifetime = args.at_most(6).number(0, ES256), args.number(1, 0)
        subject, audience = _utf8(args.string(2, "")), _utf8(args.string(3, ""))
        if algorithm != ES256 or lifetime < 0 or args.given(4) != args.given(5):
            raise Refused(INCORRECT_PARAMETERS)
        key = self._key(args.number(4), args.number(5)) if args.given(4) else self._state.nvm.identity_key
        claims = self._claims(subject, audience)
        if lifetime:
            # The code for an unknown time is not documented.
            clock = self._state.clock
            if clock is None:
                raise Refused(JWT_FAILED)
            issued = int(clock.timestamp())
            claims |= {"iat": issued, "exp": issued + lifetime}
        return f'%JWT: "{_sign(key, claims)}"'

    def _claims(self, subject: str, audience: str) -> dict[str, str | int]:
        # The place of the optional members and the chip's name on nRF91x1 are not known, so nobody may rely on them.
        kind, device_uuid = self._state.personality, self._state.nvm.identity.device_uuid
        claims: dict[str, str | int] = {
            "iss": f"{kind.chip}.{device_uuid}",
            "jti": f"{kind.chip}.{kind.modem_uuid}.{os.urandom(16).hex()}",
            "sub": subject or str(device_uuid),
        }
        if audience:
            claims["aud"] = audience
        return claims

    def _key(self, sec_tag: int, kind: int) -> ec.EllipticCurvePrivateKey:
        if not writable_tag(sec_tag, nrf91x1=self._state.personality.nrf91x1):
            raise Refused(NO_ACCESS)
        if kind not in self._state.personality.jwt_key_types:
            raise Refused(INCORRECT_PARAMETERS)
        stored = self._state.nvm.credentials.get((sec_tag, kind))
        if stored is None:
            raise Refused(NOT_FOUND)
        return _load(stored)


def _load(stored: Credential) -> ec.EllipticCurvePrivateKey:
    load = serialization.load_der_private_key if stored.generated else serialization.load_pem_private_key
    try:
        key = load(stored.content, password=stored.password or None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Refused(JWT_FAILED) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Refused(JWT_FAILED)
    return key


def _sign(key: ec.EllipticCurvePrivateKey, claims: dict[str, str | int]) -> str:
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    header = {"typ": "JWT", "alg": "ES256", "kid": hashlib.sha256(public).hexdigest()}
    signed = f"{_part(header)}.{_part(claims)}"
    r, s = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    signature = base64.urlsafe_b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).rstrip(b"=").decode()
    return f"{signed}.{signature}"


def _part(members: dict[str, str] | dict[str, str | int]) -> str:
    """JSON, filled with blanks so that base64 needs no padding, as the modem does."""
    text = json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(text + b" " * (-len(text) % 3)).decode()


def _utf8(text: str) -> str:
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:
        raise Refused(INCORRECT_PARAMETERS) from None
