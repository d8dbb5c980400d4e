"""A device's membership: outside every team, a member, a gateway. It is read from the cloud, and changed for a test.

Rights follow from the next connection on, so whoever changes the membership ends the connection.
"""

from dataclasses import replace

from harness.cloud import HARNESS_GATEWAY, HARNESS_TAG, NrfCloud, RestError
from harness.credentials import KeyOrigin
from harness.errors import HarnessError, LabError
from harness.policy.evaluation.membership import Membership
from harness.run.cloud import Cloud
from harness.run.onboarding import Onboarded


class WrongMembership(LabError):
    """The device did not get the membership that a test needs, so nothing can be proved with it."""


class DeviceMembership:
    """The membership of one board's device. It needs the cloud alone, so it outlives the board's port.

    ``name``: the board's.
    """

    def __init__(self, name: str, cloud: Cloud) -> None:
        self._name = name
        self._cloud = cloud
        self._device: Onboarded | None = None
        self._known: Membership | None = None  # None: ask the cloud

    def take(self, device: Onboarded) -> Onboarded:
        """Take note of how the board was onboarded; return it with the ownership code, if this run had it before."""
        former = self._device
        if former is not None and former.credentials.written_pem == device.credentials.written_pem:
            device = replace(device, ownership_code=device.ownership_code or former.ownership_code)
        self._device, self._known = device, None
        return device

    @property
    def now(self) -> Membership:
        """The membership now; the cloud is asked if it is not known. Only after :meth:`take`."""
        if self._known is None:
            self._known = self._cloud.membership(self._taken.credentials.device_id)
        return self._known

    def cannot_be(self, membership: Membership) -> str | None:
        """Return why the device must not be made this, or None. Every change leads out of the team and back."""
        device = self._taken
        if (
            device.credentials.key_origin is not KeyOrigin.CLOUD
            or device.ownership_code is not None
            or self.now is membership
        ):
            return None
        return (
            f"device {device.credentials.device_id} must stay {self.now}: only the run that made its credentials knew"
            " the ownership code that brings it back into its team; --reprovision makes new ones"
        )

    def change(self, membership: Membership) -> None:
        """Give the device this membership, unless it has it. Raises LabError; then the cloud is asked for it again."""
        device, before = self._taken, self.now
        if before is membership:
            return
        reason = self.cannot_be(membership)
        if reason is not None:
            raise WrongMembership(f"{self._name}: {reason}")
        self._known = None  # until every step is done
        try:
            change_membership(self._cloud.api, device, before, membership)
        except RestError as error:
            device_id = device.credentials.device_id
            raise WrongMembership(
                f"{self._name}: {device_id} was {before} and did not become {membership}: {error}"
            ) from error
        self._known = membership

    def restore(self) -> None:
        """Bring a device of which this run knows back to an ordinary member of its team. Raises LabError."""
        if self._device is not None:
            self.change(Membership.ASSOCIATED)

    def close(self) -> list[str]:
        """Do the same at the end. Returns a line if that failed."""
        try:
            self.restore()
        except HarnessError as error:
            device_id = self._taken.credentials.device_id
            return [f"{self._name}: {device_id} may not be an ordinary member of its team again: {error}"]
        return []

    @property
    def _taken(self) -> Onboarded:
        if self._device is None:
            raise WrongMembership(f"{self._name}: the board was not onboarded yet, so its device has no membership")
        return self._device


def change_membership(api: NrfCloud, onboarded: Onboarded, before: Membership, after: Membership) -> None:
    """Bring the device from one membership (provisioned, associated, gateway) to another. Raises RestError.

    A device that came with its own certificate has no ownership code for PUT /association: it comes back by being
    onboarded again. UNCONFIRMED that nRF Cloud takes it back so.

    ``api``: the cloud's. ``onboarded``: the device. ``before``, ``after``: its memberships.
    """
    credentials, code = onboarded.credentials, onboarded.ownership_code
    if before is not Membership.PROVISIONED:
        api.dissociate(credentials.device_id)
    if after is Membership.PROVISIONED:
        return
    if code is not None:
        api.associate(
            credentials.device_id, code, sub_type=HARNESS_GATEWAY if after is Membership.GATEWAY else HARNESS_TAG
        )
    else:
        sub_type = HARNESS_GATEWAY if after is Membership.GATEWAY else ""
        api.onboard_device(credentials.device_id, credentials.certificate_pem, sub_type)
    api.wait_device(credentials.device_id)
