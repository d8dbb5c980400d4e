"""Firmware updates over REST: jobs for the team, executions for its devices.

Facts: nRF Cloud REST API, operations on ``/fota-jobs`` and ``/fota-job-executions``; nRF Cloud Utils (sends
``"autoApply": "false"``, a string); nRF Connect SDK (404 means that nothing is pending). UNCONFIRMED, chosen here: a
job is refused if its bundle is not in the account (404 with code 40410), or if none of its devices is eligible; 400
with code 40000 for what is no longer possible.
"""

import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from harness.virtual.cloud.formats import iso
from harness.virtual.cloud.registry.device_record import DeviceRecord
from harness.virtual.cloud.registry.onboarding import FIRMWARE_TYPES
from harness.virtual.cloud.registry.team import RestRefused
from harness.virtual.cloud.rest.api import BASE, Api
from harness.virtual.cloud.rest.request import (
    PAGING,
    accepted,
    answer_page,
    invalid,
    read_object,
    read_query,
    read_strings,
)
from harness.virtual.cloud.services.fota import (
    Execution,
    ExecutionStatus,
    FotaConflict,
    Job,
    show_execution,
    show_job,
)

_BUNDLE = re.compile(rf"(?:{'|'.join(FIRMWARE_TYPES)})\*[0-9a-zA-Z]{{8}}\*.*")
_MEMBERS = ("bundleId", "autoApply", "name", "description", "deviceIds", "deviceIdentifiers", "tags")
_MOST_TARGETS = 100
_FLAG = {True: True, False: False, "true": True, "false": False}


