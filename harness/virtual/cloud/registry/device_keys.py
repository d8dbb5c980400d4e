"""The public key that verifies a device's JWTs: one for each device, always the latest.

Facts: nRF Cloud documentation, "JWT authentication"; REST API, RegisterPublicKeys (also for devices that are not
onboarded, or in place of the onboarded certificate's key); "Device security" (the certificate itself, and with it
its state and its validity, plays no part in REST calls).
"""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec

from harness.virtual.cloud.registry.onboarding import DeviceCertificate, load_public_key


class DeviceKeys:
    """The keys that were registered alone, and the keys in certificates.

    ``certificate_of``: returns the certificate of a device, or None if it has none or is not the team's. ``changed``:
    called with the ID of each device whose registered key changes.
    """

    def __init__(
        self, certificate_of: Callable[[str], DeviceCertificate | None], changed: Callable[[str], object]
    ) -> None:
        self._certificate_of = certificate_of
        self._changed = changed
        self._registered: dict[str, str] = {}

    def register(self, device_id: str, pem: str) -> None:
        """Register the public key ``pem`` in place of the former key. Raises InvalidUpload if it is not on P-256."""
        load_public_key(pem)
        self._registered[device_id] = pem
        self._changed(device_id)

    def forget(self, device_id: str) -> None:
        """Forget the key that was registered alone. From now on the certificate's key counts, if there is one."""
        if self._registered.pop(device_id, None):
            self._changed(device_id)

    def registered(self, device_id: str) -> str | None:
        """Return the key (PEM) that was registered alone, or None."""
        return self._registered.get(device_id)

    def find(self, device_id: str) -> ec.EllipticCurvePublicKey | None:
        """Return the key that verifies the device's tokens, or None."""
        pem = self._registered.get(device_id)
        if pem is None:
            certificate = self._certificate_of(device_id)
            pem = certificate.pem if certificate else None
        return load_public_key(pem) if pem is not None else None
