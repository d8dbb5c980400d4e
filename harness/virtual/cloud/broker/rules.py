"""What a client may not send, whatever its policies say. Breaking a rule ends the connection with CLIENT_ERROR.

Sources: AWS IoT Core Developer Guide, "MQTT", "Reserved topics"; General Reference, message broker quotas. A topic over
its limits counts as a client error; that it ends the connection is UNCONFIRMED.
"""

import re

from harness.settings import Limits
from harness.virtual.mqtt import Publish, Subscribe, Unsubscribe, Will

_OFFERED = re.compile(r"\$aws/(things/[^/]+/(shadow|jobs)/.+|rules/[^/]+/.+)", re.DOTALL)
_NOT_COUNTED = re.compile(r"\$aws/rules/[^/]+/")  # Basic Ingest: the prefix does not count towards the topic's limits


class ClientError(Exception):
    """The client broke a rule of the protocol or of the service, so its connection ends."""


def check_client_id(client_id: str, limits: Limits) -> None:
    """Raise :class:`ClientError` for an id that AWS IoT refuses. An empty one is refused too (UNCONFIRMED)."""
    if not client_id:
        raise ClientError("the client id is empty")
    if client_id.startswith("$"):
        raise ClientError("the client id begins with $")
    if len(client_id.encode()) > limits.client_id:
        raise ClientError(f"the client id is longer than {limits.client_id} bytes")


def check_message(message: Publish | Will, limits: Limits) -> None:
    """Raise :class:`ClientError` for QoS 2 and for a topic or payload over its limit."""
    if message.qos > 1:
        raise ClientError("QoS 2 is not supported")
    if len(message.payload) > limits.payload:
        raise ClientError(f"the payload has {len(message.payload)} bytes, {limits.payload} are allowed")
    _check_topic(message.topic, limits)


def check_offered(message: Publish | Will) -> None:
    """Raise :class:`ClientError` for a reserved topic that the service does not have, or RETAIN on a reserved one."""
    if not message.topic.startswith("$"):
        return
    if not _OFFERED.fullmatch(message.topic):
        raise ClientError(f"the service does not have the topic {message.topic}")
    if message.retain:
        raise ClientError(f"a retained message on the reserved topic {message.topic}")


def check_subscribe(packet: Subscribe, limits: Limits) -> None:
    """Raise :class:`ClientError` for too many filters, QoS 2, or a filter over its limits."""
    if len(packet.filters) > limits.filters_per_subscribe:
        raise ClientError(f"{len(packet.filters)} filters in one SUBSCRIBE, {limits.filters_per_subscribe} are allowed")
    for text, qos in packet.filters:
        if qos > 1:
            raise ClientError("QoS 2 is not supported")
        _check_topic(text, limits)


def check_unsubscribe(packet: Unsubscribe, limits: Limits) -> None:
    """Raise :class:`ClientError` for too many filters. There is no UNSUBACK then, and all subscriptions stay.

    Source: aws-iot-device-sdk-js issue 361. That the connection ends, as for SUBSCRIBE, is UNCONFIRMED.
    """
    if len(packet.filters) > limits.filters_per_subscribe:
        raise ClientError(
            f"{len(packet.filters)} filters in one UNSUBSCRIBE, {limits.filters_per_subscribe} are allowed"
        )


def check_filter_offered(text: str) -> None:
    """Raise :class:`ClientError` for a ``$`` filter other than ``$aws/...``. Shared subscriptions are not simulated."""
    if text.startswith("$") and not text.startswith("$aws/"):
        raise ClientError(f"the service does not have the topic filter {text}")


def _check_topic(text: str, limits: Limits) -> None:
    counted = _NOT_COUNTED.sub("", text, count=1) if text.startswith("$aws/rules/") else text
    if len(counted.encode()) > limits.topic:
        raise ClientError(f"a topic of {len(counted.encode())} bytes, {limits.topic} are allowed")
    if counted.count("/") > limits.topic_slashes:
        raise ClientError(f"a topic with {counted.count('/')} slashes, {limits.topic_slashes} are allowed: {text}")
