"""The four ways to make a device's key and certificate. nRF Cloud documentation, device security, key generation."""

from enum import StrEnum


class KeyOrigin(StrEnum):
    """Where the private key is made."""

    DEVICE = "device"
    HOST = "host"
    CLOUD = "cloud"
    CLAIM = "claim"
    """On the device, as the provisioning service tells it: the board is claimed, and fetches its commands."""

    @property
    def on_device(self) -> bool:
        """The key was made on the device, and exists nowhere else."""
        return self in (KeyOrigin.DEVICE, KeyOrigin.CLAIM)

    @property
    def security(self) -> str:
        """The security level in words for reports: where the private key was exposed."""
        return _SECURITY[self]


_SECURITY = {
    KeyOrigin.DEVICE: "more secure: private key made on the device, never left it",
    KeyOrigin.HOST: "less secure: private key made on this computer, exposed in its memory and on the serial line",
    KeyOrigin.CLOUD: "less secure: private key made by nRF Cloud, exposed on the way through HTTPS, this computer's "
    "memory and the serial line",
    KeyOrigin.CLAIM: "more secure: private key made on the device, never left it; ordered by the provisioning service",
}
