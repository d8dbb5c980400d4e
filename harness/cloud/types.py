"""What nRF Cloud returns, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Account:
    """One team. ``mqtt_prefix``: first part of every topic of the team, with its final slash: ``prod/<tenant id>/``."""

    tenant_id: str
    mqtt_prefix: str
    mqtt_endpoint: str
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class CertificateSet:
    """Credentials that nRF Cloud made: client id, root CA, client certificate and private key, all PEM."""

    client_id: str
    ca_pem: str = field(repr=False)
    certificate_pem: str = field(repr=False)
    private_key_pem: str = field(repr=False)


TeamDevice = CertificateSet
"""The team's own MQTT client. It may publish and subscribe to everything below the team's prefix, nothing else."""


@dataclass(frozen=True, slots=True)
class OnboardRow:
    """One device of a bulk onboarding."""

    device_id: str
    certificate_pem: str
    sub_type: str = ""
    tags: tuple[str, ...] = ()
    firmware_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BulkResult:
    """How a bulk operation ended. ``errors``: by row, counted from 0; -1: errors that name no row."""

    bulk_id: str
    status: str
    errors: Mapping[int, str]

    @property
    def succeeded(self) -> bool:
        """Whether every row was carried out."""
        return self.status == "SUCCEEDED"
