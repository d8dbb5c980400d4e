"""Keys, CSRs and certificates, the four ways to get them onto a board, and tokens made on this computer."""

from harness.credentials.device_id import check_device_id
from harness.credentials.device_jwt import make_device_jwt
from harness.credentials.key_origin import KeyOrigin
from harness.credentials.lab_ca import LabCa
from harness.credentials.material import CloudCredentialsMismatch, CloudKeys
from harness.credentials.provision import provision
from harness.credentials.provisioning import Provisioning
from harness.credentials.records import CredentialRecords
from harness.credentials.replacement import ProvisioningFailed
from harness.credentials.request import ProvisionRequest

__all__ = [
    "CloudCredentialsMismatch",
    "CloudKeys",
    "CredentialRecords",
    "KeyOrigin",
    "LabCa",
    "ProvisionRequest",
    "Provisioning",
    "ProvisioningFailed",
    "check_device_id",
    "make_device_jwt",
    "provision",
]
