"""Runs the stand-ins: starts what the options ask for, says where it listens, and takes it all away again."""

import asyncio
import contextlib
import json
import os
import signal
import threading
from contextlib import AsyncExitStack
from typing import Any

from harness.virtual.board import PERSONALITIES, Network, VirtualBoard
from harness.virtual.cloud.broker.profile import BrokerProfile
from harness.virtual.cloud.journal import JournalFile
from harness.virtual.cloud.local_cloud import CloudSettings, LocalCloud
from harness.virtual.cloud.provisioning.attestation import parse_identity
from harness.virtual.options import Options
from harness.virtual.proxy import Proxy
from harness.virtual.run_directory import RunDirectory

_STDIN = 0


async def run(options: Options) -> None:
    """Run until SIGTERM, SIGINT or, if asked for, the end of stdin. Prints one JSON line when everything listens.

    Raises PolicyError, UnusableDirectory or OSError when something cannot start; nothing is left behind then either.
    """
    stop = _stop_event(die_with_stdin=options.die_with_stdin)
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(RunDirectory(options.directory))
        journal = JournalFile(directory.take("journal.jsonl"))
        stack.callback(journal.close)
        cloud = await _start_cloud(stack, options, journal) if options.cloud else None
        network = Network({**(cloud.network if cloud else {}), **dict(options.network)})
        boards = [await _start_board(stack, name, options, directory, network) for name in options.names]
        if cloud:
            for board in boards:
                cloud.identities.trust(*parse_identity(f"{board['device_uuid']}={board['identity_key']}"))
        proxy = (
            await _start_proxy(stack, options.proxy, cloud, journal) if cloud and options.proxy is not None else None
        )
        ready = {
            "pid": os.getpid(),
            "dir": str(directory.path),
            "journal": str(journal.path),
            "cloud": _describe_cloud(cloud, proxy, directory) if cloud else None,
            "boards": boards,
        }
        print(json.dumps(ready), flush=True)
        await stop.wait()


async def _start_cloud(stack: AsyncExitStack, options: Options, journal: JournalFile) -> LocalCloud:
    profile = BrokerProfile(
        on_violation=options.on_violation, close_style=options.close_style, cert_refusal=options.cert_refusal
    )
    settings = CloudSettings(
        options.tenant,
        options.policies,
        profile,
        state=options.state,
        jitp_delay=options.jitp_delay,
        identities=options.identities,
    )
    cloud = LocalCloud(journal, settings)
    stack.push_async_callback(cloud.stop)
    await cloud.start()
    return cloud


async def _start_proxy(stack: AsyncExitStack, port: int, cloud: LocalCloud, journal: JournalFile) -> int:
    proxy = Proxy(cloud.network, journal)
    stack.push_async_callback(proxy.stop)
    return await proxy.start("127.0.0.1", port)


async def _start_board(
    stack: AsyncExitStack, name: str, options: Options, directory: RunDirectory, network: Network
) -> dict[str, Any]:
    board = VirtualBoard(
        name,
        link=directory.take(name),
        network=network,
        personality=PERSONALITIES[options.model],
        baud=options.baud,
        time_scale=options.time_scale,
        framing=options.framing,
        terminator=options.terminator,
        colour=options.colour,
        faults=options.faults,
    )
    stack.push_async_callback(board.stop)
    await board.start()
    return {
        "name": name,
        "port": str(board.port),
        "model": board.model,
        "imei": board.imei,
        "device_uuid": board.device_uuid,
        "identity_key": board.identity_key,
    }


def _describe_cloud(cloud: LocalCloud, proxy: int | None, directory: RunDirectory) -> dict[str, Any]:
    ca = directory.take("ca.pem")
    ca.write_text(cloud.root_pem)
    return {
        "rest": cloud.rest_url,
        "mqtt": list(cloud.mqtt_address),
        "jitp": list(cloud.jitp_address),
        "provisioning": cloud.provisioning_url,
        "proxy": proxy,
        "ca": str(ca),
        "api_key_file": str(directory.write_private("api-key", cloud.api_key)),
        "network": {f"{host}:{port}": list(address) for (host, port), address in cloud.network.items()},
    }


def _stop_event(*, die_with_stdin: bool) -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if die_with_stdin:
        # A thread, because stdin may be a file or a terminal, which the event loop cannot watch.
        threading.Thread(target=_wait_for_eof, args=(loop, stop), name="stdin", daemon=True).start()
    return stop


def _wait_for_eof(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # A closed or broken stdin has ended too; a closed loop has been stopped by something else.
    with contextlib.suppress(OSError):
        while os.read(_STDIN, 4096):
            continue
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(stop.set)
