"""Clients of the local cloud beside its MQTT peers: a proxy in the cloud's thread, and a bare HTTPS connection."""

import asyncio
import socket
import ssl
from contextlib import contextmanager

import requests

from harness.virtual.proxy import Proxy
from tests.integration.cloud_lab import DEADLINE


@contextmanager
def proxy_of(lab):
    """Run a proxy for the lab's names; yield its port."""

    def run(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, lab.loop).result(DEADLINE)

    proxy = Proxy(lab.cloud.network, lab.journal)
    port = run(proxy.start("127.0.0.1", 0))
    try:
        yield port
    finally:
        run(proxy.stop())


def tool(lab, port, monkeypatch):
    """Return ``requests`` as a tool uses it: no session, nothing set but the environment."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(lab.ca_file))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    def call(method, url, **arguments):
        return requests.request(method, url, timeout=DEADLINE, **arguments)

    return call


def https_answer(lab, pem_file, request):
    """Send ``request`` to the HTTPS publish port; return all that comes back until the connection ends."""
    context = ssl.create_default_context(cafile=str(lab.ca_file))
    if pem_file is not None:
        context.load_cert_chain(pem_file)

    with (
        socket.create_connection(lab.cloud.jitp_address, timeout=DEADLINE) as tcp,
        context.wrap_socket(tcp, server_hostname="mqtt.nrfcloud.com") as tls,
    ):
        tls.sendall(request)
        answer = b""
        while data := tls.recv(65536):
            answer += data
        return answer
