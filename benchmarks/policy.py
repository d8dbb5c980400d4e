"""Policy work on the shipped documents of nRF Cloud's device security page: deciding, compiling, deriving trials.

Peer: the standard library's fnmatch over the same resources, the short way to write such a check.
"""

import fnmatch
import timeit
from collections.abc import Callable
from functools import partial

from benchmarks.common import Row, ratio
from harness.policy import (
    Membership,
    Names,
    PolicySet,
    Principal,
    client_arn,
    derive,
    load_profile,
    plan,
    topic_arn,
    topicfilter_arn,
)

ACCOUNT = "123456789012"
TEAM = "b3f6a1de-0c1f-4d5e-9d0f-1c2b3a4d5e6f"
DEVICE = Principal(
    client_id="50503041-3633-4261-803d-1e2b8f70111a",
    thing_name="50503041-3633-4261-803d-1e2b8f70111a",
    attached=True,
    attributes={"tenantId": TEAM, "teamId": TEAM},
)
ACTIONS = ("iot:Connect", "iot:Publish", "iot:Subscribe", "iot:Receive", "iot:RetainPublish")


def run() -> list[Row]:
    """Return one row for each kind of decision, and one for compiling."""
    policies = PolicySet(load_profile(account=ACCOUNT).values())
    compiled = policies.compile(DEVICE)
    requests = {
        "connect, allowed": ("iot:Connect", client_arn(str(DEVICE.client_id))),
        "publish to the team, allowed": ("iot:Publish", topic_arn(f"prod/{TEAM}/m/d/{DEVICE.client_id}/d2c")),
        "publish elsewhere, denied": ("iot:Publish", topic_arn(f"prod/{TEAM}/a/x")),
        "subscribe to jobs, allowed": ("iot:Subscribe", topicfilter_arn(f"prod/{TEAM}/{DEVICE.client_id}/jobs/#")),
        "subscribe to all, denied": ("iot:Subscribe", topicfilter_arn("#")),
        "receive, allowed": ("iot:Receive", topic_arn(f"prod/{TEAM}/m/d/{DEVICE.client_id}/c2d")),
    }
    rows = []
    for name, (action, resource) in requests.items():
        ours = _microseconds(partial(compiled.decide, action, resource))
        globs = [
            pattern.text
            for statement in (s for document in policies.documents for s in document.statements)
            if statement.takes(action)
            for _, pattern in statement.patterns(compiled.decide(action, resource).context)
        ]
        peer = _microseconds(partial(_fnmatch_any, resource, globs))
        rows.append(Row(f"policy: {name}", ours, peer, ratio(ours, peer), "< 5 µs", "µs"))

    def compile_all() -> None:
        fresh = policies.compile(DEVICE)
        for action in ACTIONS:
            fresh.decide(action, "")

    rows.append(Row("policy: compile, all actions", _microseconds(compile_all, 200), None, "-", "< 1000 µs", "µs"))
    names = Names(str(DEVICE.client_id), "other-device", TEAM, "other-team")
    deriving = _microseconds(partial(derive, policies.documents, Membership.ASSOCIATED, names), 10) / 1000
    rows.append(Row("policy: derive all trials of a device", deriving, None, "-", "< 100 ms", "ms"))
    planning = _microseconds(partial(plan, policies.documents, names), 1) / 1000
    rows.append(Row("policy: smallest set of trials, with proof", planning, None, "-", "< 5000 ms", "ms"))
    return rows


def _fnmatch_any(resource: str, globs: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(resource, glob) for glob in globs)


def _microseconds(call: Callable[[], object], number: int = 20_000) -> float:
    return min(timeit.repeat(call, number=number, repeat=3)) / number * 1e6
