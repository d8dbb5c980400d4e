"""Keys, CSRs and certificates, and the ways to get them onto a board."""

from harness.credentials.certificates import issue_device_certificate
from harness.credentials.device_id import check_device_id
from harness.credentials.lab_ca import LabCa
from harness.credentials.provision import MADE_ON_DEVICE, DeviceCredentials, provision_on_device

__all__ = [
    "MADE_ON_DEVICE",
    "DeviceCredentials",
    "LabCa",
    "check_device_id",
    "issue_device_certificate",
    "provision_on_device",
]
