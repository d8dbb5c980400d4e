"""The team's own tokens for location services, made with the team's service key, or by nRF Cloud for evaluation.

Facts: nRF Cloud REST API, GenerateServiceKeyAndToken (the private key is in that answer alone; the token holds for a
year), GetServiceToken, GenerateServiceEvaluationToken (30 days); nRF Cloud Utils, create_proxy_jwt (ES256, ``aud`` is
the team's ID, ``sub`` a device or absent). UNCONFIRMED, chosen here: a new service key ends the former one's tokens.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

_YEAR, _TRIAL = timedelta(days=365), timedelta(days=30)


@dataclass(frozen=True)
class ServiceToken:
    """A token, with the public key that verifies it."""

    token: str = field(repr=False)
    key: ec.EllipticCurvePublicKey = field(repr=False)
    made_at: datetime
    expires: datetime


class ServiceTokens:
    """The tokens of one team, which end with the process. ``service``, ``evaluation``: the newest of each kind."""

    def __init__(self, tenant_id: str, now: Callable[[], datetime]) -> None:
        self.tenant_id = tenant_id
        self._now = now
        self.service: ServiceToken | None = None
        self.evaluation: ServiceToken | None = None

    def make_service(self) -> tuple[str, ServiceToken]:
        """Make a new service key; return the private key (PEM) and a token made with it."""
        key = ec.generate_private_key(ec.SECP256R1())
        self.service = self._make(key, _YEAR)
        form = serialization.PrivateFormat.PKCS8
        pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
        return pem, self.service

    def make_evaluation(self) -> ServiceToken:
        """Make an evaluation token."""
        self.evaluation = self._make(ec.generate_private_key(ec.SECP256R1()), _TRIAL)
        return self.evaluation

    def _make(self, key: ec.EllipticCurvePrivateKey, lifetime: timedelta) -> ServiceToken:
        now = self._now()
        expires = now + lifetime
        claims = {"aud": self.tenant_id, "exp": int(expires.timestamp())}
        return ServiceToken(jwt.encode(claims, key, algorithm="ES256"), key.public_key(), now, expires)
