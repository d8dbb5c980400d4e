"""The MQTT connection that a provisioned device's trials are made on."""

from harness.run.cloud_device import CloudDevice
from harness.run.open_board import OpenBoard
from harness.timeline import Timeline
from harness.trial import AllowedAction, MqttConnection, ObservedPublish, ShadowUpdate

_SETTLE_LOCAL = 2.0
_SETTLE_PUBLIC = 15.0  # AWS IoT does not promise order between topics, and shadow answers take their own way
_CONNECT_GAP_PUBLIC = 1.1  # AWS IoT Core quotas: one CONNECT a second for each client id


def trial_connection(board: OpenBoard, device: CloudDevice, timeline: Timeline) -> MqttConnection:
    """Return the connection, not yet made, with the actions that nRF Cloud's own policies allow."""
    firmware, cloud = board.firmware, device.cloud
    prefix, observer = cloud.account.mqtt_prefix, cloud.observer
    actions: list[AllowedAction] = [
        ObservedPublish(firmware, observer, f"{prefix}m/d/{device.id}/d2c"),
        ObservedPublish(firmware, observer, f"{prefix}{device.id}/jobs/harness"),
        ShadowUpdate(firmware, device.id),
    ]
    public = cloud.endpoints.public
    return MqttConnection(
        firmware,
        device.login(),
        actions,
        timeline,
        gap=_CONNECT_GAP_PUBLIC if public else 0.0,
        patience=device.patience,
        settle=_SETTLE_PUBLIC if public else _SETTLE_LOCAL,
    )
