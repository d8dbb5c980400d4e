"""The MQTT connection that a provisioned device's trials are made on."""

from harness.run.cloud_device import CloudDevice
from harness.run.open_board import OpenBoard
from harness.trial import AllowedAction, MqttConnection, ObservedPublish, ShadowUpdate

_SETTLE_LOCAL = 2.0
_SETTLE_PUBLIC = 15.0  # AWS IoT does not promise order between topics, and shadow answers take their own way
_CONNECT_GAP_PUBLIC = 1.1  # AWS IoT Core quotas: one CONNECT a second for each client id


def trial_connection(board: OpenBoard, device: CloudDevice) -> MqttConnection:
    """Return the connection, not yet made, with the actions that nRF Cloud's own policies allow."""
    mqtt, cloud = board.mqtt, device.cloud
    prefix, observer = cloud.account.mqtt_prefix, cloud.observer
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
        settle=_SETTLE_PUBLIC if public else _SETTLE_LOCAL,
        allows=allows,
    )
