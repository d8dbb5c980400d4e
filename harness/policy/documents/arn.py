"""Resource names (ARNs) of AWS IoT Core requests, from "AWS IoT Core Developer Guide, Action resources"."""

# Used wherever no real account is involved: the account of AWS's own examples.
EXAMPLE_REGION = "us-east-1"
EXAMPLE_ACCOUNT = "123456789012"

_TOPIC_TYPES = {"topic": "topicfilter", "topicfilter": "topic"}


def client_arn(client_id: str, *, region: str = EXAMPLE_REGION, account: str = EXAMPLE_ACCOUNT) -> str:
    """Return the resource of ``iot:Connect`` with ``client_id``. ``region``, ``account``: of the cloud."""
    return f"arn:aws:iot:{region}:{account}:client/{client_id}"


def topic_arn(topic: str, *, region: str = EXAMPLE_REGION, account: str = EXAMPLE_ACCOUNT) -> str:
    """Return the resource of ``iot:Publish``, ``iot:RetainPublish`` and ``iot:Receive`` on ``topic``.

    ``region``, ``account``: of the cloud.
    """
    return f"arn:aws:iot:{region}:{account}:topic/{topic}"


def topicfilter_arn(topic_filter: str, *, region: str = EXAMPLE_REGION, account: str = EXAMPLE_ACCOUNT) -> str:
    """Return the resource of ``iot:Subscribe`` to ``topic_filter``, one filter of a SUBSCRIBE packet.

    ``region``, ``account``: of the cloud.
    """
    return f"arn:aws:iot:{region}:{account}:topicfilter/{topic_filter}"


def thing_arn(thing: str, *, region: str = EXAMPLE_REGION, account: str = EXAMPLE_ACCOUNT) -> str:
    """Return the resource of shadow and jobs actions over HTTPS on ``thing``. ``region``, ``account``: of the cloud."""
    return f"arn:aws:iot:{region}:{account}:thing/{thing}"


def resource_start(arn: str) -> int:
    """Return the position behind the fifth colon, where the resource part begins; 0 for text with fewer colons."""
    position = 0
    for _ in range(5):
        position = arn.find(":", position) + 1
        if position == 0:
            return 0
    return position


def resource_part(arn: str) -> str:
    """Return the part of an ARN that people read, like ``topic/a/b``. Text that is no ARN (``*``) stays as it is."""
    return arn[resource_start(arn) :]


def other_topic_type(arn: str) -> str | None:
    """Return the ARN of a topic as one of a topic filter, and the other way round; None for other resources."""
    start = resource_start(arn)
    kind, slash, text = arn[start:].partition("/")
    if not slash or kind not in _TOPIC_TYPES:
        return None
    return f"{arn[:start]}{_TOPIC_TYPES[kind]}/{text}"
