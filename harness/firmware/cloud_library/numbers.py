"""The numbers that the cloud libraries print, by generation of the SDK. Pure tables.

Sources: sdk-nrf ``include/net/nrf_cloud.h`` (today's; that of about 1.9), ``include/net/cloud.h`` (the Cloud API of
1.x, removed later), ``nrf_cloud_transport.c`` (errno to connect result).
"""

import re
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Generation(StrEnum):
    """Which numbers a firmware prints."""

    CURRENT = "current"  # nRF Cloud library since NCS 2.0
    NCS_1 = "ncs 1"  # nRF Cloud library of NCS 1.x
    CLOUD_API = "cloud api"  # CLOUD_EVT_*, NCS 1.2 to 1.8


_FIRST: Final = ("TRANSPORT_CONNECTED", "TRANSPORT_CONNECTING", "USER_ASSOCIATION_REQUEST", "USER_ASSOCIATED", "READY")
_CURRENT: Final = (
    *_FIRST,
    *("RX_DATA_GENERAL", "RX_DATA_DISCON", "RX_DATA_LOCATION", "RX_DATA_SHADOW", "PINGRESP", "SENSOR_DATA_ACK"),
    *("TRANSPORT_DISCONNECTED", "FOTA_START", "FOTA_DONE", "FOTA_ERROR", "TRANSPORT_CONNECT_ERROR"),
    "FOTA_JOB_AVAILABLE",
)
_NCS_1: Final = (
    *_FIRST,
    *("RX_DATA", "SENSOR_DATA_ACK", "TRANSPORT_DISCONNECTED", "FOTA_START", "FOTA_DONE", "FOTA_ERROR"),
)
_CLOUD_API: Final = (
    *("CONNECTING", "CONNECTED", "DISCONNECTED", "READY", "ERROR", "DATA_SENT", "DATA_RECEIVED", "PAIR_REQUEST"),
    *("PAIR_DONE", "FOTA_START", "FOTA_DONE", "FOTA_ERASE_PENDING", "FOTA_ERASE_DONE"),
)
EVENTS: Final = MappingProxyType(
    {
        Generation.CURRENT: MappingProxyType(dict(enumerate(_CURRENT, 1)) | {0xFF: "ERROR"}),
        Generation.NCS_1: MappingProxyType(dict(enumerate(_NCS_1, 1)) | {0xFF: "ERROR"}),
        Generation.CLOUD_API: MappingProxyType(dict(enumerate(_CLOUD_API))),
    }
)
"""Names of event numbers, without NRF_CLOUD_EVT_ or CLOUD_EVT_."""

USER_REQUEST: Final = 0
CLOSED_BY_REMOTE: Final = 1
INVALID_REQUEST: Final = 2
"""Statuses of a disconnect: nrf_cloud_disconnect_status, cloud_disconnect_reason, AWS_IOT_DISCONNECT_*."""

NO_VERDICT_RESULTS: Final = frozenset({-3, -6, -10, -11})
"""Connect results that say nothing of a refusal: network, memory, time-out, connected already."""

_BOOT: Final = re.compile(r"\*\*\* Booting (?:nRF Connect SDK v(\d+)\.|Zephyr OS build v(\d+)\.)")


def event_name(number: int, generation: Generation | None) -> str | None:
    """Return an event's name; None: unknown, or the generations differ on it and which one it is is not known."""
    if generation is not None:
        return EVENTS[generation].get(number)
    names = {EVENTS[each].get(number) for each in (Generation.CURRENT, Generation.NCS_1)}
    return names.pop() if len(names) == 1 else None


def generation_of(line: str) -> Generation | None:
    """Return the generation that a boot banner shows; None: it is none. The Cloud API shows by its events' names."""
    found = _BOOT.search(line)
    if found is None:
        return None
    sdk, zephyr = found.groups()
    # NCS 1.9 has Zephyr 2.7, NCS 2.0 Zephyr 3.0.
    return Generation.CURRENT if (int(sdk) >= 2 if sdk else int(zephyr) >= 3) else Generation.NCS_1
