"""Reads what nRF Cloud answers when it makes a key and a certificate."""

import requests

from harness.cloud.account_rest import read_object
from harness.cloud.types import CertificateSet


def certificate_set(response: requests.Response) -> CertificateSet:
    """Return the certificates in an answer. Raises RestError: something is missing."""
    raw = read_object(response, clientId=str, caCert=str, clientCert=str, privateKey=str)
    return CertificateSet(raw["clientId"], raw["caCert"], raw["clientCert"], raw["privateKey"])
