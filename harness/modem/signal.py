"""The signal figures in a line of the modem: of an answer, or of a URC.

Sources: nRF91x1 AT Commands reference (+CESQ, %CESQ, %XMONITOR, %CONEVAL). For the steps of RSRP and RSRQ 3GPP TS
36.133, for that of the SNR modem_info of the nRF Connect SDK. A step is given by its lower end.
"""

import csv
from collections.abc import Callable
from typing import Final, NamedTuple

_UNKNOWN: Final = 255


class _Places(NamedTuple):
    """Where in a line's fields a figure stands; None: nowhere."""

    rsrp: int
    rsrq: int | None = None
    snr: int | None = None


_PLACES: Final = {
    "+CESQ": _Places(rsrp=5, rsrq=4),
    "%CESQ": _Places(rsrp=0, rsrq=2),
    "%XMONITOR": _Places(rsrp=10, snr=11),
    "%CONEVAL": _Places(rsrp=3, rsrq=4, snr=5),
}
_UNITS: Final[dict[str, Callable[[int], float]]] = {
    "rsrp": lambda step: step - 141,
    "rsrq": lambda step: step / 2 - 20,
    "snr": lambda step: step - 24,
}


def signal_in(line: str) -> dict[str, float]:
    """Return ``rsrp`` (dBm), ``rsrq`` (dB) and ``snr`` (dB) of those that ``line`` has: ``+CESQ: 99,99,255,255,31,62``.

    What the modem does not know is left out; so is what cannot be read.
    """
    name, colon, args = line.partition(":")
    places = _PLACES.get(name)
    if places is None or not colon:
        return {}
    try:
        fields = next(csv.reader([args.strip()], strict=True), [])
    except csv.Error:
        return {}
    found = {figure: _step(fields, place) for figure, place in places._asdict().items()}
    return {figure: _UNITS[figure](step) for figure, step in found.items() if step is not None}


def _step(fields: list[str], place: int | None) -> int | None:
    if place is None or place >= len(fields) or not fields[place].isdecimal():
        return None
    return None if int(fields[place]) == _UNKNOWN else int(fields[place])
