"""Which public key a device's JWTs are verified with: one per device, and the one that came last.

Facts: nRF Cloud documentation, "JWT authentication"; REST API, RegisterPublicKeys (also for devices that are not
onboarded, or in place of the onboarded certificate's key); "Device security" (the certificate itself, and with it
its state and its validity, plays no part in REST calls).
"""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec

from harness.virtual.cloud.registry.onboarding import DeviceCertificate, load_public_key


class DeviceKeys:
    """The keys registered by themselves, and with them the keys in certificates.

    ``certificate_of``: gives the certificate of a device, None when it has none or is not the team's. ``changed``:
    called with the ID of each device whose registered key was changed.
    """

    def __init__(
        self, certificate_of: Callable[[str], DeviceCertificate | None], changed: Callable[[str], object]
    ) -> None:
        self._certificate_of = certificate_of
        self._changed = changed
        self._registered: dict[str, str] = {}

    def register(self, device_id: str, pem: str) -> None:
        """Register the public key ``pem``, which replaces whatever was valid; InvalidUpload when it is not on P-256."""
        load_public_key(pem)
        self._registered[device_id] = pem
        self._changed(device_id)

    def forget(self, device_id: str) -> None:
        """Drop the key registered by itself: from now on the certificate's counts, if there is one."""
        if self._registered.pop(device_id, None):
            self._changed(device_id)

    def registered(self, device_id: str) -> str | None:
        """Return the key (PEM) that was registered by itself."""
        return self._registered.get(device_id)

    def find(self, device_id: str) -> ec.EllipticCurvePublicKey | None:
        """Return the key that verifies the device's tokens, None when there is none."""
        pem = self._registered.get(device_id)
        if pem is None:
            certificate = self._certificate_of(device_id)
            pem = certificate.pem if certificate else None
        return load_public_key(pem) if pem is not None else None
