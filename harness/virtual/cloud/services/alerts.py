"""Alerts of devices: every stored message with ``"appId": "ALERT"`` is one, until the team archives it.

Facts: nRF Cloud REST API, ListDeviceAlerts, ArchiveDeviceAlert, RestoreDeviceAlert; nRF Connect SDK, nRF Cloud alerts
(``{"appId": "ALERT", "type": ..., "ts": ms, ...}``). UNCONFIRMED, chosen here: archiving an archived alert changes
nothing; the newest alert comes first.
"""

import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from harness.virtual.cloud.formats import iso
from harness.virtual.cloud.services.messages import StoredMessage

_KEPT = 10_000
_LATEST = 4_102_444_800_000  # ms, the year 2100; a later time of a device is wrong, and is not shown


@dataclass
class Alert:
    """An alert. ``number``: grows with each alert."""

    number: int
    device_id: str
    received_at: datetime
    message: dict[str, Any]
    archived: bool = False
    changed_at: datetime | None = None
    alert_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def item(self) -> dict[str, Any]:
        """Return the alert as the API shows it."""
        made = self.message.get("ts")
        shown: dict[str, Any] = {
            "id": self.alert_id,
            "deviceId": self.device_id,
            "receivedAt": iso(self.received_at),
            "status": "ARCHIVED" if self.archived else "ACTIVE",
            "originalMessage": self.message,
        }
        if isinstance(made, int | float) and not isinstance(made, bool) and 0 < made < _LATEST:
            shown["createdAt"] = iso(datetime.fromtimestamp(made / 1000, UTC))
        if self.changed_at:
            shown["statusChangedAt"] = iso(self.changed_at)
        return shown


class Alerts:
    """The alerts of one team."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._alerts: deque[Alert] = deque(maxlen=_KEPT)
        self._count = 0

    def take(self, stored: StoredMessage) -> None:
        """Note the alerts in a message. A bulk message may hold several."""
        content = stored.content
        for one in content if isinstance(content, list) else [content]:
            if isinstance(one, dict) and one.get("appId") == "ALERT":
                self._count += 1
                self._alerts.append(Alert(self._count, stored.device_id, stored.received_at, one))

    def all(self) -> Iterator[Alert]:
        """Yield every alert, oldest first."""
        return iter(self._alerts)

    def find(self, alert_id: str) -> Alert | None:
        """Return the alert with this id."""
        return next((alert for alert in self._alerts if alert.alert_id == alert_id), None)

    def set_archived(self, alert: Alert, archived: bool) -> None:
        """Archive an alert, or restore it."""
        if alert.archived is not archived:
            alert.archived, alert.changed_at = archived, self._now()
