"""Network registration: the ``+CEREG`` line in all its forms.

Facts: nRF91x1 AT Commands reference, +CEREG; 3GPP TS 27.007 §10.1.22; EMM causes from 3GPP TS 24.301 annex A.
"""

import csv
from dataclasses import dataclass

from harness.at import LOST_BYTES, AtFormatError

HOME = 1
DENIED = 3
ROAMING = 5
UICC_FAILURE = 90

_STATUS = {
    0: "not registered, not searching",
    HOME: "registered, home network",
    2: "searching",
    DENIED: "registration denied",
    4: "unknown, for example out of coverage",
    ROAMING: "registered, roaming",
    UICC_FAILURE: "UICC failure",
}

_EMM_CAUSE = {
    2: "IMSI unknown in HSS",
    3: "illegal UE",
    5: "IMEI not accepted",
    6: "illegal ME",
    7: "EPS services not allowed",
    8: "EPS services and non-EPS services not allowed",
    9: "UE identity cannot be derived by the network",
    10: "implicitly detached",
    11: "PLMN not allowed",
    12: "tracking area not allowed",
    13: "roaming not allowed in this tracking area",
    14: "EPS services not allowed in this PLMN",
    15: "no suitable cells in tracking area",
    16: "MSC temporarily not reachable",
    17: "network failure",
    18: "CS domain not available",
    19: "ESM failure",
    20: "MAC failure",
    21: "synch failure",
    22: "congestion",
    23: "UE security capabilities mismatch",
    24: "security mode rejected",
    25: "not authorized for this CSG",
    31: "redirection to 5GCN required",
    35: "requested service option not authorized in this PLMN",
    39: "CS service temporarily not available",
    40: "no EPS bearer context activated",
    42: "severe network failure",
    78: "PLMN not allowed to operate at the present UE location",
}


@dataclass(frozen=True)
class Registration:
    """One ``+CEREG`` line. What the line left out or left empty is None.

    ``text``: the line. ``tac``: 4 hex digits, ``cell_id``: 8, as sent. ``act``: 7 LTE-M, 9 NB-IoT.
    ``active_time``, ``periodic_tau``: 8 binary digits of the timers of 3GPP TS 24.008 §10.5.7.3, .4a.
    """

    text: str
    status: int
    tac: str | None = None
    cell_id: str | None = None
    act: int | None = None
    cause_type: int | None = None
    reject_cause: int | None = None
    active_time: str | None = None
    periodic_tau: str | None = None

    @classmethod
    def from_urc(cls, args: str) -> "Registration":
        """Return what ``+CEREG: <args>`` says when it came by itself. Raises AtFormatError for other fields."""
        return cls._parse(args, args)

    @classmethod
    def from_read(cls, args: str) -> "Registration":
        """Return what ``+CEREG: <args>`` says as the answer to ``AT+CEREG?``, where ``<n>`` stands first."""
        n, _, rest = args.partition(",")
        if n.strip() not in {"0", "1", "2", "3", "4", "5"}:
            raise AtFormatError(f"+CEREG: {args}: not an answer to AT+CEREG?, which begins with <n>: {LOST_BYTES}")
        return cls._parse(rest, args)

    @classmethod
    def _parse(cls, fields: str, args: str) -> "Registration":
        status, _, rest = fields.partition(",")
        try:
            texts = [text.strip() or None for text in next(csv.reader([rest], strict=True))]
            tac, cell_id, act, cause_type, reject_cause, active_time, periodic_tau = texts + [None] * (7 - len(texts))
            return cls(
                f"+CEREG: {args}",
                int(status),
                tac,
                cell_id,
                _number(act),
                _number(cause_type),
                _number(reject_cause),
                active_time,
                periodic_tau,
            )
        except (ValueError, csv.Error) as error:
            raise AtFormatError(f"+CEREG: {args}: not the fields of +CEREG: {LOST_BYTES}") from error

    @property
    def registered(self) -> bool:
        """In the home network or roaming."""
        return self.status in (HOME, ROAMING)

    @property
    def final(self) -> bool:
        """Waiting longer changes nothing: registered, denied, or no working SIM."""
        return self.registered or self.status in (DENIED, UICC_FAILURE)

    @property
    def meaning(self) -> str:
        """The status in words, with the cause of a denial."""
        words = _STATUS.get(self.status, f"status {self.status}")
        if self.reject_cause is None:
            return words
        if self.cause_type not in (None, 0):  # 1: the manufacturer's own numbers
            return f"{words}, cause {self.reject_cause} of type {self.cause_type}"
        return f"{words}, EMM cause {self.reject_cause}: {_EMM_CAUSE.get(self.reject_cause, 'not in 3GPP TS 24.301')}"


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
