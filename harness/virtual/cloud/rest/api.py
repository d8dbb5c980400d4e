"""What the REST handlers work on, and what a request carries from the guard to its handler."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from harness.virtual.cloud.broker.interfaces import Journal
from harness.virtual.cloud.formats import now_utc
from harness.virtual.cloud.registry.service_tokens import ServiceTokens
from harness.virtual.cloud.registry.team import Team
from harness.virtual.cloud.rest.bulk import BulkOperations
from harness.virtual.cloud.services.alerts import Alerts
from harness.virtual.cloud.services.bundles import Bundles
from harness.virtual.cloud.services.fota import FotaJobs
from harness.virtual.cloud.services.locations import Locations
from harness.virtual.cloud.services.messages import MessageStore
from harness.virtual.cloud.services.services import CloudServices
from harness.virtual.cloud.services.usage import Usage
from harness.virtual.cloud.tls.ca import LocalCa

BASE = "/v1"
CALLER = web.RequestKey("caller", str)
"""The key under which a request has its caller: ``team``, the ID of a device, or the kind of a service token."""
DEVICE = web.RequestKey("device", str)
"""The key under which a request to a location service has the device that it is for, if one is named."""
TRIAL = web.RequestKey("trial", bool)
"""The key under which a request has whether it came with an evaluation token."""


@dataclass(frozen=True)
class Api:
    """Everything a handler may need.

    ``mqtt_host``: the broker's name for devices. ``save``: writes changes to the state file, if there is one; called
    before a request is answered.
    """

    team: Team
    services: CloudServices
    messages: MessageStore
    bulk: BulkOperations
    bundles: Bundles
    journal: Journal
    root_pem: str
    jitp_ca: LocalCa
    mqtt_host: str
    api_key: str = field(repr=False)
    alerts: Alerts
    locations: Locations
    usage: Usage
    tokens: ServiceTokens
    user_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    fota: FotaJobs = field(default_factory=FotaJobs)
    now: Callable[[], datetime] = now_utc
    save: Callable[[], object] = lambda: None
