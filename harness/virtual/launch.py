"""Runs the stand-ins: starts what the settings ask for, says where it listens, and takes it all away again."""

import asyncio
import gc
import json
import os
import secrets
import signal
import uuid
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.x509 import load_pem_x509_certificates

from harness.hang_up import ending_signals
from harness.settings import FirmwareName, NamedBoard, ProcessSettings
from harness.virtual.board import Network, VirtualBoard
from harness.virtual.cloud.journal import JournalFile
from harness.virtual.control import StandIns, respond
from harness.virtual.run_directory import RunDirectory
from harness.virtual.standard_input import InputReader, listen
from harness.virtual.unusable import UnusableSettings


async def run(settings: ProcessSettings, lines: InputReader) -> None:
    """Run until SIGTERM, SIGINT or, if asked for, the end of standard input; without the last, SIGHUP ends it too.

    Prints one JSON line when everything listens, then answers the commands that ``lines`` brings, one JSON line each.
    Raises UnusableSettings, PolicyError, UnusableDirectory, UnusableState or OSError when something cannot start;
    nothing is left behind then either.
    """
    stop = _stop_event(hang_up=not settings.die_with_stdin)
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(RunDirectory(Path(settings.directory) if settings.directory else None))
        journal = JournalFile(directory.take("journal.jsonl"))
        stack.callback(journal.close)
        said, cloud, described = settings.cloud, None, None
        if said is not None:
            from harness.virtual.launch_cloud import (  # half of a start, which boards do without
                describe_cloud,
                start_cloud,
            )

            cloud = await start_cloud(stack, said, journal)
        network = Network(cloud.network if cloud else {})
        for name, target in settings.network.items():
            network.route(*_address(name), _address(target))
        fresh = secrets.token_hex(16)
        root_ca = _firmware_ca(settings) or (cloud.root_pem if cloud else None)
        boards = [await _start_board(stack, board, directory, network, fresh, root_ca) for board in settings.boards]
        if cloud is not None and said is not None:
            for board in boards:
                cloud.identities.trust(uuid.UUID(board.device_uuid), board.nvm.identity_key.public_key())
            described = await describe_cloud(stack, cloud, said, journal, directory)
        ready = {
            "pid": os.getpid(),
            "dir": str(directory.path),
            "journal": str(journal.path),
            "cloud": described,
            "boards": [_describe_board(board, said) for board, said in zip(boards, settings.boards, strict=True)],
        }
        print(json.dumps(ready), flush=True)
        if not gc.isenabled():  # see __main__
            gc.freeze()
            gc.enable()
        control = None
        if cloud is not None:
            from harness.virtual.control_cloud import CloudControl  # as above

            control = CloudControl(cloud)
        stand_ins = StandIns({board.name: board for board in boards}, control, network)
        ended = stop.set if settings.die_with_stdin else lambda: None
        listen(lines, partial(respond, stand_ins=stand_ins), ended)
        await stop.wait()


async def _start_board(
    stack: AsyncExitStack,
    said: NamedBoard,
    directory: RunDirectory,
    network: Network,
    fresh: str,
    root_ca: str | None,
) -> VirtualBoard:
    """Start a board. ``fresh``: the seed of those that have none; ``root_ca``: what is compiled into firmware (PEM)."""
    seed = f"{said.seed or fresh}/{said.name}"
    board = VirtualBoard(said, link=directory.take(said.name), network=network, seed=seed, root_ca=root_ca)
    stack.push_async_callback(board.stop)
    await board.start()
    return board


def _describe_board(board: VirtualBoard, said: NamedBoard) -> dict[str, Any]:
    sample = {"sample": said.runs_sample} if said.runs is FirmwareName.CLOUD_LIBRARY else {}
    return {
        "name": board.name,
        "port": str(board.port),
        "model": board.model,
        "firmware": said.runs,
        "imei": board.imei,
        "device_uuid": board.device_uuid,
        "identity_key": board.identity_key,
        **sample,
        **({} if board.url is None else {"url": board.url}),
    }


def _firmware_ca(settings: ProcessSettings) -> str | None:
    if settings.firmware_ca is None:
        return None
    try:
        pem = Path(settings.firmware_ca).read_bytes()
        load_pem_x509_certificates(pem)
    except OSError as error:
        raise UnusableSettings(f"firmware_ca: {settings.firmware_ca}: {error.strerror}; name another file") from error
    except ValueError:
        why = "it has no certificate in PEM; name another file"
        raise UnusableSettings(f"firmware_ca: {settings.firmware_ca}: {why}") from None
    return pem.decode("ascii", "replace")


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def _stop_event(*, hang_up: bool) -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in ending_signals():
        if number != signal.SIGHUP or hang_up:  # who holds standard input still needs this process to clean up
            loop.add_signal_handler(number, stop.set)
    return stop
