"""Firmware updates over MQTT: on nRF Cloud's own topics, which devices use, and on those of AWS IoT Jobs.

Facts: nRF Connect SDK, nRF Cloud FOTA (the three topics below ``<prefix><id>/jobs``, and the same below ``jobs/ble``
for peripherals of a gateway); nRF Cloud device simulator (asks once, before it subscribes, then names the job it was
sent, and expects the job again after each status that it reports); AWS IoT Core Developer Guide, "Jobs" (answers go to
the requesting client only, subscribed or not; notifications are ordinary publications).

UNCONFIRMED, chosen here: nothing is sent if nothing is due; an update that is new, or whose status has changed, is sent
without a request; a request that names the job is not answered if the job was last sent in the same state, because it
would be sent twice after the next report. There are no peripherals, so nothing below ``jobs/ble`` is answered.
"""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from harness.virtual.cloud.broker.interfaces import Journal, Publisher
from harness.virtual.cloud.broker.subscriptions import Subscriptions
from harness.virtual.cloud.services import aws_jobs
from harness.virtual.cloud.services.aws_jobs import JobsRejected
from harness.virtual.cloud.services.fota import Execution, FotaConflict, FotaJobs, Job
from harness.virtual.cloud.services.fota_messages import NotUnderstood, encode_job, parse_report, parse_request

_AWS = re.compile(r"\$aws/things/([^/]+)/jobs/(.+)")
_NO_REQUEST = re.compile(r".*/(accepted|rejected)|notify|notify-next")
_Waiting = tuple[tuple[str, str], ...]  # the jobs with their statuses, the next one first


class JobsService:
    """Answers devices about the updates in ``fota``, and sends them changes.

    ``prefix``: of the team's topics. ``journal``: gets what is sent. ``later``: runs a call after the current packet or
    request. ``now``: the clock.
    """

    def __init__(
        self,
        fota: FotaJobs,
        prefix: str,
        *,
        journal: Journal,
        later: Callable[[Callable[[], None]], object],
        now: Callable[[], datetime],
    ) -> None:
        self._fota = fota
        self._own = re.compile(rf"{re.escape(prefix)}([^/]+)/jobs/(ble/)?(req|update)")
        self._prefix = prefix
        self._journal = journal
        self._now = now
        self._publisher: Publisher | None = None
        self._sent: dict[str, tuple[str, str]] = {}  # by device, the job that it was sent last, with its status then
        self._notified: dict[str, _Waiting] = {}
        fota.changed = lambda device_id: later(lambda: self._tell(device_id))

    def attach(self, publisher: Publisher) -> None:
        """Set the broker that sends the answers. Before that they are lost."""
        self._publisher = publisher

    def answer_to(self, client_id: str, topic: str, payload: bytes) -> Callable[[], None] | None:
        """Return the answers to a publication, or None if it is not a request.

        ``client_id``: who asks. ``topic``, ``payload``: of its publication.
        """
        if request := _AWS.fullmatch(topic):
            thing, action = request.groups()
            if _NO_REQUEST.fullmatch(action):
                return None
            return lambda: self._answer_aws(client_id, thing, action, payload)
        if request := self._own.fullmatch(topic):
            device_id, peripheral, action = request.groups()
            if peripheral:
                return lambda: self._ignore(device_id, action, "no Bluetooth LE device is known")
            return lambda: self._answer(device_id, action, payload)
        return None

    def greet(self, client_id: str, topic_filter: str, qos: int) -> None:
        """Send the update that is due to a device that has just subscribed to it, but not to other subscribers.

        ``client_id``: who has subscribed. ``topic_filter``, ``qos``: of the subscription.
        """
        due = self._fota.current(client_id)
        if due is None or self._publisher is None:
            return
        topic = f"{self._prefix}{client_id}/jobs/rcv"
        subscribed = Subscriptions(hash_matches_parent=True)
        subscribed.add(topic_filter, client_id, qos)
        if subscribed.match(topic):
            self._sent[client_id] = _key(*due)
            self._publisher.send_to(client_id, topic, encode_job(due[0]), qos)

    def _answer(self, device_id: str, action: str, payload: bytes) -> None:
        try:
            if action == "req":
                self._answer_request(device_id, parse_request(payload))
            else:
                report = parse_report(payload)
                job = self._fota.job(report.job_id)
                if job is None or device_id not in job.executions:
                    raise NotUnderstood("the device has no such job")
                self._fota.update(job, job.executions[device_id], report.status, report.detail)
                self._journal.write("fota_status", job_id=job.job_id, device_id=device_id, status=report.status)
        except (NotUnderstood, FotaConflict) as error:
            self._ignore(device_id, action, str(error))

    def _answer_request(self, device_id: str, job_id: str | None) -> None:
        if job_id is None:
            due = self._fota.current(device_id)
        else:
            waiting = (pair for pair in self._fota.executions(device_id) if pair[1].status.pending)
            due = next((pair for pair in waiting if pair[0].job_id == job_id), None)
            if due and self._sent.get(device_id) == _key(*due):
                return
        if due:
            self._send(device_id, *due)

    def _tell(self, device_id: str) -> None:
        due = self._fota.current(device_id)
        if due is None:
            self._sent.pop(device_id, None)
        elif self._sent.get(device_id) != _key(*due):
            self._send(device_id, *due)
        self._notify(device_id)

    def _send(self, device_id: str, job: Job, execution: Execution) -> None:
        self._sent[device_id] = _key(job, execution)
        if self._publisher:
            self._publisher.publish(f"{self._prefix}{device_id}/jobs/rcv", encode_job(job))

    def _notify(self, device_id: str) -> None:
        waiting = aws_jobs.pending(self._fota, device_id)
        state = tuple((job.job_id, aws_jobs.aws_status(execution)) for job, execution in waiting)
        before = self._notified.pop(device_id, ())
        if state:
            self._notified[device_id] = state
        topic, now = f"$aws/things/{device_id}/jobs/notify", self._seconds()
        if state != before:
            self._publish(topic, aws_jobs.list_notification(waiting, now))
        if [job_id for job_id, _ in state[:1]] != [job_id for job_id, _ in before[:1]]:
            self._publish(f"{topic}-next", aws_jobs.next_notification(waiting, device_id, now))

    def _answer_aws(self, client_id: str, thing: str, action: str, payload: bytes) -> None:
        now, token = self._seconds(), None
        try:
            request = aws_jobs.parse(payload)
            token = aws_jobs.client_token(request)
            outcome, document = "accepted", aws_jobs.answer(self._fota, thing, action, request, now)
        except JobsRejected as refusal:
            outcome, document = "rejected", refusal.document(now, token)
            self._journal.write("jobs_rejected", thing=thing, action=action, code=refusal.code, reason=str(refusal))
        if self._publisher:
            topic = f"$aws/things/{thing}/jobs/{action}/{outcome}"
            self._publisher.send_to(client_id, topic, _encode(document))

    def _ignore(self, device_id: str, action: str, reason: str) -> None:
        self._journal.write("fota_ignored", device_id=device_id, action=action, reason=reason)

    def _publish(self, topic: str, document: dict[str, Any]) -> None:
        if self._publisher:
            self._publisher.publish(topic, _encode(document))

    def _seconds(self) -> int:
        return int(self._now().timestamp())


def _key(job: Job, execution: Execution) -> tuple[str, str]:
    return job.job_id, str(execution.status)


def _encode(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
