"""What result codes mean and how long commands may take.

Codes: "nRF9160 AT Commands" and "nRF91x1 AT Commands" references, +CMEE, %CMNG, %KEYGEN, %JWT, %XSUDO, +CFUN; 3GPP TS
27.007 §9.2 and TS 27.005 §3.2.5 for the general ones. Where one number means two things, both stand here with their
command.
"""

from typing import Final

CME: Final[dict[int, str]] = {
    0: "phone failure, or an invalid or unsupported command",
    3: "operation not allowed",
    4: "operation not supported",
    10: "SIM not inserted",
    13: "SIM failure",
    23: "memory failure",
    30: "no network service",
    50: "incorrect parameters",
    51: "command disabled in this build",
    60: "system error",
    513: "not found",
    514: "no access",
    515: "memory full",
    516: "radio connection active",
    518: "not allowed in active state",
    519: "already exists",
    520: "authentication failed (%XSUDO) or already exists (%XPMNG)",
    521: "PLMN search interrupted",
    522: "band configuration not valid in this system mode",
    523: "key generation failed",
    525: "JWT creation failed",
    527: "content not valid for this credential type",
    528: "not allowed while the power-off warning is active",
    529: "claim token could not be made",
}

CMS: Final[dict[int, str]] = {513: "not found", 514: "not allowed", 515: "memory full"}

_CMS_RANGES: Final = (
    (range(128), "network cause, 3GPP TS 24.011"),
    (range(128, 256), "network cause, 3GPP TS 23.040"),
    (range(300, 512), "SMS service failure, 3GPP TS 27.005"),
)

DEFAULT_TIMEOUT: Final = 5.0
_TIMEOUTS: Final[dict[str, float]] = {"+CFUN": 60.0, "%KEYGEN": 15.0, "%CMNG": 15.0}
_NETWORK_SEARCH: Final = 300.0


def meaning(kind: str, code: int) -> str:
    """Return what ``+CME ERROR: code`` (``kind`` "CME") or ``+CMS ERROR: code`` ("CMS") means."""
    if kind == "CME":
        return CME.get(code, "meaning not documented")
    if code in CMS:
        return CMS[code]
    return next((text for codes, text in _CMS_RANGES if code in codes), "meaning not documented")


def default_timeout(name: str, *, test_form: bool = False) -> float:
    """Return the seconds that the command ``name`` ("+CFUN") may take; ``test_form``: it is sent as ``NAME=?``."""
    if name == "+COPS" and test_form:
        return _NETWORK_SEARCH
    return _TIMEOUTS.get(name, DEFAULT_TIMEOUT)
