"""A local cloud in a thread, and peers that we did not write: requests for REST, paho-mqtt for MQTT."""

import asyncio
import json
import queue
import ssl
import threading
from contextlib import contextmanager
from datetime import timedelta

import paho.mqtt.client as paho
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from paho.mqtt.enums import CallbackAPIVersion

from harness.settings import CloudSettings
from harness.virtual.cloud.formats import now_utc
from harness.virtual.cloud.local_cloud import LocalCloud
from tests.integration.kept_journal import DEADLINE, Journal
from tests.unit.virtual.cloud_makers import certificate_pem, make_archive


class Rest:
    """The REST API by requests, with the API key unless a call says otherwise."""

    def __init__(self, url, ca_file, api_key):
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(ca_file)
        self.session.headers["Authorization"] = f"Bearer {api_key}"

    def __call__(self, method, path, **arguments):
        url = path if path.startswith("https:") else f"{self.url}{path}"
        return self.session.request(method, url, timeout=DEADLINE, **arguments)

    def get(self, path, **parameters):
        """Return the JSON of a GET that must succeed."""
        answer = self("GET", path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refusal(self, method, path, **arguments):
        """Return status and code of a request that must be refused."""
        answer = self(method, path, **arguments)
        assert answer.json().keys() == {"code", "message"}
        return answer.status_code, answer.json()["code"]


class Identity:
    """A device's key and self-signed certificate, PEM. ``start``, ``end``: of its validity, in days from now."""

    def __init__(self, name, *, start=-1, end=1):
        key = ec.generate_private_key(ec.SECP256R1())
        self.certificate_pem = certificate_pem(name, key=key, start=now_utc() + timedelta(days=start), days=end - start)
        self.private_key_pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()


class MqttPeer:
    """A paho client whose events are waited for. ``ended`` is set when its connection is over."""

    def __init__(self, client_id, certificate_pem, private_key_pem, *, ca_file, address, folder):
        self.certificate_pem = certificate_pem
        self.connected, self.ended = threading.Event(), threading.Event()
        self.messages = queue.Queue()
        self._subscribed = queue.Queue()
        self.address = address
        pem = folder / f"{client_id}.pem"
        pem.write_text(certificate_pem + private_key_pem)
        context = ssl.create_default_context(cafile=str(ca_file))
        context.load_cert_chain(pem)
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv311, reconnect_on_failure=False
        )
        self.client.tls_set_context(context)
        self.client.on_connect = lambda *_: self.connected.set()
        self.client.on_disconnect = lambda *_: self.ended.set()
        self.client.on_subscribe = lambda _client, _data, mid, codes, _properties: self._subscribed.put((mid, codes))
        self.client.on_message = lambda _client, _data, message: self.messages.put((message.topic, message.payload))

    def connect(self):
        self.connected.clear()
        self.ended.clear()
        self.client.connect(*self.address)
        self.client.loop_start()
        return self

    def ready(self):
        assert self.connect().connected.wait(DEADLINE), "no CONNACK"
        return self

    def subscribe(self, *filters):
        for text in filters:
            self.client.subscribe(text, 1)
            assert [code.value for code in self._subscribed.get(timeout=DEADLINE)[1]] == [1]

    def publish(self, topic, payload=b""):
        """Publish and wait for the PUBACK."""
        self.client.publish(topic, payload, 1).wait_for_publish(DEADLINE)

    def message(self, topic=None):
        """Return the next message (on ``topic``) as (topic, payload)."""
        while True:
            found = self.messages.get(timeout=DEADLINE)
            if topic in (None, found[0]):
                return found

    def json(self, topic):
        return json.loads(self.message(topic)[1])

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


class CloudLab:
    """A running cloud with its journal, and makers of peers."""

    def __init__(self, cloud, loop, journal, folder):
        self.cloud, self.loop, self.journal, self.folder = cloud, loop, journal, folder
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_text(cloud.root_pem)
        self.rest = Rest(cloud.rest_url, self.ca_file, cloud.api_key)
        self.prefix = cloud.team.prefix
        self._peers = []

    def call(self, function, *arguments):
        """Run a plain function in the cloud's thread."""

        async def inside():
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(inside(), self.loop).result(DEADLINE)

    def peer(self, client_id, certificate_pem, private_key_pem):
        peer = MqttPeer(
            client_id,
            certificate_pem,
            private_key_pem,
            ca_file=self.ca_file,
            address=self.cloud.mqtt_address,
            folder=self.folder,
        )
        self._peers.append(peer)
        return peer

    def device(self, name="dev-1", **members):
        """Onboard a device over REST; return its peer, not connected yet."""
        identity = Identity(name)
        answer = self.rest("POST", f"/devices/{name}", json={"certificate": identity.certificate_pem, **members})
        assert answer.status_code == 202, answer.text
        assert answer.content == b""
        return self.peer(name, identity.certificate_pem, identity.private_key_pem)

    def observer(self):
        """Make a team device over REST; return its peer, connected and subscribed to everything of the team."""
        answer = self.rest("POST", "/devices/mqtt-team")
        assert answer.status_code == 201
        made = answer.json()
        assert made.keys() == {"clientId", "caCert", "clientCert", "privateKey"}
        assert made["caCert"] == self.cloud.root_pem
        peer = self.peer(made["clientId"], made["clientCert"], made["privateKey"]).ready()
        peer.subscribe(f"{self.prefix}#")
        return peer

    def upload_bundle(self, archive=None):
        """Upload a firmware bundle over REST; return its ID."""
        body, form = archive or make_archive(), {"Content-Type": "application/zip"}
        answer = self.rest("POST", "/firmwares", data=body, headers=form)
        assert answer.status_code == 202, answer.text
        return self.rest.get("/firmwares", pageLimit=1)["items"][0]["bundleId"]

    def make_job(self, **body):
        """Make a firmware update for dev-1 over REST, of a new bundle unless given one; return the job's ID."""
        bundle_id = body.get("bundleId") or self.upload_bundle()
        members = {"deviceIds": ["dev-1"], **body, "bundleId": bundle_id}
        answer = self.rest("POST", "/fota-jobs", json=members)
        assert answer.status_code == 201, answer.text
        return answer.json()["jobId"]

    def close_peers(self):
        for peer in self._peers:
            peer.close()


@contextmanager
def running_cloud(folder, settings=None, *, policies=None):
    journal = Journal()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(DEADLINE)

    async def start():
        cloud = LocalCloud(journal, settings or CloudSettings(bulk_step=0.01), policies=policies)
        await cloud.start()
        return cloud

    cloud = run(start())
    lab = CloudLab(cloud, loop, journal, folder)
    try:
        yield lab
    finally:
        lab.close_peers()
        run(cloud.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(DEADLINE)
        loop.close()
