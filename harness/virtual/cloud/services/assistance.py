"""Invented assistance data for GNSS, in the form that firmware reads: two satellites, no real orbits. No I/O.

Facts: nRF Connect SDK, nRF Cloud library, schemas of A-GNSS and P-GPS data. The data begin with one byte, the version.
Then come elements: one byte of type, two bytes of count, and that number of structures, all little-endian. A P-GPS file
begins with a header.
"""

import struct
from collections.abc import Collection

_VERSION = 1
_PREDICTIONS = 10
_EPHEMERIS, _CLOCK = 2, 7
_SATELLITES = 2
_PREDICTED = 32
_SIZES = {1: 14, 2: 62, 3: 31, 4: 8, 5: 8, 6: 4, 7: 16, 8: 15, 9: 4, 11: 31, 12: 62, 13: 4}
"""The bytes of one structure by type: 1 UTC, 2 ephemeris, 3 almanac, 4 Klobuchar, 5 NeQuick, 6 time of week, 7 system
clock, 8 location, 9 integrity; 11 to 13 the almanac, ephemerides and integrity of QZSS."""
_OF_SATELLITES = (2, 3, 6, 11, 12)
_LOCATION, _INTEGRITY = 8, (9, 13)


def agnss(types: Collection[int], latitude: float, longitude: float) -> bytes:
    """Return A-GNSS data of these types, except for types without data.

    ``types``: numbers of the kinds of data. ``latitude``, ``longitude``: of the device, in degrees.
    """
    return bytes([_VERSION]) + b"".join(_element(kind, latitude, longitude) for kind in _SIZES if kind in types)


def pgps(count: int, interval_minutes: int, day: int, seconds: int) -> bytes:
    """Return a P-GPS file of ``count`` predictions, the first for ``seconds`` of GPS ``day``.

    ``interval_minutes``: from one prediction to the next.
    """
    predictions = []
    for index in range(count):
        since = seconds + index * interval_minutes * 60
        clock = struct.pack("<HIHII", day + since // 86400 & 0xFFFF, since % 86400, 0, 0, 0)
        orbits = b"".join(_structure(_EPHEMERIS, satellite) for satellite in range(1, _PREDICTED + 1))
        predictions.append(_head(_CLOCK, 1) + clock + _head(_EPHEMERIS, _PREDICTED) + orbits)
    size = len(predictions[0])
    return struct.pack(
        "<BBHHHHhi", _VERSION, _PREDICTIONS, 1, count, size, interval_minutes, day, seconds
    ) + b"".join(predictions)  # fmt: skip


def _element(kind: int, latitude: float, longitude: float) -> bytes:
    if kind in _OF_SATELLITES:
        numbers = range(1, _SATELLITES + 1)
        return _head(kind, _SATELLITES) + b"".join(_structure(kind, satellite) for satellite in numbers)
    if kind == _LOCATION:
        # 3GPP TS 23.032 §6.1: latitude in 2^23 parts of 90 degrees, longitude in 2^24 parts of 360
        place = int(latitude * 2**23 / 90), int(longitude * 2**24 / 360)
        return _head(kind, 1) + struct.pack("<iihBBBBB", *place, 0, 18, 18, 0, 255, 68)
    if kind in _INTEGRITY:
        return _head(kind, 1) + b"\xff" * _SIZES[kind]
    return _head(kind, 1) + bytes(_SIZES[kind])


def _head(kind: int, count: int) -> bytes:
    return struct.pack("<BH", kind, count)


def _structure(kind: int, satellite: int) -> bytes:
    return bytes([satellite]) + bytes(_SIZES[kind] - 1)
