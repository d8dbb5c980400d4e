"""The MQTT connection that a provisioned device's trials are made on, and what is allowed there."""

from harness.cloud import Observer
from harness.run.cloud_device import CloudDevice
from harness.run.open_board import OpenBoard
from harness.trial import AllowedAction, AllowedTopics, MqttConnection, ObservedDelivery, ObservedPublish, ShadowUpdate
from harness.trial.sham import FILL

_SETTLE_LOCAL = 0.5  # a message that takes longer is missed once; the rounds that follow see it
SETTLE_PUBLIC = 15.0  # AWS IoT does not promise order between topics, and shadow answers take their own way
_CONNECT_GAP_PUBLIC = 1.1  # AWS IoT Core quotas: one CONNECT a second for each client id
_BITS_PER_BYTE = 10  # 8N1


def trial_connection(board: OpenBoard, device: CloudDevice, observer: Observer, *, baud: int) -> MqttConnection:
    """Return the connection, not yet made, with the actions that nRF Cloud's own policies allow.

    ``board``, ``device``: whose it is. ``observer``: hears the device's topics. ``baud``: bit/s of the serial line; 0:
    a virtual board's without a pace.
    """
    mqtt, cloud = board.mqtt, device.cloud
    prefix = cloud.account.mqtt_prefix
    actions: list[AllowedAction] = [
        ObservedPublish(mqtt, observer, f"{prefix}m/d/{device.id}/d2c"),
        ObservedPublish(mqtt, observer, f"{prefix}{device.id}/jobs/harness"),
        ShadowUpdate(mqtt, device.id),
    ]

    def allows(action: AllowedAction) -> bool:
        return all(device.expectations.ruling(*right).allowed for right in action.rights)

    public = cloud.endpoints.public
    return MqttConnection(
        mqtt,
        device.login(),
        actions,
        board.port.timeline,
        gap=_CONNECT_GAP_PUBLIC if public else 0.0,
        patience=device.patience,
        settle=SETTLE_PUBLIC if public else _SETTLE_LOCAL,
        byte_seconds=_BITS_PER_BYTE / baud if baud else 0.0,
        allows=allows,
        registered=lambda: board.modem.registration().registered,
    )


def allowed_topics(device: CloudDevice) -> AllowedTopics:
    """Return what shams may be made of: topics below the team's prefix, and those of the device's own shadow."""
    team, shadow = f"{device.cloud.account.mqtt_prefix}m/", f"$aws/things/{device.id}/shadow"
    own = f"{team}d/{device.id}/{FILL}"
    return AllowedTopics(
        topics=(own, f"{team}{FILL}", f"{shadow}/update"),
        filters=(
            own,
            f"{team}{FILL}",
            f"{own}/#",
            f"{team}{FILL}/#",
            f"{shadow}/update/delta",
            f"{shadow}/update/accepted",
            f"{shadow}/get/accepted",
            f"{shadow}/get/#",
        ),
        allows=lambda action, name: device.expectations.ruling(action, name).allowed,
        loud=(f"{team}d/{device.id}/#", f"{team}#"),
    )


def allowed_delivery(board: OpenBoard, device: CloudDevice) -> AllowedAction | None:
    """Return an allowed message to the board, for experiments on subscriptions; None: there is none."""
    cloud = device.cloud
    topic = f"{cloud.account.mqtt_prefix}m/d/{device.id}/c2d"
    known: list[AllowedAction] = [
        ObservedDelivery(board.mqtt, cloud.observer, topic),
        ShadowUpdate(board.mqtt, device.id),
    ]
    allowed = device.expectations.ruling
    return next((one for one in known if all(allowed(*right).allowed for right in one.rights)), None)
