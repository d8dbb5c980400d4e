"""What devices hear of firmware updates, and when: with a broker that only listens."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.cloud.services.fota import ExecutionStatus, FotaConflict, FotaJobs
from harness.virtual.cloud.services.fota_messages import encode_job
from harness.virtual.cloud.services.jobs import JobsService

from .cloud_makers import NOON, MemoryJournal, make_bundle

BUNDLE = make_bundle()
JOBS = "prod/t/a/jobs"
AWS = "$aws/things/a/jobs"


class World:
    """A service with one device, ``a``. ``published`` and ``direct`` hold what was sent since :meth:`sent` last."""

    def __init__(self):
        self.fota = FotaJobs(lambda: NOON)
        self.journal = MemoryJournal()
        self._pending = []
        self.service = JobsService(
            self.fota, "prod/t/", journal=self.journal, later=self._pending.append, now=lambda: NOON
        )
        self.service.attach(self)
        self._published, self._direct = [], []

    def publish(self, topic, payload, qos=1):
        self._published.append((topic, payload))
        return 1

    def send_to(self, client_id, topic, payload, qos=1):
        self._direct.append((client_id, topic, payload, qos))
        return True

    def says(self, topic, content, client_id="a"):
        answer = self.service.answer_to(client_id, topic, json.dumps(content).encode())
        assert answer is not None
        answer()

    def published(self):
        """Return (topic, payload) of what was published since the last call, without AWS's notifications."""
        return [item for item in self.all_published() if not item[0].startswith("$aws")]

    def notified(self):
        return [(topic, json.loads(payload)) for topic, payload in self.all_published() if topic.startswith("$aws")]

    def all_published(self):
        while self._pending:
            self._pending.pop(0)()
        published, self._published = self._published, []
        return published

    def direct(self):
        direct, self._direct = self._direct, []
        return direct


@pytest.fixture
def world():
    return World()


def test_a_new_update_is_sent_unasked(world):
    job = world.fota.create(BUNDLE, ["a"])
    assert world.published() == [(f"{JOBS}/rcv", encode_job(job))]


def test_an_update_that_waits_behind_another_is_sent_when_its_turn_comes(world):
    first, second = world.fota.create(BUNDLE, ["a"]), world.fota.create(BUNDLE, ["a"])
    assert world.published() == [(f"{JOBS}/rcv", encode_job(first))]
    world.says(f"{JOBS}/update", [first.job_id, 2, "Error during download"])
    assert first.executions["a"].detail == "Error during download"
    assert world.published() == [(f"{JOBS}/rcv", encode_job(second))]
    world.fota.delete(second)
    assert world.published() == []


def test_the_cycle_of_the_device_simulator(world):
    """It asks before it subscribes; for each job received it names the job, then reports the next status."""
    job = world.fota.create(BUNDLE, ["a"])
    world.says(f"{JOBS}/req", [""])
    world.published()
    world.service.greet("a", f"{JOBS}/rcv", 0)
    assert world.direct() == [("a", f"{JOBS}/rcv", encode_job(job), 0)]
    for status in (7, 1):
        world.says(f"{JOBS}/req", [job.job_id])
        assert world.published() == []
        world.says(f"{JOBS}/update", [job.job_id, status, ""])
        assert world.published() == [(f"{JOBS}/rcv", encode_job(job))]
    world.says(f"{JOBS}/req", [job.job_id])
    world.says(f"{JOBS}/update", [job.job_id, 3, ""])
    assert world.published() == []
    assert job.executions["a"].status is ExecutionStatus.SUCCEEDED
    assert [entry["status"] for entry in world.journal.entries] == ["DOWNLOADING", "IN_PROGRESS", "SUCCEEDED"]


def test_progress_is_noted_and_not_answered(world):
    job = world.fota.create(BUNDLE, ["a"])
    world.says(f"{JOBS}/update", [job.job_id, 7, 10])
    world.published()
    world.says(f"{JOBS}/update", [job.job_id, 7, 20])
    assert world.published() == []
    assert job.executions["a"].detail == "20"


def test_asking_for_what_is_due_is_answered_each_time(world):
    job = world.fota.create(BUNDLE, ["a"])
    world.published()
    for _ in range(2):
        world.says(f"{JOBS}/req", [""])
        assert world.published() == [(f"{JOBS}/rcv", encode_job(job))]


def test_asking_for_one_that_is_not_next(world):
    world.fota.create(BUNDLE, ["a"])
    second = world.fota.create(BUNDLE, ["a"])
    world.published()
    world.says(f"{JOBS}/req", [second.job_id])
    assert world.published() == [(f"{JOBS}/rcv", encode_job(second))]


@pytest.mark.parametrize("content", [[""], ["nothing"], ["{other}"], [5], {}])
def test_requests_without_an_answer(world, content):
    other = world.fota.create(BUNDLE, ["b"])
    world.published()
    world.says(f"{JOBS}/req", [other.job_id] if content == ["{other}"] else content)
    assert world.published() == []


@pytest.mark.parametrize("content", [["{other}", 3, ""], ["{done}", 1, ""], ["{due}", 9, ""], ["{due}", 1], "x"])
def test_reports_that_change_nothing(world, content):
    done, due, other = (world.fota.create(BUNDLE, [name]) for name in ("a", "a", "b"))
    world.fota.update(done, done.executions["a"], ExecutionStatus.SUCCEEDED, None)
    world.all_published()
    names = {"{done}": done.job_id, "{due}": due.job_id, "{other}": other.job_id}
    world.says(f"{JOBS}/update", [names.get(content[0], content[0]), *content[1:]])
    assert world.all_published() == []
    assert [job.executions[name].status for job, name in ((done, "a"), (due, "a"), (other, "b"))] == [
        "SUCCEEDED",
        "QUEUED",
        "QUEUED",
    ]
    assert world.journal.entries[-1]["event"] == "fota_ignored"


