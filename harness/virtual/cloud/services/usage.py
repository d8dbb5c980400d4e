"""Counts a team's usage by day. Facts: nRF Cloud REST API, ListApiUsage and FetchApiUsageSummary."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

Service = Literal["LOCATION", "FOTA", "MESSAGES"]
Source = Literal["REST", "MQTT", "ANY"]
_LOCATION = ("AGPS", "PGPS", "SCELL", "MCELL", "WIFI", "REVERSE_GEO")
_Key = tuple[str, str, str, str]


class Usage:
    """Counts uses. ``now``: returns the time of a use."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._counts: Counter[_Key] = Counter()
        self._devices: defaultdict[tuple[str, str], set[str]] = defaultdict(set)

    def count(self, service: Service, kind: str, source: Source, device_id: str | None = None) -> None:
        """Count one use.

        ``service``: what was used. ``kind``: the service's type, e.g. ``MCELL`` or ``APP``. ``source``: by which
        interface. ``device_id``: for which device, or None.
        """
        day = f"{self._now():%Y-%m-%d}"
        self._counts[day, service, kind, source] += 1
        if device_id is not None:
            self._devices[day[:7], kind].add(device_id)

    def items(self, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """Return the usage of the days from ``start`` on, before ``end``."""
        first = start.replace(hour=0, minute=0, second=0, microsecond=0)
        return [
            {"date": day, "service": service, "serviceType": kind, "source": source, "sum": number}
            for (day, service, kind, source), number in sorted(self._counts.items())
            if first <= datetime.fromisoformat(day).replace(tzinfo=UTC) < end
        ]

    def summary(self) -> list[dict[str, Any]]:
        """Return the usage by month, the newest first."""
        months = sorted({day[:7] for day, *_ in self._counts}, reverse=True)
        return [self._month(month) for month in months]

    def _month(self, month: str) -> dict[str, Any]:
        def total(service: str, kind: str | None = None) -> int:
            return sum(
                number
                for (day, one, of_kind, _), number in self._counts.items()
                if day[:7] == month and one == service and kind in (None, of_kind)
            )

        return {
            "date": month,
            "fotaJobExecutions": total("FOTA"),
            "locationServices": {
                kind: {"requests": total("LOCATION", kind), "devicesUsing": len(self._devices[month, kind])}
                for kind in _LOCATION
            },
            "storedDeviceMessages": total("MESSAGES"),
            "messagesRouted": 0,
        }
