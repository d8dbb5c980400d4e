"""The local nRF Cloud as a whole: registry, broker, services and REST API in one event loop, on loopback."""

import asyncio
import os
import secrets
import ssl
import tempfile
import uuid
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

from aiohttp import web

from harness.virtual.cloud.broker import Broker
from harness.virtual.cloud.bulk import BulkOperations
from harness.virtual.cloud.ca import IssuedIdentity, LocalCa
from harness.virtual.cloud.interfaces import Journal
from harness.virtual.cloud.messages import MessageStore
from harness.virtual.cloud.policies import group_policies
from harness.virtual.cloud.profile import AWS_IOT, BrokerProfile
from harness.virtual.cloud.registry import Registry
from harness.virtual.cloud.rest import build_app
from harness.virtual.cloud.rest_common import BASE, Api
from harness.virtual.cloud.services import CloudServices
from harness.virtual.cloud.team import Team

MQTT_HOST = "mqtt.nrfcloud.com"
REST_HOST = "api.nrfcloud.com"
_NAMES = ("localhost", MQTT_HOST, REST_HOST, "api.provisioning.nrfcloud.com")
_LOOPBACK = "127.0.0.1"
_SHUTDOWN_TIMEOUT = 0.5


@dataclass(frozen=True)
class CloudSettings:
    """What may differ between local clouds.

    ``policies``: directory whose documents replace the shipped ones. ``bulk_step``: seconds that a bulk operation stays
    PENDING, and again IN_PROGRESS.
    """

    tenant_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    policies: Path | None = None
    profile: BrokerProfile = AWS_IOT
    bulk_step: float = 0.05


class LocalCloud:
    """One local cloud. PolicyError at construction when a policy document is broken.

    Public: ``registry``, ``team``, ``services``, ``broker``; ``api_key`` (secret), ``root_pem``. Make it inside the
    running event loop.
    """

    def __init__(self, journal: Journal, settings: CloudSettings | None = None) -> None:
        settings = settings or CloudSettings()
        loop = asyncio.get_running_loop()
        prefix = f"prod/{settings.tenant_id}/"
        ca = LocalCa()
        self._server = ca.issue_server(_NAMES, [IPv4Address(_LOOPBACK)])
        self.root_pem = ca.certificate_pem
        self.api_key = secrets.token_hex(20)
        self.registry = Registry(group_policies(settings.policies), server=self._server, root_pem=self.root_pem)
        messages = MessageStore(prefix, settings.tenant_id)
        self.services = CloudServices(
            messages,
            thing_exists=lambda name: self.registry.thing(name) is not None,
            journal=journal,
            later=loop.call_soon,
        )
        self.broker = Broker(self.registry, self.services, journal, settings.profile)
        self.services.attach(self.broker)
        self.team = Team(
            settings.tenant_id,
            prefix,
            registry=self.registry,
            services=self.services,
            ca=ca,
            journal=journal,
            disconnect=self.broker.disconnect,
        )
        # Here the delay is what is simulated: nRF Cloud carries out bulk operations some time after it accepted them.
        bulk = BulkOperations(self.team.onboard, schedule=partial(loop.call_later, settings.bulk_step))
        api = Api(
            team=self.team,
            services=self.services,
            messages=messages,
            bulk=bulk,
            journal=journal,
            root_pem=self.root_pem,
            mqtt_host=MQTT_HOST,
            api_key=self.api_key,
        )
        self._runner = web.AppRunner(build_app(api), access_log=None, shutdown_timeout=_SHUTDOWN_TIMEOUT)
        self.mqtt_address = (_LOOPBACK, 0)
        self.rest_address = (_LOOPBACK, 0)

    async def start(self) -> None:
        """Listen on two free ports of 127.0.0.1; ``mqtt_address`` and ``rest_address`` then hold them."""
        self.mqtt_address = (_LOOPBACK, await self.broker.start(_LOOPBACK, 0))
        await self._runner.setup()
        await web.TCPSite(self._runner, _LOOPBACK, 0, ssl_context=_server_context(self._server)).start()
        self.rest_address = (_LOOPBACK, self._runner.addresses[0][1])

    async def stop(self) -> None:
        """End every connection and stop listening."""
        await self._runner.cleanup()
        await self.broker.stop()

    @property
    def rest_url(self) -> str:
        """Base URL of the REST API, without a trailing slash."""
        return f"https://{_LOOPBACK}:{self.rest_address[1]}{BASE}"

    @property
    def network(self) -> dict[tuple[str, int], tuple[str, int]]:
        """Where the real services' names and ports lead for a virtual board."""
        return {(MQTT_HOST, 8883): self.mqtt_address, (REST_HOST, 443): self.rest_address}


def _server_context(identity: IssuedIdentity) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    content = (identity.certificate_pem + identity.private_key_pem).encode()
    # ``ssl`` reads keys from files only; this one is in memory where the system can do that, and 0600 elsewhere.
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("rest-identity"), "wb") as file:
            file.write(content)
            file.flush()
            context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
    else:
        with tempfile.NamedTemporaryFile() as named:
            named.write(content)
            named.flush()
            context.load_cert_chain(named.name)
    return context
