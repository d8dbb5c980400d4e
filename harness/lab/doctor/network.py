"""Checks that this computer reaches the cloud: names, TCP, TLS, and a proxy that only REST would use.

Boards reach it by radio, the observer and REST calls from here. No request is sent. What the broker answers to a client
without a certificate does not matter (UNCONFIRMED): a server certificate that verifies is enough.
"""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from harness.cloud import CloudEndpoints
from harness.lab.doctor.check import Check, CheckResult, Machine, Status

_TIMEOUT: Final = 4.0  # seconds for each step of a connection
_DEADLINE: Final = 10.0


@dataclass(frozen=True, slots=True)
class _Target:
    """One address. ``cloud``: its name in the boards file. ``what``: what it is for."""

    cloud: str
    what: str
    host: str
    port: int
    trust: ssl.SSLContext

    def result(self, id_: str, status: Status, text: str, remedy: str = "") -> CheckResult:
        return CheckResult(id_, self.cloud, status, f"{self.what} {self.host}:{self.port}: {text}", remedy)


def checks(machine: Machine, cloud: str, endpoints: CloudEndpoints) -> list[Check]:
    """Return the checks of an account: ``cloud.dns``, ``.tcp`` or ``.tls`` for each address, and ``cloud.proxy``.

    ``machine``: the computer. ``cloud``: its name. ``endpoints``: how it is reached.
    """
    found = [Check("cloud.tls", cloud, partial(_reach, target), _DEADLINE) for target in _targets(cloud, endpoints)]
    return [*found, Check("cloud.proxy", cloud, partial(_proxy, machine, cloud, endpoints))]


def _targets(cloud: str, endpoints: CloudEndpoints) -> list[_Target]:
    rest = urlsplit(endpoints.rest)
    system = ssl.create_default_context(cafile=None if endpoints.rest_ca is None else str(endpoints.rest_ca))
    pinned = ssl.create_default_context(cadata=endpoints.root_ca_pem)
    pinned.check_hostname = endpoints.public  # a route leads to a name that the certificate does not have
    observer = endpoints.observer_mqtt or endpoints.device_mqtt
    return [
        _Target(cloud, "REST", rest.hostname or "", rest.port or 443, system),
        _Target(cloud, "MQTT", *observer, pinned),
        _Target(cloud, "JITP", *endpoints.jitp, pinned),
    ]


def _reach(target: _Target) -> Iterator[CheckResult]:
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except OSError as error:
        text = f"the name is not found: {error.strerror or error}"
        yield target.result("cloud.dns", Status.FAIL, text, f"getent hosts {target.host}")
        return
    try:
        connection = socket.create_connection((target.host, target.port), timeout=_TIMEOUT)
    except OSError as error:
        text = f"no TCP connection ({found[0][4][0]}): {error.strerror or error}; a firewall?"
        yield target.result("cloud.tcp", Status.FAIL, text, f"nc -vz -w 5 {target.host} {target.port}")
        return
    see = f"openssl s_client -connect {target.host}:{target.port} -servername {target.host} </dev/null"
    with connection:
        try:
            with target.trust.wrap_socket(connection, server_hostname=target.host) as secured:
                yield target.result("cloud.tls", Status.OK, f"reached, {secured.version()}")
        except ssl.SSLCertVerificationError as error:
            cause = "a proxy in between decrypts TLS, or rest_ca or root_ca is wrong"
            text = f"its certificate is not trusted ({error.verify_message}): {cause}"
            yield target.result("cloud.tls", Status.FAIL, text, see)
        except OSError as error:
            yield target.result("cloud.tls", Status.FAIL, f"no TLS: {error}", see)


def _proxy(machine: Machine, cloud: str, endpoints: CloudEndpoints) -> Iterator[CheckResult]:
    names = {name.lower(): value for name, value in machine.environment.items()}
    proxy = names.get("https_proxy") or names.get("all_proxy")
    if not proxy or not endpoints.public:
        yield CheckResult("cloud.proxy", cloud, Status.OK, "no proxy is used")
        return
    host = urlsplit(proxy).hostname or "?"  # without what may be a password
    text = f"REST goes through the proxy {host}, MQTT does not: the observer needs a direct connection to the broker"
    yield CheckResult("cloud.proxy", cloud, Status.WARN, text, "unset HTTPS_PROXY https_proxy ALL_PROXY all_proxy")
