"""From a board to a device of the team: credentials on the board, the device in the account, associated.

Device and host keys: preconnect, the certificate is registered by ``POST /devices/{id}`` and the device is there at
once. Claimed boards: the same, once they have carried out what the provisioning service told them. Keys made by nRF
Cloud: just-in-time provisioning (JITP); the cloud makes the device when its certificate first shows up, drops the
connection meanwhile, and has to be asked for the association. nRF Cloud documentation, "Device authentication and
provisioning"; nRF Cloud REST API reference, CreateDeviceCertificate and AssociateDevice.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from harness.cloud import CertificateSet
from harness.credentials import KeyOrigin, Provisioning, ProvisionRequest, provision
from harness.errors import HarnessError
from harness.firmware import Capability, Login
from harness.policy.evaluation.membership import Membership
from harness.run.claiming import Claiming
from harness.run.cloud import Cloud
from harness.run.jitp import by_https, by_mqtt
from harness.run.open_board import OpenBoard
from harness.run.repetition import Rounds

_ROUNDS_LOCAL = Rounds(most=40, gap=0.25, deadline=20.0)
_ROUNDS_PUBLIC = Rounds(most=24, gap=5.0, deadline=180.0)  # nRF Cloud documentation: about 30 s, several connections


@dataclass(frozen=True, slots=True)
class Onboarded:
    """A board that is a device of the team. ``attempts``: connections that JITP took, 0 without JITP.

    ``ownership_code``: by it nRF Cloud associates a JITP device; None for a device with its own certificate, or if an
    earlier run had the code.
    """

    credentials: Provisioning
    attempts: int = 0
    ownership_code: str | None = None


@dataclass(frozen=True, slots=True)
class WrittenCredentials:
    """Credentials of the board that the account has to learn of. ``known``: it has a device of this id from before."""

    made: Provisioning
    known: bool

    @property
    def complete(self) -> bool:
        """True if nothing was written and the device is there: the account has its certificate already."""
        return self.made.kept and self.known


def onboard(
    board: OpenBoard, cloud: Cloud, request: ProvisionRequest, login: Callable[[int], Login], *, patience: float
) -> Onboarded:
    """Provision ``board`` as ``request`` says, and make it a device of ``cloud``.

    ``login``: returns the MQTT login with the credentials of a sec_tag. ``patience``: seconds that one answer of the
    cloud may take.

    Valid credentials are kept, and the account is only completed by what is missing there. New credentials replace the
    former ones for good once the cloud has taken them. Raises NotOurs before anything is changed, Refusal, LabError.
    """
    if request.key_origin is KeyOrigin.CLOUD:
        return _just_in_time(board, cloud, request, login, patience=patience)
    written = write(board, cloud, request)
    with confirmed(written.made):
        if not written.complete:
            request.progress(f"onboarding {request.device_id} by POST /devices")
            make_room(written, cloud)
            cloud.api.onboard_device(request.device_id, written.made.certificate_pem)
            cloud.api.wait_device(request.device_id)
    return Onboarded(written.made)


def write(board: OpenBoard, cloud: Cloud, request: ProvisionRequest) -> WrittenCredentials:
    """Do the board's part of a preconnect: credentials written, or found valid.

    ``board``, ``cloud``, ``request``: see :func:`onboard`.
    """
    found = cloud.recognise(request.device_id)
    over_the_air = Claiming(board, cloud, request) if request.key_origin is KeyOrigin.CLAIM else None
    return WrittenCredentials(provision(board.modem, request, over_the_air=over_the_air), known=found is not None)


def make_room(written: WrittenCredentials, cloud: Cloud) -> None:
    """Delete the device of the former certificate."""
    if written.known:
        cloud.api.delete_device(written.made.device_id)


@contextmanager
def confirmed(made: Provisioning) -> Iterator[None]:
    """Confirm new credentials when the block ends well; else return to the former ones, where they are still there."""
    try:
        yield
    except BaseException as first:
        try:
            made.rollback()
        except HarnessError as second:
            first.add_note(f"returning to the former credentials failed afterwards: {second}")
        raise
    made.commit()


def _just_in_time(
    board: OpenBoard,
    cloud: Cloud,
    request: ProvisionRequest,
    login: Callable[[int], Login],
    *,
    patience: float,
) -> Onboarded:
    found, progress = cloud.recognise(request.device_id), request.progress
    code = secrets.token_hex(8)
    sets: list[CertificateSet] = []

    def cloud_keys(device_id: str) -> CertificateSet:
        if found is not None:
            cloud.api.delete_device(device_id)
        sets.append(cloud.api.create_device_certificate(device_id, code))
        return sets[-1]

    if found is not Membership.ASSOCIATED and not request.renew:
        # The ownership code is gone with the run that made it: the device that may be there cannot be associated.
        what = "nRF Cloud does not have" if found is None else f"an earlier run left as a {found}"
        progress(f"{what} {request.device_id}: keys are made for it")
        request = replace(request, renew=True)
    made = provision(board.modem, request, cloud_keys=cloud_keys)
    if made.kept:
        return Onboarded(made)
    rounds = _ROUNDS_PUBLIC if cloud.endpoints.public else _ROUNDS_LOCAL
    with confirmed(made):
        if board.firmware.lacks(Capability.MQTT):
            attempts = by_https(cloud, sets[-1], code, rounds, progress)
        else:
            attempts = by_mqtt(board, cloud, login(made.sec_tag), code, rounds, progress, patience)
    return Onboarded(made, attempts, code)
