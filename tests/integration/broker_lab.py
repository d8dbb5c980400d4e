"""What the broker's tests share: a small directory with real certificates and policies, a journal, and a raw client."""

import asyncio
import datetime
import hashlib
import json
import socket
import ssl
import tempfile
import threading
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.policy import PolicyDocument, PolicySet, Principal
from harness.virtual.cloud.broker.broker import Broker
from harness.virtual.cloud.broker.interfaces import Admission, Objection
from harness.virtual.mqtt import FROM_SERVER, Connack, Connect, Decoder
from tests.integration.kept_journal import DEADLINE, Journal

THING = "${iot:Connection.Thing.ThingName}"


def _allow(action, *resources, **more):
    return {
        "Effect": "Allow",
        "Action": f"iot:{action}",
        "Resource": [f"arn:aws:iot:*:*:{resource}" for resource in resources],
        **more,
    }


POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            _allow("Connect", f"client/{THING}", Condition={"Bool": {"iot:Connection.Thing.IsAttached": "true"}}),
            _allow("Publish", "topic/ok/*", "topic/mute/*", f"topic/$aws/things/{THING}/*", "topic/$SYS/*"),
            _allow("RetainPublish", "topic/ok/keep*"),
            _allow("Subscribe", "topicfilter/ok*", "topicfilter/mute/*", "topicfilter/$*", "topicfilter/#"),
            _allow("Receive", "topic/ok*", "topic/$aws/*"),
        ],
    }
)


class Identity:
    """A certificate and its key, PEM. ``issuer`` None: self-signed CA."""

    def __init__(self, name, issuer=None, *, dns=(), days=1):
        self.name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        signer, signer_name = (issuer._key, issuer.certificate.subject) if issuer else (self._key, subject)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(signer_name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=2))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        if dns:
            names = x509.SubjectAlternativeName([x509.DNSName(name) for name in dns])
            builder = builder.add_extension(names, critical=False)
        self.certificate = builder.sign(signer, hashes.SHA256())
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)
        self.key_pem = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def files(self, folder: Path):
        """Write certificate and key; return both paths."""
        certificate, key = folder / f"{self.name}.pem", folder / f"{self.name}.key"
        certificate.write_text(self.pem)
        key.write_bytes(self.key_pem)
        return str(certificate), str(key)


@cache
def identity(name):
    """One identity per name for the whole run: issued by a CA of its own kind, trusted by registration."""
    return Identity(name, identity("device-ca") if name != "device-ca" else None)


@cache
def server_identity():
    root = Identity("lab-root")
    return root, Identity("server", root, dns=("localhost", "mqtt.nrfcloud.com"))


class Directory:
    """Registered certificates by thing name; the thing of a certificate is the one it was registered for."""

    def __init__(self, *names, policy=POLICY):
        self.version = 1
        self.policies = PolicySet([PolicyDocument.parse(policy, name="lab")])
        self.registered = {}
        self.inactive = set()
        self.objections = {}
        for name in names:
            self.register(identity(name), name)

    def register(self, who, thing):
        self.registered[hashlib.sha256(who.der).hexdigest()] = (thing, who.pem)
        self.version += 1

    def server_identity(self):
        root, server = server_identity()
        return server.pem + root.pem, server.key_pem

    def examine(self, chain):
        if hashlib.sha256(chain[0]).hexdigest() not in self.registered:
            return Objection("the certificate is not registered")
        return self.objections.get(chain[0])

    def admit(self, certificate_der, client_id, *, source_ip, server_name, will_topic=None, persistent=False):
        self.asked = (client_id, source_ip, server_name, will_topic, persistent)
        certificate_id = hashlib.sha256(certificate_der).hexdigest()
        thing, _ = self.registered.get(certificate_id, (None, ""))
        attached = thing == client_id
        principal = Principal(client_id=client_id, thing_name=thing if attached else None, attached=attached)
        refused = "the certificate is inactive" if thing in self.inactive else None
        return Admission(principal, self.policies.compile(principal), refused, thing if attached else None)


class Services:
    def __init__(self):
        self.heard = []
        self.subscribed = []

    def on_publish(self, client_id, topic, payload, qos, retain):
        self.heard.append((client_id, topic, payload, qos, retain))

    def on_subscribe(self, client_id, topic_filter, qos):
        self.subscribed.append((client_id, topic_filter, qos))


class Lab:
    """A broker on loopback in a thread of its own."""

    def __init__(self, *names, profile=None):
        self.directory = Directory(*names)
        self.services = Services()
        self.journal = Journal()
        self.loop = asyncio.new_event_loop()
        self.broker = Broker(self.directory, self.services, self.journal, profile)
        self._errors = []
        self.loop.set_exception_handler(lambda _, context: self._errors.append(context))
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    @contextmanager
    def running(self):
        self._thread.start()
        self.port = self.run(self.broker.start("127.0.0.1", 0))
        try:
            yield self
        finally:
            self.run(self.broker.stop())
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(DEADLINE)
            self.loop.close()
        assert self._errors == []

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(DEADLINE)

    def call(self, function, *args):
        """Run a plain function in the broker's thread."""

        async def inside():
            return function(*args)

        return self.run(inside())

    def raw(self, name, **connect):
        """Connect with TLS and MQTT; the CONNACK has been read."""
        client = RawClient(self.port, name)
        client.send(Connect(connect.pop("client_id", name), **connect))
        assert client.read() == Connack(session_present=client.session_present)
        return client


@contextmanager
def lab(*names, profile=None):
    with Lab(*names, profile=profile).running() as running:
        yield running


def context_for(who, maximum=ssl.TLSVersion.TLSv1_2):
    """Return a client's TLS context: trusts the lab's server, presents ``who`` (None: no certificate)."""
    context = ssl.create_default_context(cadata=server_identity()[0].pem)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.maximum_version = maximum
    if who is not None:
        with tempfile.TemporaryDirectory() as folder:
            context.load_cert_chain(*who.files(Path(folder)))
    return context


@cache
def client_context(name):
    return context_for(identity(name))


class RawClient:
    """A blocking TLS client that sends any bytes and says how the connection ended."""

    def __init__(self, port, name, *, server_name="localhost", context=None):
        tcp = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.socket = (context or client_context(name)).wrap_socket(
                tcp, server_hostname=server_name, suppress_ragged_eofs=False
            )
        except BaseException:
            tcp.close()
            raise
        self.session_present = False
        self._decoder = Decoder(FROM_SERVER)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *packets):
        self.socket.sendall(b"".join(packet if isinstance(packet, bytes) else packet.encode() for packet in packets))

    def read(self):
        """Return the next packet; or, when the connection is over, how it ended: notify, fin, rst."""
        while (packet := self._decoder.next_packet()) is None:
            try:
                if not self.socket.pending():
                    # OpenSSL reports a reset as an end of file, so the kernel is asked first.
                    socket.socket.recv(self.socket, 1, socket.MSG_PEEK)
                data = self.socket.recv(65536)
            except ssl.SSLEOFError:
                return "fin"
            except ConnectionResetError:
                return "rst"
            if not data:
                return "notify" if socket.socket.recv(self.socket, 1) == b"" else "notify without fin"
            self._decoder.feed(data)
        if isinstance(packet, Connack):
            self.session_present = packet.session_present
        return packet

    def rest(self):
        """Return everything up to and including the end."""
        found = [self.read()]
        while not isinstance(found[-1], str):
            found.append(self.read())
        return found
