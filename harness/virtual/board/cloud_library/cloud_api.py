"""The samples on the Cloud API of NCS 1.x, which is gone since 2.0. They print its events and its reasons.

Sources: sdk-nrf 1.x, samples/nrf9160/cloud_client (printk; the only sample whose POLLHUP is printed) and
applications/asset_tracker (``connection_evt_handler``); include/net/cloud.h (the reasons' numbers).
"""

from harness.virtual.board.cloud_library.sample_code import SampleCode
from harness.virtual.board.cloud_library.session import SessionEvent

USER_REQUEST, CLOSED_BY_REMOTE, INVALID_REQUEST = 0, 1, 2
_EVENTS = {
    SessionEvent.CONNECTED: "CLOUD_EVT_CONNECTED",
    SessionEvent.READY: "CLOUD_EVT_READY",
    SessionEvent.ASSOCIATION_REQUEST: "CLOUD_EVT_PAIR_REQUEST",
    SessionEvent.ASSOCIATED: "CLOUD_EVT_PAIR_DONE",
}


class CloudClient(SampleCode):
    """cloud_client."""

    def booted(self) -> None:
        """See SampleCode."""
        self._voice.print("Cloud client has started")
        self._voice.print("Connecting to LTE network. This may take several minutes.")

    def attached(self) -> None:
        """See SampleCode."""
        self._voice.print("Connected to LTE network")

    def told(self, what: SessionEvent, code: int) -> None:
        """See SampleCode."""
        if what in _EVENTS:
            self._voice.print(_EVENTS[what])
        super().told(what, code)

    def refused(self, code: int) -> None:
        """See SampleCode."""
        super().refused(code)
        self._voice.print("cloud_connect, error: -9")

    def kicked(self, code: int) -> None:
        """See SampleCode."""
        for text in ("Socket error: POLLHUP", "Connection was closed by the cloud.", "CLOUD_EVT_DISCONNECTED"):
            self._voice.print(text)

    def closed(self) -> None:
        """See SampleCode."""
        self._voice.print("CLOUD_EVT_DISCONNECTED")

    def sent(self, count: int) -> None:
        """See SampleCode."""
        self._voice.print(f"Publishing message: {count}")
        self._voice.print("CLOUD_EVT_DATA_SENT")


class AssetTracker(SampleCode):
    """asset_tracker, the first: an event of the end of a connection has its reason as a number."""

    module = "asset_tracker"
    again = 10.0

    def booted(self) -> None:
        """See SampleCode."""
        self._inf("Asset tracker started")
        self._inf("Connecting to LTE network.")
        self._inf("This may take several minutes.")

    def attached(self) -> None:
        """See SampleCode."""
        self._inf("Connected to LTE network.")

    def connecting(self) -> None:
        """See SampleCode."""
        self._inf("Cloud connection request sent.")
        self._inf("CLOUD_EVT_CONNECTING")

    def told(self, what: SessionEvent, code: int) -> None:
        """See SampleCode."""
        if what in _EVENTS:
            self._inf(_EVENTS[what])
        elif what is SessionEvent.NETWORK_GONE:
            self._ended(INVALID_REQUEST, "Cloud connection closed.")
        super().told(what, code)

    def not_associated(self) -> None:
        """See SampleCode."""
        self._inf("Add device to cloud account.")
        self._inf("Waiting for cloud association...")

    def kicked(self, code: int) -> None:
        """See SampleCode."""
        self._ended(CLOSED_BY_REMOTE, "Disconnected by the cloud.")

    def closed(self) -> None:
        """See SampleCode."""
        self._ended(USER_REQUEST)

    def sent(self, count: int) -> None:
        """See SampleCode."""
        self._inf("CLOUD_EVT_DATA_SENT")

    def _ended(self, reason: int, *more: str) -> None:
        self._inf(f"CLOUD_EVT_DISCONNECTED: {reason}")
        for text in (*more, f"Attempting reconnect in {self.again:.0f} seconds..."):
            self._inf(text)
