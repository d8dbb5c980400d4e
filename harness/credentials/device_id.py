"""The device id: MQTT client id, name of the thing, and CN of the certificate, one and the same for nRF Cloud."""

import re

from harness.errors import Misuse

_DEVICE_ID = re.compile(r"[a-zA-Z0-9:_-]{1,64}")


def check_device_id(device_id: str) -> None:
    """Raise Misuse unless ``device_id`` can name a device everywhere.

    nRF Cloud would take 128 characters; the SDK's nRF Cloud library and a certificate's CN (RFC 5280 appendix A.1,
    ub-common-name) hold 64.
    """
    if not _DEVICE_ID.fullmatch(device_id):
        raise Misuse(
            f"device id {device_id!r}: 1 to 64 of a-z, A-Z, 0-9, colon, underscore and hyphen expected: "
            "change it in the boards file"
        )