@pytest.mark.parametrize("action", ["req", "update"])
def test_no_peripheral_is_known(world, action):
    world.fota.create(BUNDLE, ["a"])
    world.all_published()
    world.says(f"{JOBS}/ble/{action}", ["12:AB:34:CD:56:EF"])
    assert world.all_published() == []
    assert world.journal.entries[-1]["reason"] == "no Bluetooth LE device is known"


@pytest.mark.parametrize("topic_filter", [f"{JOBS}/rcv", f"{JOBS}/+", f"{JOBS}/#", "prod/t/#", "+/+/+/jobs/rcv"])
def test_subscribing_brings_what_is_due(world, topic_filter):
    job = world.fota.create(BUNDLE, ["a"])
    world.service.greet("a", topic_filter, 1)
    assert world.direct() == [("a", f"{JOBS}/rcv", encode_job(job), 1)]


@pytest.mark.parametrize(
    ("client_id", "topic_filter"),
    [("a", f"{JOBS}/req"), ("a", f"{JOBS}/ble/rcv"), ("mqtt-team-1", "prod/t/#"), ("b", f"{JOBS}/rcv"), ("a", "#/x")],
)
def test_subscribing_to_something_else_brings_nothing(world, client_id, topic_filter):
    world.fota.create(BUNDLE, ["a"])
    world.service.greet(client_id, topic_filter, 1)
    assert world.direct() == []


def test_aws_answers_go_to_the_requester_only(world):
    job = world.fota.create(BUNDLE, ["a"])
    world.all_published()
    world.says(f"{AWS}/get", {"clientToken": "t"}, client_id="someone")
    world.says(f"{AWS}/{job.job_id}/update", {"status": "QUEUED", "clientToken": "t"})
    accepted, rejected = world.direct()
    assert accepted[:2] == ("someone", f"{AWS}/get/accepted")
    assert json.loads(accepted[2])["clientToken"] == "t"
    assert rejected[:2] == ("a", f"{AWS}/{job.job_id}/update/rejected")
    assert (json.loads(rejected[2])["code"], json.loads(rejected[2])["clientToken"]) == ("InvalidRequest", "t")
    assert world.all_published() == []
    assert world.journal.entries[-1]["event"] == "jobs_rejected"


def test_aws_notifications(world):
    first = world.fota.create(BUNDLE, ["a"])
    (listed, due) = world.notified()
    assert listed[0] == f"{AWS}/notify"
    assert [item["jobId"] for item in listed[1]["jobs"]["QUEUED"]] == [first.job_id]
    assert (due[0], due[1]["execution"]["jobId"]) == (f"{AWS}/notify-next", first.job_id)

    second = world.fota.create(BUNDLE, ["a"])
    ((topic, listed),) = world.notified()
    assert (topic, len(listed["jobs"]["QUEUED"])) == (f"{AWS}/notify", 2)

    world.says(f"{AWS}/start-next", {})
    ((topic, listed),) = world.notified()
    assert (topic, listed["jobs"].keys()) == (f"{AWS}/notify", {"IN_PROGRESS", "QUEUED"})

    world.fota.cancel(first)
    listed, due = world.notified()
    assert due[1]["execution"]["jobId"] == second.job_id

    world.fota.delete(second)
    assert [item[1] for item in world.notified()] == [
        {"jobs": {}, "timestamp": int(NOON.timestamp())},
        {"timestamp": int(NOON.timestamp())},
    ]


@pytest.mark.parametrize(
    "topic",
    [
        f"{AWS}/get/accepted",
        f"{AWS}/x/update/rejected",
        f"{AWS}/notify",
        f"{AWS}/notify-next",
        "$aws/things/a/jobs",
        f"{JOBS}/rcv",
        f"{JOBS}/harness",
        "prod/u/a/jobs/req",
        "a/jobs/req",
    ],
)
def test_other_topics_are_no_requests(world, topic):
    assert world.service.answer_to("a", topic, b'[""]') is None


_STEPS = st.tuples(st.sampled_from(["create", "cancel", "delete", "report", "start-next", "ask"]), st.integers(0, 7))


@given(st.lists(_STEPS, max_size=25))
def test_whatever_happens_the_device_knows_what_is_next(steps):
    """The job sent last is the one that is due, and AWS's last notifications say what waits."""
    world, made = World(), []
    last = {}
    for step, number in steps:
        job = made[number % len(made)] if made else None
        if step == "create":
            made.append(world.fota.create(BUNDLE, ["a"]))
        elif step == "start-next":
            world.says(f"{AWS}/start-next", {})
        elif step == "ask":
            world.says(f"{JOBS}/req", [""])
        elif job is None:
            continue
        elif step == "cancel":
            try:
                world.fota.cancel(job)
            except FotaConflict:
                continue
        elif step == "delete":
            world.fota.delete(job)
            made.remove(job)
        else:
            world.says(f"{JOBS}/update", [job.job_id, number, ""])
        last.update(world.all_published())
        due = world.fota.current("a")
        if due:
            assert last[f"{JOBS}/rcv"] == encode_job(due[0])
        waiting = {job.job_id for job in made if job.executions["a"].status.pending}
        listed = json.loads(last.get(f"{AWS}/notify", b'{"jobs":{}}'))["jobs"]
        named = {item["jobId"] for items in listed.values() for item in items}
        assert named <= waiting
        assert len(named) == min(len(waiting), 15)
        upcoming = json.loads(last.get(f"{AWS}/notify-next", b"{}")).get("execution")
        assert (upcoming["jobId"] in waiting) if waiting else upcoming is None
