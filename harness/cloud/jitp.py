"""Just-in-time provisioning without an MQTT client: one HTTPS publish to AWS IoT with the device certificate.

Sources: nRF Connect SDK, ``nrf_cloud_rest_jitp``, for the request and the meaning of its three results; AWS IoT Core
Developer Guide, "HTTPS", for port 8443.
"""

import http.client
import json
import ssl
from enum import StrEnum

from harness.cloud.client_tls import client_context
from harness.cloud.endpoints import CloudEndpoints
from harness.errors import CloudUnreachable, Misuse

_TIMEOUT = 15.0
_PATH = "/topics/jitp?qos=1"


class JitpResult(StrEnum):
    """What the request showed."""

    STARTED = "provisioning started"  # the cloud hung up without an answer: associate the device after about 30 s
    ALREADY = "already provisioned"  # the cloud knows the device, and does not let it publish there
    REJECTED = "rejected"


def jitp_over_https(endpoints: CloudEndpoints, chain_pem: str, key_pem: str) -> tuple[JitpResult, str]:
    """Ask for provisioning with a device certificate; return the result, and the answer that shows it.

    ``endpoints``: of the cloud. ``chain_pem``: the device certificate, then that of the CA that issued it, by which the
    cloud knows the device. ``key_pem``: the device's private key.
    Raises Misuse if certificate and key do not belong together, CloudUnreachable if there is no connection.
    """
    host, port = endpoints.jitp
    connection = http.client.HTTPSConnection(
        host, port, timeout=_TIMEOUT, context=_context(endpoints, chain_pem, key_pem)
    )
    try:
        connection.connect()
    except ssl.SSLError as error:
        return JitpResult.REJECTED, f"TLS: {error.reason or error}"
    except OSError as error:
        raise CloudUnreachable(
            f"no connection to {host}:{port} for JITP: {error.strerror or error}; check this computer's network"
        ) from error
    try:
        headers = {"Accept": "*/*", "Content-Type": "*/*", "Host": f"{host}:{port}", "Connection": "close"}
        connection.request("POST", _PATH, headers=headers)
        response = connection.getresponse()
        return _read(response.status, response.read())
    except ssl.SSLError as error:
        # With TLS 1.3 the server refuses a certificate only now.
        return JitpResult.REJECTED, f"TLS: {error.reason or error}"
    except (http.client.BadStatusLine, ConnectionError):
        return JitpResult.STARTED, "the connection was closed without an answer"
    except TimeoutError as error:
        raise CloudUnreachable(
            f"{host}:{port} took the JITP request and did not answer within {_TIMEOUT:g} s"
        ) from error
    finally:
        connection.close()


def _read(status: int, body: bytes) -> tuple[JitpResult, str]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    # Only this is known of the body of a 403: its member "message" is null for a device that exists already.
    if status == 403 and isinstance(value, dict) and "message" in value and value["message"] is None:
        return JitpResult.ALREADY, '403 with "message": null'
    return JitpResult.REJECTED, f"{status}"


def _context(endpoints: CloudEndpoints, chain_pem: str, key_pem: str) -> ssl.SSLContext:
    try:
        return client_context(endpoints.root_ca_pem, chain_pem, key_pem)
    except ssl.SSLError as error:
        raise Misuse(
            f"device certificate and key cannot be used: {error.reason or error}; give the pair that belongs together"
        ) from error
