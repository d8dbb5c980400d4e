"""A witness that keeps the messages which a device receives from the cloud's services."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from harness.firmware import MqttDriver, MqttEvent


class Answers:
    """A witness: a message came on each of these topics since it was made, or since the mark ``since``.

    ``wanted``: topics, each with a text that its message must hold. ``%NONCE%`` is the trial's; an empty text fits any.
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
        """The JSON of the message on a topic. A message that is not JSON fails the test, as any wrong answer does."""
        return json.loads(self._heard[topic])
