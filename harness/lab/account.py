"""The addresses of nRF Cloud, or of another installation of it, from an entry of kind nrfcloud in boards.yaml."""

import ipaddress
import ssl
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes

from harness.cloud import CloudEndpoints
from harness.credentials.people_files import as_pem, read_ca_file, read_certificate_file
from harness.errors import Misuse
from harness.lab.config import NrfCloudAccount
from harness.settings import NRF_CLOUD_MQTT


def account_endpoints(name: str, config: NrfCloudAccount, *, folder: Path) -> CloudEndpoints:
    """Return how the cloud is reached.

    ``name``, ``config``: the cloud's in the boards file. ``folder``: of the boards file, to which its paths are
    relative.

    A cloud at a loopback address is nobody else's, so it is polled quickly, and not through a proxy.
    """
    mqtt = None if config.mqtt is None else split_address(config.mqtt)
    device_mqtt = mqtt or split_address(NRF_CLOUD_MQTT)
    routes = {split_address(known): split_address(target) for known, target in config.network.items()}
    own = _is_loopback(urlsplit(config.rest).hostname or "")
    jitp = split_address(config.jitp)
    return CloudEndpoints(
        name=name,
        rest=config.rest,
        rest_ca=None if config.rest_ca is None else _rest_ca(folder / config.rest_ca),
        device_mqtt=device_mqtt,
        observer_mqtt=routes.get(device_mqtt, mqtt),
        root_ca_pem=_root_ca(config, folder),
        public=not own,
        jitp=routes.get(jitp, jitp),
        provisioning=config.provisioning,
        other_name=_other_name(device_mqtt, routes),
    )


def _other_name(device_mqtt: tuple[str, int], routes: Mapping[tuple[str, int], tuple[str, int]]) -> str | None:
    """Return another name that leads to the broker, if the network has one."""
    host, port = device_mqtt
    target = routes.get(device_mqtt)
    others = (name for (name, number), leads in routes.items() if leads == target and number == port and name != host)
    return next(others, None)


def split_address(address: str) -> tuple[str, int]:
    """Return (host, port) of a checked ``HOST:PORT``."""
    host, _, port = address.rpartition(":")
    return host, int(port)


def _rest_ca(path: Path) -> Path:
    """Return the file of CAs for REST calls. Python's TLS reads the file itself, and understands plain PEM only."""
    try:
        certificates = read_certificate_file(path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(path)
        seen = len(context.get_ca_certs())
    except ssl.SSLError:
        seen = 0
    except OSError as error:
        cure = "correct rest_ca in the boards file"
        raise Misuse(f"{path}: cannot read the CAs for REST calls: {error.strerror}; {cure}") from error
    if seen < len({certificate.fingerprint(hashes.SHA256()) for certificate in certificates}):
        how = "UTF-16, DER, one long line?"
        raise Misuse(f"{path}: REST calls need plain PEM ({how}); openssl x509 -in {path} -out ca.pem converts it")
    return path


def _root_ca(config: NrfCloudAccount, folder: Path) -> str:
    if config.root_ca is None:
        return (resources.files("harness.cloud") / "ca" / "AmazonRootCA1.pem").read_text()
    path = folder / config.root_ca
    try:
        return as_pem(read_ca_file(path))
    except OSError as error:
        cure = "correct root_ca in the boards file"
        raise Misuse(f"{path}: cannot read the root CA for boards: {error.strerror}; {cure}") from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
