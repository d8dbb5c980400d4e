"""errno numbers as nRF91 firmware prints them: newlib's (nrf_errno.h), not this computer's.

``#XMQTTEVT: 1,-128`` is ENOTCONN on the device; Python's ``errno.ENOTCONN`` is 107 on Linux. Never mix the two.
Source: newlib and picolibc ``errno.h``; the same numbers stand in nrf_modem's ``nrf_errno.h``.
"""

NAMES: dict[int, str] = {
    5: "EIO",
    11: "EAGAIN",
    12: "ENOMEM",
    13: "EACCES",
    16: "EBUSY",
    22: "EINVAL",
    32: "EPIPE",
    61: "ENODATA",
    71: "EPROTO",
    77: "EBADMSG",
    95: "EOPNOTSUPP",
    104: "ECONNRESET",
    105: "ENOBUFS",
    110: "ESHUTDOWN",
    111: "ECONNREFUSED",
    112: "EADDRINUSE",
    113: "ECONNABORTED",
    114: "ENETUNREACH",
    115: "ENETDOWN",
    116: "ETIMEDOUT",
    117: "EHOSTDOWN",
    118: "EHOSTUNREACH",
    119: "EINPROGRESS",
    120: "EALREADY",
    122: "EMSGSIZE",
    126: "ENETRESET",
    127: "EISCONN",
    128: "ENOTCONN",
    134: "ENOTSUP",
    139: "EOVERFLOW",
    140: "ECANCELED",
}

EIO = 5
ECONNRESET = 104
ESHUTDOWN = 110
ECONNREFUSED = 111
ECONNABORTED = 113
ENETDOWN = 115
ENOTCONN = 128
EOVERFLOW = 139

REMOTE_CLOSE = frozenset({ENOTCONN, ECONNABORTED, ECONNRESET, ECONNREFUSED})
"""How firmware reports a connection that the other side ended: FIN, FIN with data waiting, RST, FIN before CONNACK."""


def describe(number: int) -> str:
    """Return the name for a number: ``ENOTCONN (128)`` for -128 and 128, ``errno 9999`` for an unknown one."""
    name = NAMES.get(abs(number))
    return f"{name} ({abs(number)})" if name else f"errno {abs(number)}"
