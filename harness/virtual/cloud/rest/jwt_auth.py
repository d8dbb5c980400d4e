"""JWTs of devices and of the team's services: whose token it is, and whether it is valid. No I/O, no clock.

Facts: RFC 7515 and 7519 (base64url without padding; NumericDate claims); RFC 8725 §2.1 (the server, not the token,
chooses the algorithm); nRF Cloud documentation, "JWT authentication" (ES256 only; the public key of the onboarded
certificate, or the one registered for the device); nRF91 AT commands reference, %JWT (JSON padded with spaces, ``kid``,
``iss`` "<chip>.<device UUID>", times only when asked for); nRF Connect SDK, nRF Cloud library (``sub`` is the device
ID, needed unless that is the modem's UUID).

``aud`` of a service token is the team's ID (nRF Cloud Utils, create_proxy_jwt). A device's token with another team in
``aud`` is refused too.

UNCONFIRMED, chosen here: ``kid`` is ignored; a token without ``exp`` never expires, and ``exp`` may be as late as it
likes; clocks must agree exactly, and ``iat`` in the future is treated like ``nbf``; an empty ``sub`` counts as missing.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_ISSUER = re.compile(r"[^.]+\.([0-9a-f-]{36})")
_ALGORITHM = "ES256"


class InvalidToken(Exception):
    """The token does not authenticate a device. The message has nothing of the token."""


def is_jwt(credential: str) -> bool:
    """Tell whether a credential is a JWT; an API key has no dot."""
    return "." in credential


def verify(
    token: str,
    *,
    key_of: Callable[[str], ec.EllipticCurvePublicKey | None],
    now: datetime,
    audience: str | None = None,
) -> str:
    """Return the ID of the device that signed ``token``. Raises :class:`InvalidToken`.

    ``key_of``: returns the public key that is registered for a device ID, or None. ``now``: seconds since 1970.
    ``audience``: what ``aud`` must be if the token has one; None: anything.
    """
    claims = read_claims(token)
    if audience is not None and not audiences(claims) <= {audience}:
        raise InvalidToken("the token's aud names another team")
    device_id = _claimed_device(claims)
    key = key_of(device_id)
    if key is None:
        raise InvalidToken("no key is registered for the token's device")
    if not signed_by(token, key):
        raise InvalidToken("the token's signature is not that of its device")
    check_times(claims, now)
    return device_id


def read_claims(token: str) -> dict[str, Any]:
    """Return the claims of ``token``, unverified. Raises :class:`InvalidToken` unless it is an ES256 JWT."""
    if not _FORM.fullmatch(token):
        raise InvalidToken("the token does not consist of three base64url parts without padding")
    try:
        unverified = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, RecursionError) as error:
        raise InvalidToken("the token's header or claims are not JSON objects") from error
    if unverified["header"].get("alg") != _ALGORITHM:
        raise InvalidToken(f"the token's alg is not {_ALGORITHM}")
    claims: dict[str, Any] = unverified["payload"]
    return claims


def signed_by(token: str, key: ec.EllipticCurvePublicKey) -> bool:
    """Tell whether ``key`` made the signature."""
    try:
        jwt.PyJWS().decode_complete(token, key, algorithms=[_ALGORITHM])
    except jwt.InvalidTokenError:
        return False
    return True


def audiences(claims: Mapping[str, Any]) -> set[str]:
    """Return the texts in ``aud``, which is one or a list (RFC 7519 §4.1.3); none if it is missing or empty."""
    named = claims.get("aud") or []
    named = [named] if isinstance(named, str) else named
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise InvalidToken("the token's aud is neither a string nor a list of strings")
    return set(named)


def _claimed_device(claims: Mapping[str, Any]) -> str:
    subject, issuer = claims.get("sub"), claims.get("iss")
    if subject:
        if not isinstance(subject, str):
            raise InvalidToken("the token's sub is not a string")
        return subject
    named = _ISSUER.fullmatch(issuer) if isinstance(issuer, str) else None
    if named is None:
        raise InvalidToken("the token names no device: it has no sub, and no iss of the form <chip>.<device UUID>")
    return named[1]


def check_times(claims: Mapping[str, Any], at: datetime) -> None:
    """Raise :class:`InvalidToken` if the token is not valid at the moment ``at``."""
    now = at.timestamp()
    for name in ("exp", "nbf", "iat"):
        moment = claims.get(name, now)
        if isinstance(moment, bool) or not isinstance(moment, int | float) or not -math.inf < moment < math.inf:
            raise InvalidToken(f"the token's {name} is not a number")
    if "exp" in claims and claims["exp"] <= now:
        raise InvalidToken("the token has expired")
    if max(claims.get("nbf", now), claims.get("iat", now)) > now:
        raise InvalidToken("the token is not valid yet")
