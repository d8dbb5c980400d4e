"""REST with a device's JWT: calls that nRF Cloud must grant, and tokens that it must refuse.

The device page ties authorisation to the token's signature and to the device's kind: location services take the token
of any registered key, the firmware update service only that of a device that was provisioned with a certificate.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from harness.credentials import make_device_jwt
from harness.trial import Outcome, nonce

DAY = 24 * 3600


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _by_hand(header: dict, claims: dict, signature: bytes) -> str:
    """A token that no library would make. ``signature``: any bytes."""
    return ".".join(
        [_base64url(json.dumps(header).encode()), _base64url(json.dumps(claims).encode()), _base64url(signature)]
    )


def _claims(device_id: str, **changes) -> dict:
    now = int(time.time())
    return {"sub": device_id, "iat": now, "exp": now + 600, **changes}


class TestModemsToken:
    """Tokens that the modem signs (AT%JWT) with the key that it made."""

    @pytest.fixture
    def token(self, modem, provisioned, board):
        return modem.jwt(sec_tag=provisioned.credentials.sec_tag, subject=provisioned.device_id).token

    def test_own_record(self, rest_trial, device_api, provisioned, token):
        action = "read the own record with the modem's token"
        rest_trial.call(action, lambda: device_api.device(provisioned.device_id, token), control=None).expect(
            Outcome.AUTHORISED
        )

    def test_own_state(self, rest_trial, device_api, provisioned, token):
        reported = {"harness": {"token": nonce()}}
        action = "change the own reported state with the modem's token"
        call = lambda: device_api.update_state(provisioned.device_id, token, reported)  # noqa: E731
        rest_trial.call(action, call, control=None).expect(Outcome.AUTHORISED)

    def test_firmware_updates(self, rest_trial, device_api, provisioned, token):
        action = "ask for the pending firmware update with the modem's token"
        rest_trial.call(action, lambda: device_api.current_fota_job(provisioned.device_id, token), control=None).expect(
            Outcome.AUTHORISED
        )

    def test_location(self, rest_trial, device_api, provisioned, token):
        action = "ask for a location with the modem's token"
        rest_trial.call(action, lambda: device_api.ground_fix(token), control=None).expect(Outcome.AUTHORISED)

    def test_signature_is_that_of_the_registered_key(self, modem, provisioned, evidence):
        token = modem.jwt(sec_tag=provisioned.credentials.sec_tag, subject=provisioned.device_id)
        token.verify(provisioned.credentials.certificate.public_key())
        evidence("AT%JWT's token is signed by the key of the certificate that nRF Cloud has registered.")

    def test_record_of_another_device(self, rest_trial, device_api, provisioned, bystander, token):
        rest_trial.call(
            "read another device's record with the own token",
            lambda: device_api.device(bystander.device_id, token),
            control=lambda: device_api.device(provisioned.device_id, token),
        ).expect(Outcome.DENIED)

    def test_firmware_updates_of_another_device(self, rest_trial, device_api, provisioned, bystander, token):
        rest_trial.call(
            "ask for another device's firmware update with the own token",
            lambda: device_api.current_fota_job(bystander.device_id, token),
            control=lambda: device_api.current_fota_job(provisioned.device_id, token),
        ).expect(Outcome.DENIED)

    def test_tampered_claims(self, rest_trial, device_api, provisioned, bystander, token):
        header, _, signature = token.split(".")
        forged = ".".join([header, _base64url(json.dumps(_claims(bystander.device_id)).encode()), signature])
        rest_trial.call(
            "present the modem's signature under the claims of another device",
            lambda: device_api.device(bystander.device_id, forged),
            control=lambda: device_api.device(provisioned.device_id, token),
        ).expect(Outcome.DENIED)


class TestFaultyTokens:
    """Tokens for a device whose key this computer has, each wrong in one way."""

    @pytest.fixture
    def refused(self, rest_trial, device_api, bystander):
        """Present a token for the bystander's record, between two calls with the right one."""
        right = make_device_jwt(bystander.key, bystander.device_id)

        def check(action: str, token: str | None) -> None:
            rest_trial.call(
                action,
                lambda: device_api.device(bystander.device_id, token),
                control=lambda: device_api.device(bystander.device_id, right),
            ).expect(Outcome.DENIED)

        return check

    def test_no_token(self, refused):
        refused("present no token", None)

    def test_wrong_key(self, refused, bystander):
        stranger = ec.generate_private_key(ec.SECP256R1())
        refused("present a token of a key that is not registered", make_device_jwt(stranger, bystander.device_id))

    def test_expired(self, refused, bystander):
        refused(
            "present a token that expired an hour ago",
            make_device_jwt(bystander.key, bystander.device_id, now=time.time() - 2 * 3600, expires_in=3600),
        )

    def test_not_yet_valid(self, refused, bystander):
        claims = {"nbf": int(time.time()) + DAY}
        refused(
            "present a token that is valid from tomorrow on",
            make_device_jwt(bystander.key, bystander.device_id, claims=claims),
        )

    def test_unknown_device(self, refused, bystander):
        refused("present a token that names an unknown device", make_device_jwt(bystander.key, f"nobody-{nonce()}"))

    def test_algorithm_none(self, refused, bystander):
        refused("present an unsigned token", jwt.encode(_claims(bystander.device_id), "", algorithm="none"))

    def test_algorithm_rs256(self, refused, bystander):
        key = rsa.generate_private_key(65537, 2048)
        refused("present an RS256 token", jwt.encode(_claims(bystander.device_id), key, algorithm="RS256"))

    def test_algorithm_hs256_with_the_public_key(self, refused, bystander):
        """The classic confusion: the public key, which everybody has, as the secret of an HMAC."""
        public = bystander.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        unsigned = _by_hand({"alg": "HS256", "typ": "JWT"}, _claims(bystander.device_id), b"").rstrip(".")
        signature = hmac.new(public, unsigned.encode(), hashlib.sha256).digest()
        refused("present an HS256 token made with the public key", f"{unsigned}.{_base64url(signature)}")

    def test_tampered_claims(self, refused, bystander, provisioned):
        header, _, signature = make_device_jwt(bystander.key, bystander.device_id).split(".")
        claims = _base64url(json.dumps(_claims(bystander.device_id, exp=int(time.time()) + 30 * DAY)).encode())
        refused("present a token whose life was prolonged by hand", f"{header}.{claims}.{signature}")

    def test_no_token_at_all(self, refused):
        refused("present a text that is not a token", "not-a-token")


class TestRegisteredKeyOnly:
    """A device of which nRF Cloud knows only a public key."""

    def test_location_is_granted(self, rest_trial, device_api, key_only):
        token = make_device_jwt(key_only.key, key_only.device_id)
        action = "ask for a location as a device with a registered key only"
        rest_trial.call(action, lambda: device_api.ground_fix(token), control=None).expect(Outcome.AUTHORISED)

    def test_firmware_updates_are_refused(self, rest_trial, device_api, key_only):
        token = make_device_jwt(key_only.key, key_only.device_id)
        rest_trial.call(
            "ask for a firmware update as a device with a registered key only",
            lambda: device_api.current_fota_job(key_only.device_id, token),
            control=lambda: device_api.ground_fix(token),
        ).expect(Outcome.DENIED)
