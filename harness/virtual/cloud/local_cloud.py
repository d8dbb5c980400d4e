"""The local nRF Cloud as a whole: registry, broker, services and REST API in one event loop, on loopback."""

import asyncio
import secrets
import ssl
import uuid
from collections.abc import Mapping
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from harness.settings import BrokerBehaviour, CloudSettings
from harness.virtual.cloud.broker.broker import Broker
from harness.virtual.cloud.broker.https_publish import HttpsPublisher
from harness.virtual.cloud.broker.interfaces import Journal
from harness.virtual.cloud.formats import now_utc
from harness.virtual.cloud.provisioning.attestation import TrustedIdentities
from harness.virtual.cloud.provisioning.claims import Claims
from harness.virtual.cloud.provisioning.jitp import JitProvisioning
from harness.virtual.cloud.provisioning.service import build_provisioning_app
from harness.virtual.cloud.registry.policies import load_policies
from harness.virtual.cloud.registry.registry import Registry
from harness.virtual.cloud.registry.service_tokens import ServiceTokens
from harness.virtual.cloud.registry.state_file import StateFile
from harness.virtual.cloud.registry.state_keeper import StateKeeper
from harness.virtual.cloud.registry.team import Team
from harness.virtual.cloud.rest.api import BASE, Api
from harness.virtual.cloud.rest.application import build_app
from harness.virtual.cloud.rest.assistance import HOST as PREDICTIONS_HOST
from harness.virtual.cloud.rest.bulk import BulkOperations
from harness.virtual.cloud.rest.disturbances import RestDisturbances
from harness.virtual.cloud.rest.server import RestServer
from harness.virtual.cloud.services.alerts import Alerts
from harness.virtual.cloud.services.bundles import Bundles
from harness.virtual.cloud.services.fota import FotaJobs
from harness.virtual.cloud.services.locations import Locations
from harness.virtual.cloud.services.messages import MessageStore, StoredMessage
from harness.virtual.cloud.services.presence import Presence
from harness.virtual.cloud.services.services import CloudServices
from harness.virtual.cloud.services.usage import Usage
from harness.virtual.cloud.tls.ca import IssuedIdentity, LocalCa
from harness.virtual.cloud.tls.listener import TlsListener
from harness.virtual.key_file import readable_by_openssl

MQTT_HOST = "mqtt.nrfcloud.com"
OTHER_MQTT_HOST = "broker.invalid"  # leads to the broker too, but is not in its certificate
REST_HOST = "api.nrfcloud.com"
PROVISIONING_HOST = "api.provisioning.nrfcloud.com"
BOARD_PROVISIONING_HOST = "provisioning-http.nrfcloud.com"
_NAMES = ("localhost", MQTT_HOST, REST_HOST, PROVISIONING_HOST, BOARD_PROVISIONING_HOST, PREDICTIONS_HOST)
_ROOT_NAME = "nRF91 harness local cloud root"
_JITP_CA_NAME = "nRF91 harness local cloud JITP CA"
_LOOPBACK = "127.0.0.1"


