"""Tokens that this computer signs for a device, for keys that were made in software.

Facts: nRF Cloud documentation, JWT authentication: ES256, the device id in ``sub``.
"""

import time
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from harness.credentials.device_id import check_device_id
from harness.credentials.pem import read_private_key
from harness.errors import LabError, Misuse

_NO_EARLIER = 1735689600  # 2025-01-01: a clock before that was never set
_LONGEST = 7 * 24 * 3600  # the nRF Cloud library's own limit


def make_device_jwt(
    key: ec.EllipticCurvePrivateKey | str,
    device_id: str,
    expires_in: int = 600,
    *,
    now: float | None = None,
    claims: Mapping[str, Any] | None = None,
) -> str:
    """Return a token for nRF Cloud's REST API, a secret as long as it is valid.

    ``key``: EC P-256, or its PEM. ``device_id``: the claim ``sub``. ``expires_in``: seconds; 0 for a token without
    ``iat`` and ``exp``. ``now``: seconds since the epoch. ``claims``: added or replaced. The last two are for tokens
    that are meant to be refused. Raises Misuse; LabError if this computer's clock was never set.
    """
    check_device_id(device_id)
    if not 0 <= expires_in <= _LONGEST:
        raise Misuse(f"JWT for {device_id}: expires_in {expires_in}: 0 to {_LONGEST} seconds expected")
    payload: dict[str, Any] = {"sub": device_id}
    if expires_in:
        issued = int(_clock() if now is None else now)
        payload |= {"iat": issued, "exp": issued + expires_in}
    return jwt.encode(payload | dict(claims or {}), _p256(key, device_id), algorithm="ES256")


def _clock() -> float:
    now = time.time()
    if now < _NO_EARLIER:
        raise LabError(
            f"this computer's clock says {time.strftime('%Y-%m-%d', time.gmtime(now))}: set it, nRF Cloud takes no "
            "token from another time"
        )
    return now


def _p256(key: ec.EllipticCurvePrivateKey | str, device_id: str) -> ec.EllipticCurvePrivateKey:
    loaded: object = key
    if isinstance(key, str):
        try:
            loaded = read_private_key(key)
        except ValueError as error:
            raise Misuse(f"JWT for {device_id}: its key: {error}: give the device's own EC key in PEM") from error
    if not isinstance(loaded, ec.EllipticCurvePrivateKey) or not isinstance(loaded.curve, ec.SECP256R1):
        raise Misuse(f"JWT for {device_id}: the key is not on P-256, and nRF Cloud takes ES256 only: make a new key")
    return loaded
