"""What a device is in its team, changed for a test: outside every team, a member, a gateway.

Rights follow from the next connection on, so whoever changes the standing ends the connection.
"""

from harness.bench.onboarding import Onboarded
from harness.cloud import HARNESS_TAG, NrfCloud
from harness.policy.subject import Kind

_GATEWAY = f"{HARNESS_TAG}-gateway"  # nRF Cloud makes a gateway of every sub type that has this word in it


def change_standing(api: NrfCloud, onboarded: Onboarded, before: Kind, after: Kind) -> None:
    """Bring the device from one standing (provisioned, associated, gateway) to another. Raises RestError.

    A device that came with its own certificate has no ownership code for PUT /association: it comes back by being
    onboarded again. UNCONFIRMED that nRF Cloud takes it back so.
    """
    credentials, code = onboarded.credentials, onboarded.ownership_code
    if before is not Kind.PROVISIONED:
        api.dissociate(credentials.device_id)
    if after is Kind.PROVISIONED:
        return
    if code is not None:
        api.associate(credentials.device_id, code, sub_type=_GATEWAY if after is Kind.GATEWAY else HARNESS_TAG)
    else:
        sub_type = _GATEWAY if after is Kind.GATEWAY else ""
        api.onboard_device(credentials.device_id, credentials.certificate_pem, sub_type)
    api.wait_device(credentials.device_id)
