"""JITP over HTTPS: the three results, each from a real TLS server on loopback."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import create_server

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness.cloud import JitpResult, jitp_over_https
from harness.credentials import LabCa
from harness.errors import CloudUnreachable, Misuse
from tests.unit.cloud.conftest import make_endpoints


def pair(ca: LabCa, name: str) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return ca.issue(csr, device_id=name), pem


@pytest.fixture(scope="module")
def ca(tmp_path_factory) -> LabCa:
    return LabCa.load_or_create(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def endpoints(ca, tmp_path):
    """Endpoints of a server that asks for a client certificate and then does as it is told."""
    certificate, key = pair(ca, "mqtt-nrfcloud-com")
    (tmp_path / "server.pem").write_text(certificate + key)

    @contextmanager
    def serve(act: Callable[[ssl.SSLSocket], None]) -> Iterator[object]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "server.pem")
        context.load_verify_locations(cadata=ca.certificate_pem)
        context.verify_mode = ssl.CERT_REQUIRED
        listener = create_server(("127.0.0.1", 0))

        def once() -> None:
            connection, _ = listener.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as tls:
                    act(tls)
            except OSError:
                connection.close()

        thread = threading.Thread(target=once)
        thread.start()
        yield make_endpoints("https://x/v1", root_ca_pem=ca.certificate_pem, jitp=listener.getsockname())
        thread.join(10)
        listener.close()

    return serve


@pytest.fixture(autouse=True)
def _no_host_names(monkeypatch):
    """The lab's CA issues device certificates, which name no host; the name check has its test with the local cloud."""
    make = ssl.create_default_context

    def without_names(**arguments):
        context = make(**arguments)
        context.check_hostname = False
        return context

    monkeypatch.setattr(ssl, "create_default_context", without_names)


def read_request(tls: ssl.SSLSocket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += tls.recv(4096)
    return data


def reply(text: bytes) -> Callable[[ssl.SSLSocket], None]:
    def act(tls: ssl.SSLSocket) -> None:
        read_request(tls)
        tls.sendall(text)

    return act


FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n%s"


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda tls: read_request(tls), JitpResult.STARTED),
        (reply(FORBIDDEN % (34, b'{"message":null,"traceId":"abcdef"}'[:34])), JitpResult.REJECTED),
        (reply(FORBIDDEN % (16, b'{"message":null}')), JitpResult.ALREADY),
        (reply(FORBIDDEN % (21, b'{"message":"no entry"}'[:21])), JitpResult.REJECTED),
        (reply(FORBIDDEN % (2, b"{}")), JitpResult.REJECTED),
        (reply(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), JitpResult.REJECTED),
    ],
    ids=["closed", "broken-json", "known", "other-message", "no-message", "200"],
)
def test_results(ca, endpoints, act, expected):
    with endpoints(act) as where:
        assert jitp_over_https(where, *pair(ca, "dev-1"))[0] is expected


def test_request_is_what_aws_iot_expects(ca, endpoints):
    seen = []
    with endpoints(lambda tls: seen.append(read_request(tls))) as where:
        jitp_over_https(where, *pair(ca, "dev-1"))
    head = seen[0].decode().split("\r\n")
    assert head[0] == "POST /topics/jitp?qos=1 HTTP/1.1"
    host, port = where.jitp
    assert f"Host: {host}:{port}" in head
    assert "Connection: close" in head


def test_stranger_is_rejected_in_tls(endpoints, tmp_path):
    stranger = LabCa.load_or_create(tmp_path / "stranger")
    with endpoints(lambda tls: None) as where:
        result, why = jitp_over_https(where, *pair(stranger, "dev-1"))
    assert result is JitpResult.REJECTED
    assert why.startswith("TLS: ")


def test_pair_that_does_not_belong_together_is_misuse(ca):
    where = make_endpoints("https://x/v1", root_ca_pem=ca.certificate_pem)
    with pytest.raises(Misuse, match="cannot be used"):
        jitp_over_https(where, pair(ca, "dev-1")[0], pair(ca, "dev-2")[1])


def test_nobody_there_is_the_labs_trouble(ca):
    listener = create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    listener.close()
    where = make_endpoints("https://x/v1", root_ca_pem=ca.certificate_pem, jitp=address)
    with pytest.raises(CloudUnreachable, match=str(address[1])):
        jitp_over_https(where, *pair(ca, "dev-1"))
