"""Starts the local cloud of a stand-in's process: imported only there, because it takes half of a start."""

import uuid
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from harness.policy import profile_folder
from harness.policy.documents.profile import SHIPPED
from harness.settings import ProcessCloud
from harness.virtual.cloud.journal import JournalFile
from harness.virtual.cloud.local_cloud import LocalCloud
from harness.virtual.cloud.provisioning.attestation import parse_identity
from harness.virtual.proxy import Proxy
from harness.virtual.run_directory import RunDirectory
from harness.virtual.unusable import UnusableSettings, UnusableState


async def start_cloud(stack: AsyncExitStack, said: ProcessCloud, journal: JournalFile) -> LocalCloud:
    """Start the cloud ``said``; it ends with ``stack``. Raises what :func:`harness.virtual.launch.run` does.

    ``journal``: gets what happens in it.
    """
    policies, identities = _policies(said.policies), [_identity(text) for text in said.trust_identities]
    try:
        cloud = LocalCloud(journal, said, policies=policies)
    except OSError as error:
        raise UnusableState(f"state: {said.state}: {error.strerror}; name another file") from error
    for board, key in identities:
        cloud.identities.trust(board, key)
    stack.push_async_callback(cloud.stop)
    await cloud.start()
    return cloud


def _policies(text: str) -> Path:
    folder = profile_folder(text) if text in SHIPPED else Path(text)
    if not folder.is_dir():
        raise UnusableSettings(f"policies: {text} is neither page nor current nor a directory; name one that is there")
    return folder


def _identity(text: str) -> tuple[uuid.UUID, Any]:
    try:
        return parse_identity(text)
    except ValueError:
        raise UnusableSettings(f"trust_identities: {text!r} is not a UUID with a point on P-256; correct it") from None


async def _start_proxy(stack: AsyncExitStack, port: int, cloud: LocalCloud, journal: JournalFile) -> int:
    proxy = Proxy(cloud.network, journal)
    stack.push_async_callback(proxy.stop)
    return await proxy.start("127.0.0.1", port)


async def describe_cloud(
    stack: AsyncExitStack, cloud: LocalCloud, said: ProcessCloud, journal: JournalFile, directory: RunDirectory
) -> dict[str, Any]:
    """Return the part of ``cloud`` in the ready line, its files written; start the proxy where one is asked for.

    ``stack``: with it the proxy ends. ``said``: the cloud's settings. ``journal``: gets what the proxy does.
    ``directory``: the files are written there.
    """
    proxy = None if said.proxy is None else await _start_proxy(stack, said.proxy, cloud, journal)
    ca = directory.take("ca.pem")
    ca.write_text(cloud.root_pem)
    return {
        "rest": cloud.rest_url,
        "mqtt": list(cloud.mqtt_address),
        "jitp": list(cloud.jitp_address),
        "provisioning": cloud.provisioning_url,
        "proxy": None if proxy is None else f"http://127.0.0.1:{proxy}",
        "ca": str(ca),
        "api_key_file": str(directory.write_private("api-key", cloud.api_key)),
        "network": {f"{host}:{port}": list(address) for (host, port), address in cloud.network.items()},
    }
