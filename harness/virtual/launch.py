"""Runs the stand-ins: starts what the settings ask for, says where it listens, and takes it all away again."""

import asyncio
import json
import os
import secrets
import signal
import ssl
import uuid
from contextlib import AsyncExitStack
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from harness.policy import profile_folder
from harness.policy.documents.profile import SHIPPED
from harness.settings import FirmwareName, NamedBoard, ProcessCloud, ProcessSettings
from harness.virtual.board import PERSONALITIES, Network, VirtualBoard
from harness.virtual.cloud.broker.profile import BrokerProfile
from harness.virtual.cloud.journal import JournalFile
from harness.virtual.cloud.local_cloud import CloudSettings, LocalCloud
from harness.virtual.cloud.provisioning.attestation import parse_identity
from harness.virtual.control import StandIns, respond
from harness.virtual.proxy import Proxy
from harness.virtual.run_directory import RunDirectory
from harness.virtual.standard_input import LineReader, listen

_TLS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class UnusableSettings(Exception):
    """A setting names something that does not exist, or that is of the wrong kind. One line."""


async def run(settings: ProcessSettings, lines: LineReader) -> None:
    """Run until SIGTERM, SIGINT or, if asked for, the end of standard input.

    Prints one JSON line when everything listens, then answers the commands that ``lines`` brings, one JSON line each.
    Raises UnusableSettings, PolicyError, UnusableDirectory, UnusableState or OSError when something cannot start;
    nothing is left behind then either.
    """
    stop = _stop_event()
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(RunDirectory(Path(settings.directory) if settings.directory else None))
        journal = JournalFile(directory.take("journal.jsonl"))
        stack.callback(journal.close)
        cloud = await _start_cloud(stack, settings.cloud, journal) if settings.cloud else None
        network = Network(cloud.network if cloud else {})
        for name, target in settings.network.items():
            network.route(*_address(name), _address(target))
        fresh = secrets.token_hex(16)
        root_ca = _firmware_ca(settings) or (cloud.root_pem if cloud else None)
        boards = [await _start_board(stack, board, directory, network, fresh, root_ca) for board in settings.boards]
        if cloud:
            for board in boards:
                cloud.identities.trust(uuid.UUID(board.device_uuid), board.nvm.identity_key.public_key())
        port = settings.cloud.proxy if settings.cloud else None
        proxy = await _start_proxy(stack, port, cloud, journal) if cloud and port is not None else None
        ready = {
            "pid": os.getpid(),
            "dir": str(directory.path),
            "journal": str(journal.path),
            "cloud": _describe_cloud(cloud, proxy, directory) if cloud else None,
            "boards": [_describe_board(board, said) for board, said in zip(boards, settings.boards, strict=True)],
        }
        print(json.dumps(ready), flush=True)
        stand_ins = StandIns({board.name: board for board in boards}, cloud, network)
        ended = stop.set if settings.die_with_stdin else lambda: None
        listen(lines, partial(respond, stand_ins=stand_ins), ended)
        await stop.wait()


async def _start_cloud(stack: AsyncExitStack, said: ProcessCloud, journal: JournalFile) -> LocalCloud:
    settings = CloudSettings(
        said.tenant,
        _policies(said.policies),
        broker_profile(said),
        bulk_step=said.bulk_step,
        state=Path(said.state) if said.state else None,
        jitp_delay=said.jitp_delay,
        identities=dict(map(_identity, said.trust_identities)),
    )
    cloud = LocalCloud(journal, settings)
    stack.push_async_callback(cloud.stop)
    await cloud.start()
    return cloud


def broker_profile(said: ProcessCloud) -> BrokerProfile:
    """Return the broker's behaviour. Its fields are settings of the same names."""
    values = {field.name: getattr(said, field.name) for field in fields(BrokerProfile)}
    return BrokerProfile(**{**values, "maximum_tls": _TLS[said.maximum_tls]})


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


async def _start_board(
    stack: AsyncExitStack,
    said: NamedBoard,
    directory: RunDirectory,
    network: Network,
    fresh: str,
    root_ca: str | None,
) -> VirtualBoard:
    """Start a board. ``fresh``: the seed of those that have none; ``root_ca``: what is compiled into firmware (PEM)."""
    board = VirtualBoard(
        said.name,
        link=directory.take(said.name),
        network=network,
        personality=PERSONALITIES[said.model],
        baud=said.baud,
        time_scale=said.time_scale,
        seed=f"{said.seed or fresh}/{said.name}",
        imei=said.imei,
        device_uuid=uuid.UUID(said.device_uuid) if said.device_uuid else None,
        firmware=said.firmware or FirmwareName.SERIAL_MODEM,
        terminator=said.terminator,
        colour=said.colour,
        provisioning=said.provisioning,
        root_ca=root_ca,
        faults=said.faults,
    )
    stack.push_async_callback(board.stop)
    await board.start()
    return board


def _describe_board(board: VirtualBoard, said: NamedBoard) -> dict[str, Any]:
    return {
        "name": board.name,
        "port": str(board.port),
        "model": board.model,
        "firmware": said.firmware or FirmwareName.SERIAL_MODEM,
        "imei": board.imei,
        "device_uuid": board.device_uuid,
        "identity_key": board.identity_key,
    }


def _firmware_ca(settings: ProcessSettings) -> str | None:
    return None if settings.firmware_ca is None else Path(settings.firmware_ca).read_text()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def _describe_cloud(cloud: LocalCloud, proxy: int | None, directory: RunDirectory) -> dict[str, Any]:
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


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
