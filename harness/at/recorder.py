"""Makes timeline events of what the dialogue heard: decoded, stamped, without secrets. Bytes become text only here."""

import base64
from typing import Any

from harness.at.dialogue import UNASKED, Heard, Role
from harness.redact import SECRETS, LineRedactor, may_hold_secret, redact_line
from harness.timeline import Draft, Kind, packed

_SHOWN_PAYLOAD = 2048  # bytes of a payload that a timeline event carries
_RX, _URC, _RESULT = Kind.RX, Kind.URC, Kind.RESULT  # an enumeration is slow to ask (Python 3.11)
_LOG, _ROLE_URC = Role.LOG, Role.URC
_UNKNOWN = frozenset({Role.LOG, Role.CUT, Role.GARBLED, Role.ECHO})
_UNDECODABLE = "\ufffd"
_HIDDEN = "<{} bytes that arrived while a secret was being sent>"


def shown_bytes(payload: bytes) -> str:
    """Return raw bytes as a timeline may show them: redacted, then cut."""
    redacted = redact_line(payload)
    text = redacted[:_SHOWN_PAYLOAD].decode("utf-8", "replace")
    return text if len(redacted) <= _SHOWN_PAYLOAD else f"{text}… ({len(payload)} bytes)"


class LineRecorder:
    """Writes the timeline's drafts for one port's lines."""

    def __init__(self, port: str) -> None:
        self._port = port
        self._redact = LineRedactor()

    def drafts(
        self, lines: list[Heard], t: float, *, seconds: float, secret: bool, afterwards: bool | None = None
    ) -> list[Draft]:
        """Return the drafts for ``lines`` heard at ``t``.

        ``seconds``: since the command was sent. ``secret``: a command with a secret may still be echoed;
        ``afterwards``: the same behind the final result that is among the lines, None: as before it.
        """
        if not secret and lines and lines[-1].role is _LOG and (texts := self._log_texts(lines)):
            return [(t, _RX, self._port, text, {}) for text in texts]
        drafts = []
        for heard in lines:
            drafts.append(self._draft(heard, t, seconds, secret))
            if heard.outcome is not None and afterwards is not None:
                secret = afterwards
        return drafts

    def _log_texts(self, lines: list[Heard]) -> list[str] | None:
        """Return the texts of lines that are all log and cannot hold a secret, decoded in one go; else None."""
        if self._redact.inside or any(heard.role is not _LOG for heard in lines):
            return None
        joined = b"\n".join([heard.line for heard in lines])
        if may_hold_secret(joined):
            return None
        text = joined.decode("utf-8", "replace")
        return None if _UNDECODABLE in text else text.split("\n")

    def _draft(self, heard: Heard, t: float, seconds: float, secret: bool) -> Draft:
        role, line, _, _, blobs, done = heard
        # A final result has a form that holds no secret; it may stand in a key that never ended.
        if self._redact.inside or (done is None and may_hold_secret(line)):
            line = self._redact(line)
        text = line.decode("utf-8", "replace")
        if done is not None:
            cost: dict[str, Any] = {"command": done.command.shown, "seconds": round(seconds, 6), "ok": done.final.ok}
            if blobs:  # of a peer, while data mode lasted
                cost["received"] = sum(map(len, blobs))
            return t, _RESULT, self._port, text, cost
        data = {"bytes": base64.b64encode(SECRETS.scrub_bytes(line)).decode()} if _UNDECODABLE in text else {}
        if role is _ROLE_URC:
            return t, _URC, self._port, text, data | _urc_data(heard) if blobs else data
        if secret and role in _UNKNOWN:  # a damaged echo of a key has no shape by which it could be known
            text, data = _HIDDEN.format(len(heard.line)), {}
        if role is not _LOG:  # to ask an enumeration for its value in the usual way is slow, too
            data["role"] = role._value_
        return t, _RX, self._port, text, data


def _urc_data(heard: Heard) -> dict[str, Any]:
    if heard.name in UNASKED:  # a peer's bytes may be anything, a password too
        return {}
    return {"blobs": [packed(blob) for blob in heard.blobs]}
