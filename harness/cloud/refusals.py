"""Errors that the nRF Cloud REST API answers, and the exceptions for them.

Body formats and codes: nRF Cloud REST API reference, "Error codes". The nRF Connect SDK's REST library also reads an
array of strings. Which endpoints send the array is not documented, so every form is accepted everywhere.
"""

import json
from typing import Final

from harness.errors import CloudUnreachable, LabError, Misuse, Party, Refusal
from harness.redact import SECRETS

MEANINGS: Final = {
    40000: "bad request",
    40001: "device has no valid JITP certificate",
    40002: "device was paired the old way and cannot be dissociated",
    40005: "monthly limit of the Developer plan exceeded",
    40100: "access denied",
    40101: "device belongs to another account",
    40102: "wrong ownership code",
    40103: "device is not in this account",
    40410: "entity not found",
    40411: "product id or ownership code unknown",
    40412: "device has not been provisioned: it never reached the broker",
    40413: "no such device",
    40414: "no such device",
    40420: "resource not found",
    40499: "nothing there",
    41600: "range not satisfiable",
    42200: "validation failed",
    50010: "internal error",
}
_SHOWN = 300  # characters of an unknown body in a message


def decode_error(body: bytes) -> tuple[int | None, str]:
    """Return nRF Cloud's error code (or None) and the message of an error body in any form. Never raises.

    ``{"code": 40410, "message": "…"}``; ``["…", …]``; over MQTT ``{"appId": "…", "messageType": "DATA",
    "err": 40410}``. Anything else is returned as text.
    """
    text = body.decode(errors="replace").strip()
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # JSON that is nested too deeply to be an error body
        return None, _shorten(text)
    if isinstance(value, list):
        return None, _shorten("; ".join(str(entry) for entry in value))
    if not isinstance(value, dict):
        return None, _shorten(text)
    code = value.get("code", value.get("err"))
    message = value.get("message")
    return (
        code if isinstance(code, int) and not isinstance(code, bool) else None,
        _shorten(message if isinstance(message, str) else "" if code is not None else text),
    )


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[:_SHOWN] + "…"


class RestError(Refusal):
    """nRF Cloud refused a call. ``code``: nRF Cloud's own number, None if it sent none.

    ``method``, ``path``: of the call. ``status``, ``message``: of the answer. ``attempts``: how often it was sent.
    """

    party = Party.CLOUD

    def __init__(self, method: str, path: str, status: int, code: int | None, message: str, *, attempts: int) -> None:
        self.method, self.path, self.status, self.code, self.attempts = method, path, status, code, attempts
        self.message = SECRETS.scrub(message)
        meaning = MEANINGS.get(code or 0)
        number = "" if code is None else f" (code {code}{f': {meaning}' if meaning else ''})"
        tries = "" if attempts == 1 else f" at try {attempts}"
        said = f": {self.message}" if self.message else ""
        super().__init__(f"{method} {path} answered {status}{number}{tries}{said}; {_advice(status)}")


class CloudBusy(RestError, LabError):
    """The cloud could not decide: too many calls (429), or a failure of its own (5xx)."""

    @classmethod
    def is_it(cls, status: int) -> bool:
        """Tell whether an answer of this status means that."""
        return status == 429 or status >= 500


def _advice(status: int) -> str:
    if status in (401, 403):
        return "check that the API key is valid and belongs to the team that owns the device"
    if status == 404:
        return "check the id, and that the device is onboarded to this team"
    if status == 429:
        return "too many calls: run later, or less in parallel"
    if status >= 500:
        return "the cloud failed: see its status page and run again"
    return "correct the request"


class NotOurs(Misuse):
    """A call would change or remove a device that this harness did not put into the account."""


class OwnerUnknown(LabError):
    """The cloud does not tell who made a thing, so the thing is left as it is."""

    party = Party.CLOUD


class StillPending(LabError):
    """The cloud accepted an operation and did not finish it within the deadline."""

    party = Party.CLOUD


class ObserverLost(CloudUnreachable):
    """The observer's own connection ended, so a message that it did not receive proves nothing."""