class LocalCloud:
    """A local cloud. Making one raises PolicyError for a broken policy document, UnusableState for a broken state file.

    ``journal``: gets what happens in it. ``said``: its settings, of which ``trust_identities`` is left to the caller.
    ``policies``: a directory with documents that replace the shipped ones. Public: ``registry``, ``team``,
    ``services``, ``broker``, ``identities``, ``jitp_ca``; ``api_key`` (secret), ``root_pem``. Make it inside the
    running event loop.
    """

    def __init__(self, journal: Journal, said: CloudSettings, *, policies: Path | None = None) -> None:
        loop = asyncio.get_running_loop()
        state = StateFile(Path(said.state)) if said.state else None
        self._keeper = keeper = StateKeeper(state, loop.call_soon) if state else None
        changed = keeper.changed if keeper else lambda name: None
        tenant_id = state.tenant_id(said.tenant) if state else said.tenant or str(uuid.uuid4())
        prefix = f"prod/{tenant_id}/"
        ca = state.authority("root", _ROOT_NAME) if state else LocalCa(_ROOT_NAME)
        self.jitp_ca = state.authority("jitp", _JITP_CA_NAME) if state else LocalCa(_JITP_CA_NAME)
        self._server = ca.issue_server(_NAMES, [IPv4Address(_LOOPBACK)])
        self.root_pem = ca.certificate_pem
        self.api_key = secrets.token_hex(20)
        self.registry = Registry(
            load_policies(policies),
            server=self._server,
            root_pem=self.root_pem,
            changed=changed,
        )
        alerts, usage = Alerts(now_utc), Usage(now_utc)

        def stored(message: StoredMessage) -> None:
            alerts.take(message)
            usage.count("MESSAGES", "MESSAGES", "ANY", message.device_id)

        messages, fota = MessageStore(prefix, tenant_id, stored=stored), FotaJobs()
        bundles = Bundles(tenant_id, changed=changed)
        self.services = CloudServices(
            messages,
            thing_exists=lambda name: self.registry.thing(name) is not None,
            journal=journal,
            later=loop.call_soon,
            changed=changed,
            fota=fota,
        )
        presence = Presence(self._report_connection, loop.call_later)
        self.broker = Broker(self.registry, self.services, journal, said, presence)
        self.services.attach(self.broker)
        self.team = Team(
            tenant_id,
            prefix,
            registry=self.registry,
            services=self.services,
            ca=ca,
            journal=journal,
            disconnect=self.broker.disconnect,
            changed=changed,
        )
        if keeper:
            keeper.restore(thing=self.registry, device=self.team, shadow=self.services, bundle=bundles)
        # These delays are a part of what is simulated: nRF Cloud carries some requests out after a while.
        jitp = JitProvisioning(
            self.jitp_ca, self.team, journal=journal, schedule=partial(loop.call_later, said.jitp_delay)
        )
        self.registry.newcomer = jitp.meet
        self._https = TlsListener(
            self.registry, journal, lambda: self.broker.profile, lambda: HttpsPublisher(self.broker)
        )
        bulk = BulkOperations(schedule=partial(loop.call_later, said.bulk_step))
        api = Api(
            team=self.team,
            services=self.services,
            messages=messages,
            bulk=bulk,
            bundles=bundles,
            journal=journal,
            root_pem=self.root_pem,
            jitp_ca=self.jitp_ca,
            mqtt_host=MQTT_HOST,
            api_key=self.api_key,
            alerts=alerts,
            locations=Locations(now_utc),
            usage=usage,
            tokens=ServiceTokens(tenant_id, now_utc),
            fota=fota,
            save=keeper.save if keeper else lambda: None,
        )
        self.identities = TrustedIdentities()
        provisioning = build_provisioning_app(
            Claims(self.identities, journal), self.identities, journal=journal, api_key=self.api_key, owner=tenant_id
        )
        context = _server_context(self._server)
        self.rest_disturbances = RestDisturbances()
        applications = (build_app(api, self.rest_disturbances), provisioning)
        self._rest = [RestServer(app, context, journal) for app in applications]
        self.mqtt_address = self.jitp_address = self.rest_address = self.provisioning_address = (_LOOPBACK, 0)

    async def start(self) -> None:
        """Listen on free ports of 127.0.0.1. The addresses have them afterwards."""
        self.mqtt_address = (_LOOPBACK, await self.broker.start(_LOOPBACK, 0))
        self.jitp_address = (_LOOPBACK, await self._https.start(_LOOPBACK, 0))
        rest, provisioning = [await server.start(_LOOPBACK, 0) for server in self._rest]
        self.rest_address, self.provisioning_address = (_LOOPBACK, rest), (_LOOPBACK, provisioning)

    async def stop(self) -> None:
        """End every connection and stop listening."""
        for server in self._rest:
            await server.stop()
        await self._https.stop()
        await self.broker.stop()
        if self._keeper:
            self._keeper.close()

    def change_broker(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change settings of the broker, by their names in BrokerBehaviour; return the former values.

        Raises ValidationError for an unknown setting, or a value that it cannot have.
        """
        profile = self.broker.profile
        were = {name: getattr(profile, name) for name in BrokerBehaviour.model_fields}
        now = BrokerBehaviour.model_validate({**were, **_whole(were, changes)})
        self.broker.profile = profile.model_copy(update=dict(now))
        self.broker.interference.count_anew()
        return profile.model_dump(mode="json", include=set(changes))

    def _report_connection(self, device: str, reported: dict[str, Any]) -> None:
        if not self.team.is_team_client(device):  # a broker without state
            self.services.report(device, reported)

    def clients(self, name: str) -> list[str]:
        """Return the MQTT client ids that a command means by ``name``. ``observer`` means the team devices."""
        if name != "observer":
            return [name]
        return [client for client in self.broker.sessions if self.team.is_team_client(client)]

    @property
    def rest_url(self) -> str:
        """Base URL of the REST API, without a trailing slash."""
        return f"https://{_LOOPBACK}:{self.rest_address[1]}{BASE}"

    @property
    def provisioning_url(self) -> str:
        """Base URL of the provisioning (claim) service, without a trailing slash."""
        return f"https://{_LOOPBACK}:{self.provisioning_address[1]}{BASE}"

    @property
    def network(self) -> dict[tuple[str, int], tuple[str, int]]:
        """The addresses of the real services' names and ports for a virtual board."""
        return {
            (MQTT_HOST, 8883): self.mqtt_address,
            (OTHER_MQTT_HOST, 8883): self.mqtt_address,
            (MQTT_HOST, 8443): self.jitp_address,
            (REST_HOST, 443): self.rest_address,
            (PREDICTIONS_HOST, 443): self.rest_address,
            (PROVISIONING_HOST, 443): self.provisioning_address,
            (BOARD_PROVISIONING_HOST, 443): self.provisioning_address,
        }


def _whole(were: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes. Limits that they do not name stay as they were."""
    limits = changes.get("limits")
    if not isinstance(limits, dict):
        return dict(changes)
    return {**changes, "limits": {**were["limits"].model_dump(), **limits}}


def _server_context(identity: IssuedIdentity) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with readable_by_openssl((identity.certificate_pem + identity.private_key_pem).encode()) as path:
        context.load_cert_chain(path)
    return context
