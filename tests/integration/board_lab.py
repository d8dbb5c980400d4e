"""Virtual boards in a thread, a host on a board's port, and a TLS server that a board connects to."""

import asyncio
import datetime
import hashlib
import re
import socket
import ssl
import struct
import threading
from base64 import urlsafe_b64decode

import serial
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.settings import NamedBoard
from harness.virtual.board import Network, VirtualBoard
from harness.virtual.mqtt import FROM_CLIENT, Connack, Connect, Decoder, Subscribe

HOST = "mqtt.nrfcloud.com"
OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"
FINAL = re.compile(rb"\r\n(OK|ERROR|\+CME ERROR: \d+)\r\n\Z")
PEM = serialization.Encoding.PEM


class Lab:
    """An event loop in a thread, with everything that runs in it."""

    def __init__(self, folder):
        self.folder = folder
        self.network = Network()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.boards = []

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def board(self, name="virtual-1", **options):
        said = NamedBoard(name=name, **{"time_scale": 0.01, **options})
        board = VirtualBoard(said, link=self.folder / name, network=self.network)
        self.run(board.start())
        self.boards.append(board)
        return board

    def stop(self):
        for board in self.boards:
            self.run(board.stop())
        assert self.run(_other_tasks()) == 0
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(30)
        self.loop.close()


async def _other_tasks():
    for _ in range(20):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if not others:
            return 0
        await asyncio.wait(others, timeout=0.25)
    return len(others)


class Host:
    """The lab computer's end of the port."""

    def __init__(self, port, **options):
        self.serial = serial.Serial(str(port), 115200, timeout=30, **options)

    def ask(self, command, until=None):
        """Send a command; return all that comes up to its final result, or up to the line ``until``."""
        self.serial.write(command.encode("latin-1") + b"\r")
        return self.hear(until) if until else self._read(FINAL.search, "a final result")

    def hear(self, end):
        return self._read(lambda heard: heard.endswith(end), end)

    def _read(self, complete, what):
        heard = b""
        while not complete(heard):
            fresh = self.serial.read(max(1, self.serial.in_waiting))
            assert fresh, f"nothing more after {heard!r}, waiting for {what}"
            heard += fresh
        return heard


class Authority:
    """A certificate authority of this test."""

    def __init__(self, name="test root"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self.sign(self.name, self.key.public_key(), ca=True)
        self.pem = self.certificate.public_bytes(PEM).decode()

    def sign(self, subject, key, *, ca=False, names=()):
        now = datetime.datetime.now(datetime.UTC)
        day = datetime.timedelta(days=1)
        builder = x509.CertificateBuilder(self.name, subject, key, x509.random_serial_number(), now - day, now + day)
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
        return builder.sign(self.key, hashes.SHA256())


def provision(host, authority, device_id, tag=16842753):
    """What nRF Cloud's installer does, in its order. Returns the CSR."""
    host.ask("AT+CMEE=1")
    assert host.ask("AT+CFUN=4") == OK
    assert host.ask("AT+CGMR") == b"\r\nmfw_nrf91x1_2.0.2\r\n\r\nOK\r\n"
    for kind in (0, 1, 2):
        assert host.ask(f"AT%CMNG=3,{tag},{kind}") == b"\r\n+CME ERROR: 513\r\n"
    answer = host.ask(f'AT%KEYGEN={tag},2,0,"CN={device_id}"').decode()
    body = answer.split('"')[1].split(".")[0]
    csr = x509.load_der_x509_csr(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert csr.is_signature_valid
    pem = authority.sign(csr.subject, csr.public_key()).public_bytes(PEM).decode().replace("\n", "\r\n")
    assert host.ask(f'AT%CMNG=0,{tag},0,"{authority.pem}"') == OK
    assert host.ask(f'AT%CMNG=0,{tag},1,"{pem}"') == OK
    for kind, text in ((0, authority.pem), (1, pem)):
        digest = hashlib.sha256(text.encode()).hexdigest().upper()
        line = f'\r\n%CMNG: {tag},{kind},"{digest}"\r\n\r\nOK\r\n'
        assert host.ask(f"AT%CMNG=1,{tag},{kind}") == line.encode()
    return csr


class Server:
    """A TLS server that speaks MQTT as a test tells it to: each packet received is handed to ``answer(packet)``."""

    def __init__(self, lab, authority, *, client_ca=None, names=(HOST, "localhost")):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        certificate = authority.sign(subject, key.public_key(), names=names)
        identity = lab.folder / "server.pem"
        identity.write_bytes(
            certificate.public_bytes(PEM)
            + key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(identity)
        identity.unlink()
        if client_ca is not None:
            self.context.load_verify_locations(cadata=client_ca.pem)
            self.context.verify_mode = ssl.CERT_REQUIRED
        self.server_names: list[str] = []
        self.context.sni_callback = lambda _, name, __: self.server_names.append(name)
        self.packets = []
        self.peer = None
        self.version = None
        self.heard = threading.Condition()
        self.answer = lambda packet: {Connect: Connack(), Subscribe: None}.get(type(packet))
        self._lab = lab
        self._server = lab.run(asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context))
        self.port = self._server.sockets[0].getsockname()[1]
        lab.network.route(HOST, 8883, ("127.0.0.1", self.port))

    async def _serve(self, reader, writer):
        self.writer = writer
        tls = writer.get_extra_info("ssl_object")
        self.peer = tls.getpeercert()
        self.version = tls.version()
        decoder = Decoder(FROM_CLIENT)
        try:
            while data := await reader.read(65536):
                decoder.feed(data)
                while (packet := decoder.next_packet()) is not None:
                    answer = self.answer(packet)
                    if answer is not None:
                        writer.write(answer.encode())
                    with self.heard:
                        self.packets.append(packet)
                        self.heard.notify_all()
        except OSError:
            return

    def wait(self, count):
        with self.heard:
            assert self.heard.wait_for(lambda: len(self.packets) >= count, 30), self.packets
        return self.packets[:count]

    def send(self, *packets):
        self._lab.loop.call_soon_threadsafe(self.writer.write, b"".join(p.encode() for p in packets))

    def close(self, style, *last):
        def close():
            if last:
                self.writer.write(b"".join(p.encode() for p in last))
            transport = self.writer.transport
            if style == "notify":
                transport.close()
            elif style == "rst":
                raw = transport.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                transport.abort()
            else:
                transport.abort()

        self._lab.loop.call_soon_threadsafe(close)

    def stop(self):
        self._lab.loop.call_soon_threadsafe(self._server.close)


CONNECT = f'AT#XMQTTCON=1,"","","{HOST}",8883,16842753'


def connect(host):
    host.ask('AT#XMQTTCFG="nrf-1",60,1')
    host.serial.write(CONNECT.encode() + b"\r")
    assert host.hear(b"#XMQTTEVT: 0,0\r\n") == OK + b"\r\n#XMQTTEVT: 0,0\r\n"