class FotaRoutes:
    """Handlers about firmware updates."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._team = api.team
        self._fota = api.fota

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        jobs, job = f"{BASE}/fota-jobs", f"{BASE}/fota-jobs/{{jobId}}"
        device = f"{BASE}/fota-job-executions/{{deviceId}}"
        return [
            web.post(jobs, self.create),
            web.get(jobs, self.list_jobs),
            web.get(job, self.fetch),
            web.delete(job, self.delete),
            web.post(f"{job}/apply", self.apply),
            web.put(f"{job}/cancel", self.cancel),
            web.get(f"{device}/current", self.current),  # before {jobId}, which would match it too
            web.get(device, self.executions),
            web.get(f"{device}/{{jobId}}", self.execution),
            web.patch(f"{device}/{{jobId}}", self.update),
            web.get(f"{BASE}/fota-job-execution-statuses/{{jobId}}", self.statuses),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """CreateFOTAJob for devices by ID or by tag. Schedules and firmware criteria are not available here."""
        body = await read_object(request, allowed=_MEMBERS)
        bundle_id, apply = body.get("bundleId"), body.get("autoApply", True)
        if not isinstance(bundle_id, str) or not _BUNDLE.fullmatch(bundle_id):
            raise invalid("bundleId is required, of the form <type>*<8 letters or digits>*<version>")
        if not isinstance(apply, bool | str) or apply not in _FLAG:
            raise invalid("autoApply must be true or false")
        text = {name: body.get(name, "") for name in ("name", "description")}
        if not all(isinstance(value, str) for value in text.values()):
            raise invalid("name and description must be strings")
        named = [*read_strings(body, "deviceIds"), *read_strings(body, "deviceIdentifiers")]
        tags = read_strings(body, "tags")
        if not 1 <= len(named) + len(tags) <= _MOST_TARGETS:
            raise invalid(f"deviceIds, deviceIdentifiers and tags must name 1 to {_MOST_TARGETS} targets")
        tagged = (record.device_id for record in self._team.devices() if set(record.tags) & set(tags))
        bundle = self._api.bundles.find(bundle_id)
        if bundle is None:
            raise RestRefused(404, 40410, "no such firmware bundle")
        kind = bundle.manifest.firmware_type
        targets = [device_id for device_id in dict.fromkeys([*named, *tagged]) if self._eligible(device_id, kind)]
        if not targets:
            raise invalid(f"no target is onboarded with a certificate and lists {kind} as a firmware type it supports")
        job = self._fota.create(bundle, targets, tags=tags, apply=_FLAG[apply], **text)
        for device_id in targets:
            self._api.usage.count("FOTA", kind, "REST", device_id)
        self._api.journal.write("fota_job", job_id=job.job_id, devices=targets, firmware_type=kind)
        return web.json_response({"jobId": job.job_id}, status=201)

    async def list_jobs(self, request: web.Request) -> web.Response:
        """ListFOTAJobs."""
        query = read_query(request, allowed=PAGING)
        return answer_page(query, self._fota.jobs(), number=lambda job: job.number, show=show_job)

    async def fetch(self, request: web.Request) -> web.Response:
        """FetchFOTAJob."""
        return web.json_response(show_job(self._job(request)))

    async def delete(self, request: web.Request) -> web.Response:
        """DeleteFOTAJob."""
        self._fota.delete(self._job(request))
        return accepted()

    async def apply(self, request: web.Request) -> web.Response:
        """ApplyFOTAJob."""
        return self._changed(request, self._fota.apply)

    async def cancel(self, request: web.Request) -> web.Response:
        """CancelFOTAJob."""
        return self._changed(request, self._fota.cancel)

    def _changed(self, request: web.Request, change: Callable[[Job], object]) -> web.Response:
        try:
            change(self._job(request))
        except FotaConflict as error:
            raise RestRefused(400, 40000, str(error)) from error
        return accepted()

    async def current(self, request: web.Request) -> web.Response:
        """FetchCurrentPendingFOTAJobExecution."""
        found = self._fota.current(self._device(request).device_id)
        if found is None:
            raise RestRefused(404, 40499, "no firmware update is pending")
        return self._show(*found)

    async def executions(self, request: web.Request) -> web.Response:
        """ListFOTAJobExecutionsForDevice."""
        query = read_query(request, allowed=PAGING)
        return answer_page(
            query,
            self._fota.executions(self._device(request).device_id),
            number=lambda pair: pair[1].number,
            show=lambda pair: show_execution(*pair, self._team.tenant_id),
        )

    async def execution(self, request: web.Request) -> web.Response:
        """FetchFOTAJobExecution."""
        return self._show(*self._execution(request))

    async def update(self, request: web.Request) -> web.Response:
        """UpdateFOTAJobExecutionStatus."""
        job, execution = self._execution(request)
        body = await read_object(request, allowed=("status", "details"))
        status, details = body.get("status"), body.get("details")
        if status not in tuple(ExecutionStatus) or not isinstance(details, str | None):
            raise invalid(f"status must be one of {', '.join(ExecutionStatus)}; details, if given, a string")
        try:
            self._fota.update(job, execution, ExecutionStatus(status), details)
        except FotaConflict as error:
            raise RestRefused(400, 40000, str(error)) from error
        self._api.journal.write("fota_status", job_id=job.job_id, device_id=execution.device_id, status=status)
        return accepted()

    async def statuses(self, request: web.Request) -> web.Response:
        """ListFOTAJobExecutionStatuses."""
        query = read_query(request, allowed=PAGING)
        executions = self._job(request).executions.values()
        return answer_page(query, executions, number=lambda execution: execution.number, show=_show_status)

    def _eligible(self, device_id: str, kind: str) -> bool:
        try:
            record = self._team.certified_device(device_id)
        except RestRefused:
            return False
        return kind in record.firmware_types or kind in self._reported_types(device_id)

    def _reported_types(self, device_id: str) -> list[Any]:
        tree: Any = self._api.services.shadow(device_id).state
        for name in ("reported", "device", "serviceInfo", "fota_v2"):
            tree = tree.get(name) if isinstance(tree, dict) else None
        return tree if isinstance(tree, list) else []

    def _device(self, request: web.Request) -> DeviceRecord:
        return self._team.certified_device(request.match_info["deviceId"])

    def _job(self, request: web.Request) -> Job:
        job = self._fota.job(request.match_info["jobId"])
        if job is None:
            raise RestRefused(404, 40410, "no such job")
        return job

    def _execution(self, request: web.Request) -> tuple[Job, Execution]:
        device_id, job = self._device(request).device_id, self._fota.job(request.match_info["jobId"])
        if job is None or device_id not in job.executions:
            raise RestRefused(404, 40410, "the device has no such job")
        return job, job.executions[device_id]

    def _show(self, job: Job, execution: Execution) -> web.Response:
        return web.json_response(show_execution(job, execution, self._team.tenant_id))


def _show_status(execution: Execution) -> dict[str, Any]:
    updated = iso(execution.updated_at)
    return {"deviceId": execution.device_id, "status": str(execution.status), "lastUpdatedAt": updated}
