"""Several boards at once: written in parallel, registered by one bulk onboarding (``POST /devices``) per cloud."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from harness.cloud import OnboardRow
from harness.credentials import KeyOrigin
from harness.errors import HarnessError, Party, Refusal
from harness.run.cloud import Cloud
from harness.run.cloud_device import CloudDevice
from harness.run.onboarding import Onboarded, WrittenCredentials, confirmed, make_room

BulkResult = Onboarded | HarnessError


class RowRefused(Refusal):
    """The bulk onboarding was carried out, and refused the row of this device."""

    party = Party.CLOUD


def onboard_together(devices: Sequence[CloudDevice]) -> list[BulkResult]:
    """Provision the boards of ``devices``, and return for each, in their order, the onboarded device or an error.

    An error of one board does not stop the others. Just-in-time provisioning has no bulk operation: such boards go
    through it side by side.
    """
    clouds = {id(device.cloud): device.cloud for device in devices}
    for cloud in clouds.values():
        _ = cloud.account  # opened here: the boards share it, and each of them would open one of its own
    with ThreadPoolExecutor(len(devices)) as pool:
        first = list(pool.map(_begin, devices))
        refused: dict[int, HarnessError] = {}
        for cloud in clouds.values():
            waiting = [
                (index, step)
                for index, step in enumerate(first)
                if isinstance(step, WrittenCredentials) and not step.complete and devices[index].cloud is cloud
            ]
            if waiting:
                refused |= _register(cloud, waiting)
        return list(pool.map(lambda index: _end(devices[index], first[index], refused.get(index)), range(len(devices))))


def _begin(device: CloudDevice) -> WrittenCredentials | BulkResult:
    try:
        return device.onboarded if device.key_origin is KeyOrigin.CLOUD else device.write_credentials()
    except HarnessError as error:
        return error


def _register(cloud: Cloud, waiting: Sequence[tuple[int, WrittenCredentials]]) -> dict[int, HarnessError]:
    """Onboard the devices of one cloud; return what went wrong by the board's index."""
    try:
        for _, written in waiting:
            make_room(written, cloud)
        rows = [OnboardRow(written.made.device_id, written.made.certificate_pem) for _, written in waiting]
        result = cloud.api.wait_bulk(cloud.api.onboard_devices(rows))
    except HarnessError as error:
        return {index: error for index, _ in waiting}
    refused: dict[int, HarnessError] = {}
    for row, (index, written) in enumerate(waiting):
        said = result.errors.get(row, result.errors.get(-1))
        if said is not None:
            device_id = written.made.device_id
            refused[index] = RowRefused(
                f"bulk onboarding {result.bulk_id} refused row {row}, device {device_id}: {said}; correct that row"
            )
    return refused


def _end(device: CloudDevice, step: WrittenCredentials | BulkResult, refused: HarnessError | None) -> BulkResult:
    if not isinstance(step, WrittenCredentials):
        return step
    try:
        with confirmed(step.made):
            if refused is not None:
                raise refused
            device.cloud.api.wait_device(step.made.device_id)
    except HarnessError as error:
        return error
    onboarded = Onboarded(step.made)
    device.take(onboarded)
    return onboarded
