"""Firmware updates as an account makes them: bundles and jobs. nRF Cloud REST API reference (openapi.json)."""

import base64
import secrets
from collections.abc import Callable, Collection, Mapping
from typing import Any

from harness.cloud.account_rest import AccountRest, path_of, read_object
from harness.cloud.created_things import CreatedThings, Note, no_note
from harness.cloud.refusals import NotOurs


class FirmwareUpdates:
    """The firmware bundles and update jobs of one account; reached as ``NrfCloud.updates``.

    It deletes only what it made. ``rest``: the calls. ``note``: see NrfCloud. ``check_ours``: called with a device id
    and what is to be done to the device; raises NotOurs if the device is not the harness's. Calls raise RestError and
    CloudUnreachable like those of NrfCloud.
    """

    def __init__(self, rest: AccountRest, check_ours: Callable[[str, str], None], note: Note = no_note) -> None:
        self.made_jobs = CreatedThings("job", note)
        self._offering = CreatedThings("offer", note)  # names of jobs, until the job's id is known
        self.made_bundles = CreatedThings("bundle", note)
        self._uploading = CreatedThings("upload", note)  # versions, until the bundle's id is known
        self._rest = rest
        self._check_ours = check_ours

    def upload_bundle(self, archive: bytes, version: str, *, timeout: float = 60.0) -> str:
        """Upload a firmware bundle (a zip with its manifest.json) and return its id.

        ``archive``: the zip file. ``version``: the one in its manifest, by which the account's bundle is found.
        ``timeout``: seconds until the account lists the bundle. Raises NotOurs if the account has a bundle of this
        version already.
        """
        if self._find_bundle(version) is not None:
            raise NotOurs(f"a firmware bundle of version {version} is in the account already; give this one another")
        # No other bundle has the version. So if the POST fails half-way, a bundle of this version is ours to delete.
        self._uploading.add(version)
        body = base64.b64encode(archive).decode()
        self._rest.call("POST", "/firmwares", body=body, content_type="text/plain")
        what = f"firmware bundle {version} to be in the account"
        bundle_id = self._rest.wait_for(lambda: self._find_bundle(version), what, timeout)
        self.made_bundles.add(bundle_id)
        self._uploading.discard(version)
        return bundle_id

    def delete_bundle(self, bundle_id: str) -> bool:
        """Delete a bundle of :meth:`upload_bundle`; False if it was gone already."""
        gone = self._rest.delete(path_of("firmwares", _mine(bundle_id, self.made_bundles)))
        self.made_bundles.discard(bundle_id)
        return gone

    def create_job(self, device_id: str, bundle_id: str, *, name: str) -> str:
        """Offer a device a firmware update, and return the job's id.

        The job's name is ``name`` (at most 47 characters) and a random number. By that name the job can be found if the
        POST fails half-way.

        ``device_id``: a device that this run made. ``bundle_id``: of :meth:`upload_bundle`. ``name``: the job's.
        """
        self._check_ours(device_id, "make a firmware update for")
        name = f"{name} {secrets.token_hex(8)}"
        self._offering.add(name)
        body = {"bundleId": bundle_id, "deviceIds": [device_id], "name": name}
        job_id = str(read_object(self._rest.call("POST", "/fota-jobs", json=body), "jobId")["jobId"])
        self.made_jobs.add(job_id)
        self._offering.discard(name)
        return job_id

    def job(self, job_id: str) -> dict[str, Any] | None:
        """Return a job, or None if there is none of this id."""
        return self._rest.find(path_of("fota-jobs", job_id))

    def execution(self, device_id: str, job_id: str) -> dict[str, Any]:
        """Return the device's execution of the job: ``status``, ``jobDocument`` and more."""
        return read_object(self._rest.call("GET", path_of("fota-job-executions", device_id, job_id)), "status")

    def wait_status(self, device_id: str, job_id: str, status: str, *, timeout: float = 30.0) -> dict[str, Any]:
        """Return the device's execution of the job as soon as it has this status. Raises StillPending.

        ``device_id``, ``job_id``: of the execution. ``status``: such as SUCCEEDED. ``timeout``: seconds.
        """

        def reported() -> dict[str, Any] | None:
            execution = self.execution(device_id, job_id)
            return execution if execution["status"] == status else None

        return self._rest.wait_for(reported, f"firmware update {job_id} to be {status}", timeout)

    def delete_job(self, job_id: str, *, timeout: float = 60.0) -> bool:
        """Delete a job of :meth:`create_job`, and wait until it is gone; False if it was gone already."""
        gone = self._rest.delete(path_of("fota-jobs", _mine(job_id, self.made_jobs)))
        self.made_jobs.discard(job_id)
        # Its bundle may be in use until the job is gone.
        self._rest.wait_for(lambda: self.job(job_id) is None or None, f"firmware update {job_id} to go", timeout)
        return gone

    def deletions(self) -> list[tuple[Callable[[str], bool], str]]:
        """Return the name of each thing that was made with the call that deletes it, in an order that works."""
        return [
            *((self.delete_job, job_id) for job_id in sorted(self.made_jobs)),
            *((self._delete_offered, name) for name in sorted(self._offering)),
            *((self.delete_bundle, bundle_id) for bundle_id in sorted(self.made_bundles)),
            *((self._delete_upload, version) for version in sorted(self._uploading)),
        ]

    def take(self, things: Mapping[str, Collection[str]]) -> None:
        """Treat what a killed run has left as made by this client. ``things``: ids by kind."""
        self.made_jobs.update(things.get("job", ()))
        self._offering.update(things.get("offer", ()))
        self.made_bundles.update(things.get("bundle", ()))
        self._uploading.update(things.get("upload", ()))

    def _delete_offered(self, name: str) -> bool:
        jobs = self._rest.items("/fota-jobs", {}, "firmware updates")
        found = [str(job["jobId"]) for job in jobs if job.get("name") == name]
        self.made_jobs.update(found)
        self._offering.discard(name)
        return sum(self.delete_job(job_id) for job_id in found) > 0

    def _delete_upload(self, version: str) -> bool:
        bundle_id = self._find_bundle(version)
        gone = bundle_id is not None and self._rest.delete(path_of("firmwares", bundle_id))
        self._uploading.discard(version)
        return gone

    def _find_bundle(self, version: str) -> str | None:
        bundles = self._rest.items("/firmwares", {}, "firmware bundles")
        return next((str(bundle["bundleId"]) for bundle in bundles if bundle.get("version") == version), None)


def _mine(id_: str, made: set[str]) -> str:
    if id_ not in made:
        raise NotOurs(f"cannot delete {id_}: this run did not make it; delete it in the account")
    return id_
