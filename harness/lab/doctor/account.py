"""Checks of the account: its key, whether the cloud takes it, whose it is, and what killed runs left there."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from harness.cloud import CloudEndpoints, NrfCloud, RestError
from harness.errors import HarnessError
from harness.lab.api_keys import MissingApiKey
from harness.lab.doctor.check import Check, CheckResult, Status

Leftovers = Callable[[str], Mapping[str, int]]
"""Takes an account's address and key; returns what killed runs left there, as numbers by kind."""

_DEADLINE: Final = 10.0
_REFUSED: Final = (401, 403)


def key_check(cloud: str, key: Callable[[], str], cure: str) -> Check:
    """Return the check that there is a key.

    ``cloud``: its name. ``key``: returns the key, or raises MissingApiKey. ``cure``: how to give one.
    """
    return Check("account.key", cloud, partial(_key, cloud, key, cure), quick=True)


def check(cloud: str, key: Callable[[], str], cure: str, endpoints: CloudEndpoints, leftovers: Leftovers) -> Check:
    """Return the check that asks the cloud: ``account.access``, ``.team``, ``.role`` and ``.leftovers``.

    ``cloud``: its name. ``key``: returns the API key. ``cure``: how to give one. ``endpoints``: how the cloud is
    reached. ``leftovers``: returns what killed runs left in the account.
    """
    return Check("account.access", cloud, partial(_account, cloud, key, cure, endpoints, leftovers), _DEADLINE)


def _key(cloud: str, key: Callable[[], str], cure: str) -> Iterator[CheckResult]:
    try:
        key()
    except MissingApiKey as error:
        yield CheckResult("account.key", cloud, Status.FAIL, str(error), cure)
    else:
        yield CheckResult("account.key", cloud, Status.OK, "there is an API key")


def _account(
    cloud: str, key: Callable[[], str], cure: str, endpoints: CloudEndpoints, leftovers: Leftovers
) -> Iterator[CheckResult]:
    try:
        secret = key()
    except MissingApiKey:
        yield CheckResult("account.access", cloud, Status.SKIPPED, "there is no API key to try")
        return
    try:
        with NrfCloud(endpoints, secret) as api:
            account = api.account()
    except RestError as error:
        told = error.status in _REFUSED
        yield CheckResult("account.access", cloud, Status.FAIL, str(error), cure if told else "")
        return
    except HarnessError as error:
        yield CheckResult("account.access", cloud, Status.FAIL, str(error), f"curl -sSI {endpoints.rest}/account")
        return
    yield CheckResult("account.access", cloud, Status.OK, "the cloud takes the API key")
    team = account.raw.get("team") or {}
    yield CheckResult(
        "account.team", cloud, Status.OK, f"team {team.get('name') or '?'}, tenant {account.tenant_id or '?'}"
    )
    yield _role(cloud, account.raw.get("role"))
    left = {kind: count for kind, count in leftovers(f"{endpoints.rest} {secret}").items() if count}
    if left:
        text = "killed runs left " + ", ".join(f"{count} x {kind}" for kind, count in left.items())
        yield CheckResult("account.leftovers", cloud, Status.WARN, f"{text}; the next run deletes them", "make nightly")
    else:
        yield CheckResult("account.leftovers", cloud, Status.OK, "no killed run left anything that this lab knows of")


def _role(cloud: str, role: object) -> CheckResult:
    """Judge the key's role: owner, admin, editor, viewer (nRF Cloud, "Teams"). The API's spelling is UNCONFIRMED."""
    if not isinstance(role, str):
        return CheckResult("account.role", cloud, Status.SKIPPED, "the cloud does not say which role the key has")
    if role.lower() == "viewer":
        text = "the key's role is viewer, which may not make devices: use the key of an editor, admin or owner"
        return CheckResult("account.role", cloud, Status.FAIL, text, "export NRFCLOUD_API_KEY=...")
    return CheckResult("account.role", cloud, Status.OK, f"the key's role is {role.lower()}")
