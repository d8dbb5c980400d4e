"""Device messages over REST: lists stored ones, and publishes on a device's behalf.

Facts: nRF Cloud REST API, ListMessages (which filters go together) and SendDeviceMessage (topics without the team's
prefix, binary messages as base64).
"""

import base64
import binascii
import json
import re
from typing import Any

from aiohttp import web

from harness.virtual.cloud.rest.api import BASE, Api
from harness.virtual.cloud.rest.request import (
    PAGING,
    accepted,
    answer_page,
    invalid,
    read_moment,
    read_object,
    read_query,
)
from harness.virtual.cloud.services.messages import MessageQuery, StoredMessage

_FILTERS = ("appId", "deviceId", "topic")
_BOUNDS = ("inclusiveStart", "start", "exclusiveEnd", "end")
_TOPIC = re.compile(r"(?:m/)?(d/([a-z0-9:_-]{1,128})/[^+#\x00]+)", re.IGNORECASE)
_LONGEST_APP_ID = 64
_LONGEST_TOPIC = 256
_LONGEST_MESSAGE = 131_072  # the message is published over MQTT, where AWS IoT accepts no more


class MessageRoutes:
    """Handlers about messages."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get(f"{BASE}/messages", self.list),
            web.post(f"{BASE}/devices/{{deviceId}}/messages", self.send),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """ListMessages."""
        query = read_query(request, allowed=(*_FILTERS, *_BOUNDS, *PAGING))
        given = {name: values[0] for name, values in query.items()}
        if "appId" in given and "topic" in given:
            raise invalid("appId and topic cannot be combined")
        if len(given.get("appId", "")) > _LONGEST_APP_ID:
            raise invalid(f"appId has at most {_LONGEST_APP_ID} characters")
        wanted = MessageQuery(
            device_id=given.get("deviceId"),
            topic=given.get("topic"),
            app_id=given.get("appId"),
            start=read_moment(query, "inclusiveStart", "start"),
            end=read_moment(query, "exclusiveEnd", "end"),
        )
        return answer_page(
            query,
            self._api.messages.find(wanted),
            number=lambda message: message.number,
            show=StoredMessage.item,
        )

    async def send(self, request: web.Request) -> web.Response:
        """SendDeviceMessage. UNCONFIRMED, chosen here: topics to the device (``d/<id>/c2d/r``) are delivered too."""
        device_id = self._api.team.device(request.match_info["deviceId"]).device_id
        body = await read_object(request, allowed=("topic", "message"))
        topic = body.get("topic", f"d/{device_id}/d2c")
        form = _TOPIC.fullmatch(topic) if isinstance(topic, str) else None
        if form is None:
            raise invalid("topic must look like d/<device ID>/d2c or m/d/<device ID>/d2c/…, without the team's prefix")
        whole = f"{self._api.team.prefix}m/{form[1]}"
        if len(whole.encode(errors="replace")) > _LONGEST_TOPIC:
            raise invalid(f"the topic has more than {_LONGEST_TOPIC} bytes with the team's prefix")
        payload = _payload(body.get("message"), binary=form[1].endswith("/bin"))
        if len(payload) > _LONGEST_MESSAGE:
            raise invalid(f"the message has {len(payload)} bytes, {_LONGEST_MESSAGE} are allowed")
        self._api.services.publish_for_device(whole, payload, form[2])
        return accepted()


def _payload(message: Any, *, binary: bool) -> bytes:
    if not isinstance(message, str | dict | list):
        raise invalid("message is required; it must be an object, a list or a string")
    if not binary:
        return message.encode(errors="replace") if isinstance(message, str) else json.dumps(message).encode()
    try:
        return base64.b64decode(message if isinstance(message, str) else "-", validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("a message for a bin topic must be a base64 string") from error
