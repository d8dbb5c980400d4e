"""Keys, CSRs and certificates, the four ways to get them onto a board, and tokens made on this computer."""

from harness.credentials.certificates import issue_device_certificate
from harness.credentials.device_id import check_device_id
from harness.credentials.device_jwt import make_device_jwt
from harness.credentials.key_origin import KeyOrigin
from harness.credentials.lab_ca import LabCa
from harness.credentials.material import CloudCredentials, CloudCredentialsMismatch, CloudKeys, OverTheAir
from harness.credentials.provision import provision
from harness.credentials.provisioning import Provisioning
from harness.credentials.records import CredentialRecords
from harness.credentials.replacement import ProvisioningFailed
from harness.credentials.request import ProvisionRequest

__all__ = [
    "CloudCredentials",
    "CloudCredentialsMismatch",
    "CloudKeys",
    "CredentialRecords",
    "KeyOrigin",
    "LabCa",
    "OverTheAir",
    "ProvisionRequest",
    "Provisioning",
    "ProvisioningFailed",
    "check_device_id",
    "issue_device_certificate",
    "make_device_jwt",
    "provision",
]
