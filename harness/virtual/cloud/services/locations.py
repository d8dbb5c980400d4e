"""The locations of devices: what location services answered, and what devices reported themselves.

Facts: nRF Cloud REST API, GetLocationHistory (numbers as text) and RecordGnssCoordinates. UNCONFIRMED, chosen here:
``meta`` of a location without GNSS has its uncertainty as ``acc``, and zeros, because the document requires them.
"""

import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from harness.virtual.cloud.formats import iso

_KEPT = 10_000


@dataclass(frozen=True)
class DeviceLocation:
    """A location of a device. ``number``: grows with each. ``kind``: GNSS, WIFI, MCELL, SCELL, or one with _EVAL."""

    number: int
    device_id: str
    kind: str
    at: datetime
    lat: float
    lon: float
    uncertainty: float
    more: dict[str, float]
    place_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def item(self) -> dict[str, Any]:
        """Return the location as the API shows it."""
        return {
            "id": self.place_id,
            "deviceId": self.device_id,
            "serviceType": self.kind,
            "insertedAt": iso(self.at),
            "lat": str(self.lat),
            "lon": str(self.lon),
            "uncertainty": str(self.uncertainty),
            "meta": {"acc": self.uncertainty, "alt": 0, "spd": 0, "hdg": 0, **self.more},
        }


class Locations:
    """The locations of one team's devices."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._places: deque[DeviceLocation] = deque(maxlen=_KEPT)
        self._count = 0

    def add(
        self,
        device_id: str,
        kind: str,
        place: tuple[float, float],
        uncertainty: float,
        more: Mapping[str, float] | None = None,
    ) -> None:
        """Note where a device is now.

        ``device_id``: the device's. ``kind``: how it was located. ``place``: latitude and longitude. ``uncertainty``:
        metres. ``more``: members of ``meta``.
        """
        self._count += 1
        self._places.append(
            DeviceLocation(self._count, device_id, kind, self._now(), *place, uncertainty, dict(more or {}))
        )

    def all(self) -> Iterator[DeviceLocation]:
        """Yield every location, oldest first."""
        return iter(self._places)

    def remove(self, device_id: str, place_id: str) -> bool:
        """Forget a location; False: there is no such location."""
        for place in self._places:
            if (place.device_id, place.place_id) == (device_id, place_id):
                self._places.remove(place)
                return True
        return False
