"""How a cloud is reached, and what else is known about it before the first call."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


def _alive() -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class CloudEndpoints:
    """Addresses and trust of one cloud.

    ``dead``: returns why the process behind the cloud is gone, or None if it runs or the cloud has no process.
    """

    name: str  # the key in boards.yaml
    rest: str  # base URL with version, e.g. "https://api.nrfcloud.com/v1"
    rest_ca: Path | None  # what REST calls trust; None: the system's store
    device_mqtt: tuple[str, int]  # what a board connects to
    observer_mqtt: tuple[str, int] | None  # what this computer connects to; None: the account's mqttEndpoint, port 8883
    root_ca_pem: str  # what a board gets as credential type 0, and what the observer trusts
    public: bool  # others use it too, so poll it slowly
    jitp: tuple[str, int]  # AWS IoT's HTTPS port, for JITP without an MQTT client
    provisioning: str  # base URL of the service that boards are claimed with
    device_rest: tuple[str, int] = ("api.nrfcloud.com", 443)  # where a board reaches REST, with the paths of ``rest``
    other_name: str | None = None  # leads boards to the broker too, and is not in its certificate
    dead: Callable[[], str | None] = _alive
