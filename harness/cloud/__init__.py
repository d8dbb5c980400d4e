"""nRF Cloud as its client sees it: REST calls, the MQTT observer, and where both are reached."""

from harness.cloud.board_transport import BoardTransport
from harness.cloud.claims import CommandState
from harness.cloud.created_things import HARNESS_TAG
from harness.cloud.device_api import DeviceApi, RestAnswer
from harness.cloud.endpoints import CloudEndpoints
from harness.cloud.jitp import JitpResult, jitp_over_https
from harness.cloud.message import ObservedMessage
from harness.cloud.nrfcloud import HARNESS_GATEWAY, NrfCloud
from harness.cloud.observer import Observer
from harness.cloud.refusals import NotOurs, ObserverLost, RestError, StillPending, decode_error
from harness.cloud.types import Account, BulkResult, CertificateSet, OnboardRow, TeamDevice

__all__ = [
    "HARNESS_GATEWAY",
    "HARNESS_TAG",
    "Account",
    "BoardTransport",
    "BulkResult",
    "CertificateSet",
    "CloudEndpoints",
    "CommandState",
    "DeviceApi",
    "JitpResult",
    "NotOurs",
    "NrfCloud",
    "ObservedMessage",
    "Observer",
    "ObserverLost",
    "OnboardRow",
    "RestAnswer",
    "RestError",
    "StillPending",
    "TeamDevice",
    "decode_error",
    "jitp_over_https",
]
