"""What a device hears of the cloud's services, kept for a closer look."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from harness.firmware import MqttDriver, MqttEvent


class Answers:
    """A witness: each of these topics has spoken since it was made, or since the mark ``since``.

    ``wanted``: topics, each with a text that its message holds; ``%NONCE%`` is the trial's, an empty one fits any.
    """

    def __init__(self, device: MqttDriver, wanted: Mapping[str, str], *, since: int | None = None) -> None:
        self._device = device
        self._wanted = wanted
        self._mark = device.mark() if since is None else since
        self._heard: dict[str, bytes] = {}

    def __call__(self, token: str, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        for topic, text in self._wanted.items():
            holds = text.replace("%NONCE%", token).encode()

            def is_it(event: MqttEvent, topic: str = topic, holds: bytes = holds) -> bool:
                return event.topic == topic and holds in event.payload

            left = max(deadline - time.monotonic(), 0.0)
            event = self._device.wait(is_it, since=self._mark, timeout=left)
            if event is None:
                return False
            self._heard[topic] = event.payload
        return True

    def __getitem__(self, topic: str) -> Any:
        """The JSON that was heard on a topic. One that is none fails the test, as any wrong answer does."""
        return json.loads(self._heard[topic])
