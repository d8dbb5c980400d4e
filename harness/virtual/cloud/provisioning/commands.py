"""Provisioning commands in two forms: as the team asks for them, and as the board carries them out. No I/O.

Facts: nRF Cloud Utils (the members of ``request`` and of ``response``); nRF Connect SDK, nRF Device provisioning
library (CBOR: a command is ``[id, 0, AT command, parameters, [CME errors to ignore]]``, or ``[id, 2]`` at the end; an
answer ``[id, 99, CME error, text]``, ``[id, 100, text]``, ``[id, 101]`` or ``[id, 102]``). UNCONFIRMED, chosen here:
the AT command of a cloud access key (a key pair whose public key is asked for), and that names come without ``=``.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from harness.virtual.cloud.provisioning.claims import CommandStatus, ProvisioningCommand
from harness.virtual.cloud.rest.request import invalid

_AT, _FINISHED = 0, 2
_KEY_USAGE = re.compile("[01]{1,9}")
_LARGEST_TAG = 2**32 - 1
_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "certificateSigningRequest": ("secTag", "attributes", "keyUsage"),
    "clientCertificate": ("secTag", "content"),
    "serverCertificate": ("secTag", "content"),
    "clientPrivateKeyGeneration": ("secTag",),
    "cloudAccessKeyGeneration": ("secTag",),
    "finished": (),
}


def read_request(request: Any) -> tuple[str, dict[str, Any]]:
    """Return kind and details of a ``request`` object. Raises RestRefused 422."""
    if not isinstance(request, dict) or len(request) != 1:
        raise invalid(f"request must be an object with one of {', '.join(_MEMBERS)}")
    ((kind, details),) = request.items()
    if kind not in _MEMBERS:
        raise invalid(f"{kind[:40]} is none of {', '.join(_MEMBERS)}")
    if not isinstance(details, dict) or not details.keys() <= set(_MEMBERS[kind]):
        raise invalid(f"{kind} must be an object with no other members than: {', '.join(_MEMBERS[kind]) or 'none'}")
    tag = details.get("secTag")
    if kind != "finished" and (not isinstance(tag, int) or isinstance(tag, bool) or not 0 <= tag <= _LARGEST_TAG):
        raise invalid("secTag must be a number from 0 to 4294967295")
    texts = [details.get(name, "") for name in ("attributes", "keyUsage", "content")]
    if not all(isinstance(text, str) and '"' not in text for text in texts):
        raise invalid("attributes, keyUsage and content must be strings without double quotes")
    if kind.endswith("Certificate") and not details.get("content"):
        raise invalid("content is required")
    if not _KEY_USAGE.fullmatch(details.get("keyUsage", "1")):
        raise invalid("keyUsage must be 1 to 9 digits 0 or 1")
    return kind, details


def to_wire(command: ProvisioningCommand) -> list[Any]:
    """Return the command as the board reads it (CBOR-ready)."""
    if command.kind == "finished":
        return [command.command_id, _FINISHED]
    name, parameters = _AT_COMMANDS[command.kind](command.details)
    return [command.command_id, _AT, name, parameters, []]


def take_answer(command: ProvisioningCommand, answer: list[Any]) -> None:
    """Note a board's answer (what follows the correlation id). Raises ValueError if it is not an answer."""
    match answer:
        case [99, int(error), str(text)]:
            command.status, command.response = (
                CommandStatus.FAILED,
                {command.kind: {"cmeError": error, "message": text}},
            )
        case [100, str(text)]:
            command.status, command.response = CommandStatus.SUCCEEDED, {command.kind: _result(command.kind, text)}
        case [101] | [102]:
            command.status, command.response = CommandStatus.SUCCEEDED, {command.kind: {}}
        case _:
            raise ValueError("an answer is [99, error, text], [100, text], [101] or [102]")


def _result(kind: str, text: str) -> dict[str, str]:
    keygen = re.fullmatch(r'\s*(?:%KEYGEN: )?"?([A-Za-z0-9_.-]+)"?(?:\s+OK)?\s*', text)
    return {"csr": keygen[1]} if kind == "certificateSigningRequest" and keygen else {"message": text}


def _signing_request(details: Mapping[str, Any]) -> tuple[str, str]:
    parameters = f"{details['secTag']},2,0"
    attributes, usage = details.get("attributes", ""), details.get("keyUsage", "")
    if attributes or usage:
        parameters += f',"{attributes}"'
    return "AT%KEYGEN", parameters + (f',"{usage}"' if usage else "")


def _write(kind: int) -> Callable[[Mapping[str, Any]], tuple[str, str]]:
    return lambda details: ("AT%CMNG", f'0,{details["secTag"]},{kind},"{details["content"]}"')


_AT_COMMANDS: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "certificateSigningRequest": _signing_request,
    "clientCertificate": _write(1),
    "serverCertificate": _write(0),
    "clientPrivateKeyGeneration": lambda details: ("AT%KEYGEN", f"{details['secTag']},2,0"),
    "cloudAccessKeyGeneration": lambda details: ("AT%KEYGEN", f"{details['secTag']},2,1"),
}
