"""The three ways to make a device's key and certificate. nRF Cloud documentation, device security, key generation."""

from enum import StrEnum


class KeyOrigin(StrEnum):
    """Where the private key is made."""

    DEVICE = "device"
    HOST = "host"
    CLOUD = "cloud"

    @property
    def security(self) -> str:
        """The security level in words for reports: where the private key was exposed."""
        return _SECURITY[self]


_SECURITY = {
    KeyOrigin.DEVICE: "more secure: private key made on the device, never left it",
    KeyOrigin.HOST: "less secure: private key made on this computer, exposed in its memory and on the serial line",
    KeyOrigin.CLOUD: "less secure: private key made by nRF Cloud, exposed on the way through HTTPS, this computer's "
    "memory and the serial line",
}
