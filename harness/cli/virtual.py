"""``nrf91-harness virtual up``: starts the stand-ins in a process, and writes a boards file that reaches them."""

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any, Final

import yaml

from harness.cli.arguments import Arguments
from harness.cli.ending import told_to_end
from harness.cli.progress import Progress
from harness.cli.result import Result
from harness.errors import LabError, Misuse
from harness.lab.config import DEFAULT_SEC_TAG
from harness.lab.relay import Relay
from harness.lab.scratch import Scratch
from harness.lab.stand_in import StandIn
from harness.settings import (
    DEFAULT_FIRMWARE,
    FirmwareName,
    ProcessSettings,
    UnreadableSettings,
    WrongOption,
    settings_of,
)

BOARDS_FILE: Final = "boards.yaml"
CLOUD: Final = "virtual"
SEC_TAGS: Final = (DEFAULT_SEC_TAG, DEFAULT_SEC_TAG + 1)  # the second sec_tag is for renewals
RELAYED: Final = "stand-ins"
"""The name of the stand-ins at the relay beside the boards file, for ``virtual fault``."""
_LOOK: Final = 0.5  # seconds from one check for a signal to the next


class NotStarted(LabError):
    """The stand-ins' process did not start, or ended early."""


def up(given: Arguments, progress: Progress) -> Result:
    """Start the stand-ins, print how to reach them, and run until Ctrl-C, SIGTERM or their end."""
    settings = _settings(given)
    with Scratch() as scratch:
        progress("starting")
        stand_in = StandIn("stand-ins", settings, log=scratch.path / "stderr", error=NotStarted, refused=Misuse)
        path: Path | None = None
        relay: Relay | None = None
        try:
            with told_to_end() as told:
                path = write_boards_file(stand_in.ready)
                relay = Relay(path.parent, {RELAYED: stand_in.command})
                progress.close()
                _announce(given, stand_in.ready, path)
                while not told.is_set() and stand_in.died(grace=_LOOK) is None:
                    continue
        finally:
            if relay is not None:
                relay.close()
            if path is not None:
                path.unlink(missing_ok=True)
            fault = stand_in.stop()
    if fault is not None:
        raise NotStarted(f"{fault}; run again")
    return Result(None, [])


def boards_file(ready: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a boards file for the stand-ins of a ready line."""
    boards = []
    for board in ready["boards"]:
        entry: dict[str, Any] = {"name": board["name"], "port": board["port"]}
        entry["cloud"] = CLOUD if ready["cloud"] else "nrfcloud"
        entry["sec_tags"] = list(SEC_TAGS)
        if board["firmware"] == FirmwareName.CLOUD_LIBRARY:
            entry["firmware"] = {"kind": board["firmware"], "sample": board["sample"]}
        elif board["firmware"] != DEFAULT_FIRMWARE:
            entry["firmware"] = board["firmware"]
        if board["model"].startswith("nrf9160"):  # it has no AT%DEVICEUUID, which would tell the id
            entry["device_id"] = f"{board['name']}-{board['imei']}"
        boards.append(entry)
    return {"clouds": {CLOUD: _account(ready["cloud"])} if ready["cloud"] else {}, "boards": boards}


def _account(cloud: dict[str, Any]) -> dict[str, Any]:
    network = {name: f"{host}:{port}" for name, (host, port) in cloud["network"].items()}
    host, port = cloud["jitp"]
    return {
        "kind": "nrfcloud",
        "rest": cloud["rest"],
        "rest_ca": cloud["ca"],
        "root_ca": cloud["ca"],
        "api_key_file": cloud["api_key_file"],
        "network": network,
        "jitp": f"{host}:{port}",
        "provisioning": cloud["provisioning"],
    }


def write_boards_file(ready: dict[str, Any]) -> Path:
    """Write the boards file into the stand-ins' folder. Only its owner may read it, because it leads to a key."""
    path = Path(ready["dir"]) / BOARDS_FILE
    text = "# Written by nrf91-harness virtual up; gone when it ends.\n"
    text += yaml.safe_dump(boards_file(ready), sort_keys=False, width=120)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
    except OSError as error:
        raise Misuse(f"{path}: {error.strerror}: name another folder with --dir") from error
    return path


def _settings(given: Arguments) -> ProcessSettings:
    """Return the settings of the stand-ins from the command line. Raises Misuse."""
    try:
        settings = settings_of(given, sys.stdin.buffer.read, fewest=1)
    except (WrongOption, UnreadableSettings) as error:
        raise Misuse(str(error)) from None
    if not settings.boards:
        raise Misuse("virtual up needs at least one board; leave --boards out, or give a number from 1")
    if settings.directory is not None:
        _check_folder(Path(settings.directory))
    return settings.model_copy(update={"die_with_stdin": True})


def _check_folder(folder: Path) -> None:
    """Make the folder if it is missing. Raises Misuse if it cannot be made, or has a boards file already."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        there = (folder / BOARDS_FILE).exists()
    except OSError as error:
        why = "it is a file" if folder.is_file() else error.strerror
        raise Misuse(f"{folder} cannot be the folder for the stand-ins: {why}; name another one with --dir") from error
    if there:
        raise Misuse(f"{folder / BOARDS_FILE} exists already; name another folder with --dir")


def _announce(given: Arguments, ready: dict[str, Any], path: Path) -> None:
    if given.json:
        print(json.dumps({"ok": True, "boards_file": str(path), **ready}), flush=True)
        return
    lines = [f"boards file  {path}", *_cloud_lines(ready["cloud"] or {}), f"journal      {ready['journal']}"]
    lines += [
        f"board        {board['name']}: {board['model']} with {board['firmware']} at {board['port']}"
        for board in ready["boards"]
    ]
    first, quoted = ready["boards"][0]["name"], shlex.quote(str(path))
    lines += [
        f"try          nrf91-harness provision {first} --boards {quoted}",
        f"faults       nrf91-harness virtual fault --boards {quoted}",
        "Ctrl-C ends it.",
    ]
    print("\n".join(lines), flush=True)


def _cloud_lines(cloud: dict[str, Any]) -> list[str]:
    if not cloud:
        return []
    host, port = cloud["mqtt"]
    lines = [
        f"REST         {cloud['rest']}",
        f"MQTT         {host}:{port}",
        f"root CA      {cloud['ca']}",
        f"API key      in {cloud['api_key_file']}",
    ]
    return lines + ([f"proxy        HTTPS_PROXY={cloud['proxy']}"] if cloud["proxy"] else [])
