"""A lab of several computers on one: labgrid's coordinator and exporters on loopback, virtual boards behind them.

``python -m tests.labgrid_lab`` sets up what tests/boards/labgrid.yaml describes, and keeps it until Ctrl-C.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from harness.cli.virtual import boards_file
from harness.errors import LabError
from harness.lab.places.helper import LabgridHelper
from harness.lab.stand_in import StandIn
from harness.settings import NamedBoard, ProcessCloud, ProcessSettings

ROOT = Path(__file__).parents[1]
LABGRID = ROOT / ".labgrid"
FILE = ROOT / "tests" / "boards" / "labgrid.yaml"
COORDINATOR = "127.0.0.1:20408"
START = 60.0  # seconds; a start takes two, on a busy computer twenty
_MAKE_PLACES = """
import json, sys
from labgrid.remote.client import start_session
from labgrid.remote.generated import labgrid_coordinator_pb2 as messages

session = start_session(sys.argv[1])

async def make():
    for name, match in json.loads(sys.argv[2]).items():
        await session.stub.AddPlace(messages.AddPlaceRequest(name=name))
        await session.stub.AddPlaceMatch(messages.AddPlaceMatchRequest(placename=name, pattern=f"{match}/*"))

session.loop.run_until_complete(make())
"""
_CONNECTION = """connection: &{name}
  accepter: telnet(rfc2217),tcp,127.0.0.1,{port}
  connector: serialdev,{tty},115200n81,local
  options: {{chardelay: false, kickolduser: false}}
"""
UNDELAYED = """#!/bin/sh
exec /usr/sbin/ser2net "$@" -Y "    chardelay: false"
"""
RACKS = {"rack-1": ("dk-1", "dk-2"), "rack-2": ("dk-3", "dk-4")}


def missing() -> str | None:
    """Return why there can be no lab here, None: there can."""
    if not (LABGRID / "bin" / "labgrid-exporter").exists():
        return "labgrid is not installed: make labgrid-env"
    if shutil.which("ser2net", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
        return "ser2net is not installed: apt-get install ser2net"
    return None


class LabgridLab:
    """``racks``: exporters with the boards of each. ``folder``: for files. ``coordinator``: where it listens.

    ``stand_ins``: the process of boards and cloud. ``extra``: more resources of a board, by its name.
    ``served_by``: "labgrid": the ser2net that the exporter starts; "undelayed": the same through the program of
    docs/many-hosts.md, which tells it not to collect characters; "own": one that was started before, with the settings
    given there. ``settings``: of each board.
    """

    def __init__(
        self,
        folder: Path,
        racks: Mapping[str, Sequence[str]] = RACKS,
        coordinator: str | None = None,
        extra: Callable[[str], dict[str, Any]] = lambda _name: {},
        *,
        served_by: str = "labgrid",
        **settings: Any,
    ) -> None:
        self.folder = folder
        self._served_by = served_by
        if served_by == "undelayed":
            program = folder / "bin" / "ser2net"
            program.parent.mkdir()
            program.write_text(UNDELAYED)
            program.chmod(0o755)
        self._extra = extra
        self.racks = racks
        self.coordinator = coordinator or f"127.0.0.1:{free_port()}"
        self._watcher: LabgridHelper | None = None
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.stand_ins = start_stand_ins(folder, [name for names in racks.values() for name in names], **settings)
        try:
            self.start_coordinator()
            for rack in racks:
                self.start_exporter(rack)
            self.make_places({name: f"{rack}/{name}" for rack, names in racks.items() for name in names})
        except BaseException:
            self.close()
            raise

    def start_coordinator(self) -> None:
        """Start the coordinator."""
        self._start("coordinator", ["labgrid-coordinator", "-l", self.coordinator], "listening on")

    def start_exporter(self, rack: str) -> None:
        """Start an exporter; ser2net serves its boards while their places are acquired."""
        ports = self._served(rack) if self._served_by == "own" else {name: self._raw(name) for name in self.racks[rack]}
        resources = {name: port | self._extra(name) for name, port in ports.items()}
        path = self.folder / f"{rack}.yaml"
        path.write_text(yaml.safe_dump(resources))
        words = ["labgrid-exporter", "-c", self.coordinator, "-n", rack, "--hostname", "127.0.0.1", str(path)]
        self._start(rack, words, "connected to coordinator")

    def _raw(self, name: str) -> dict[str, Any]:
        return {"RawSerialPort": {"port": os.path.realpath(self.port(name)), "speed": 115200}}

    def _served(self, rack: str) -> dict[str, dict[str, Any]]:
        """Start a ser2net for the boards of a rack; return the resource of each."""
        ports = {name: free_port() for name in self.racks[rack]}
        path = self.folder / f"{rack}-ser2net.yaml"
        path.write_text("".join(_CONNECTION.format(name=n, port=p, tty=self.port(n)) for n, p in ports.items()))
        self._start(f"{rack}-ser2net", ["ser2net", "-n", "-d", "-c", str(path)], "")
        for port in ports.values():
            self._await(f"{rack}-ser2net", partial(listens, port))
        return {
            name: {"NetworkSerialPort": {"host": "127.0.0.1", "port": port, "speed": 115200}}
            for name, port in ports.items()
        }

    def port(self, name: str) -> str:
        """Return a board's own port."""
        return str(next(board["port"] for board in self.stand_ins.ready["boards"] if board["name"] == name))

    def make_places(self, places: Mapping[str, str]) -> None:
        """Make places, by name, of an EXPORTER/GROUP each. In one go: each call of the client takes a second."""
        words = [str(LABGRID / "bin" / "python"), "-c", _MAKE_PLACES, self.coordinator, json.dumps(dict(places))]
        subprocess.run(words, check=True, timeout=START, stdin=subprocess.DEVNULL)

    def client(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run labgrid's own client."""
        return subprocess.run(
            [str(LABGRID / "bin" / "labgrid-client"), "-x", self.coordinator, *words],
            capture_output=True,
            text=True,
            timeout=START,
            check=False,
        )

    def who(self) -> list[str]:
        """Return the places that somebody holds."""
        if self._watcher is None:  # labgrid's own client would take a second each time
            self._watcher = LabgridHelper(LABGRID / "bin" / "python", self.coordinator, self.folder / "watcher.stderr")
        answer = self._watcher.send("places").result(START)
        return sorted(place["name"] for place in answer["places"] if place["holder"])

    def kill(self, name: str, number: int = signal.SIGTERM) -> None:
        """End an exporter or the coordinator."""
        process = self._running.pop(name)
        os.kill(process.pid, number)
        process.wait(START)

    def pid(self, name: str) -> int:
        """Return the process id of an exporter or the coordinator."""
        return self._running[name].pid

    def await_end(self, name: str) -> None:
        """Wait until an exporter has ended that was told to."""
        self._running.pop(name).wait(START)

    def restart_coordinator(self) -> None:
        """Restart the coordinator; exporters end with it, and are started again, as systemd does."""
        self.kill("coordinator")
        for rack in self.racks:
            self.await_end(rack)
        self.start_coordinator()
        for rack in self.racks:
            self.start_exporter(rack)

    def ser2nets(self, name: str) -> list[int]:
        """Return the process ids of the port servers of a board."""
        device = os.path.realpath(self.port(name)).encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes()
            except OSError:
                continue
            if b"ser2net" in words and (device in words or _config_names(words, device)):
                found.append(int(path.parent.name))
        return found

    def boards(self, **keys: Any) -> dict[str, Any]:
        """Return a boards file for this lab; ``keys`` are added to each board."""
        said = boards_file(self.stand_ins.ready)
        for board in said["boards"]:
            del board["port"]
            board["place"] = board["name"]
            board.update(keys)
        said["labgrid"] = {"coordinator": self.coordinator, "environment": str(LABGRID)}
        return said

    def close(self) -> None:
        """End everything."""
        if self._watcher is not None:
            self._watcher.close()
        for name in [name for name in self._running if name != "coordinator"]:
            self.kill(name)
        if "coordinator" in self._running:
            self.kill("coordinator")
        self.stand_ins.stop()

    def _start(self, name: str, words: list[str], ready: str) -> None:
        log = self.folder / f"{name}.log"
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        path = f"{self.folder / 'bin'}:{LABGRID / 'bin'}:{os.environ['PATH']}:/usr/sbin"
        environment = {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"}
        with log.open("wb") as output:
            process = subprocess.Popen(
                words,
                cwd=folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=environment,
            )
        self._running[name] = process
        self._await(name, lambda: ready in log.read_text())

    def _await(self, name: str, ready: Callable[[], bool]) -> None:
        log = self.folder / f"{name}.log"
        deadline = time.monotonic() + START
        while not ready():
            assert self._running[name].poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)


def start_stand_ins(folder: Path, names: Sequence[str], **settings: Any) -> StandIn:
    """Start one process with these virtual boards and their cloud. ``settings``: of each board."""
    said = ProcessSettings(
        boards=tuple(NamedBoard(name=name, **settings) for name in names),
        cloud=ProcessCloud(),
        directory=str(folder / "stand-ins"),
        die_with_stdin=True,
    )
    return StandIn("stand-ins", said, log=folder / "stand-ins.stderr", error=LabError)


def _config_names(words: bytes, device: bytes) -> bool:
    """Tell whether a ser2net was told of a device in a file that it was given."""
    for word in words.split(b"\0"):
        try:
            if word.startswith(b"/") and device in Path(word.decode()).read_bytes():
                return True
        except (OSError, UnicodeDecodeError):
            continue
    return False


def listens(port: int) -> bool:
    """Tell whether somebody listens at a TCP port of this computer."""
    return any(
        fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for fields in map(str.split, Path(table).read_text().splitlines()[1:])
    )


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


async def serve_at_fixed_addresses(lab: LabgridLab) -> None:
    """Serve the cloud where tests/boards/labgrid.yaml says that it is, until it is cancelled."""
    said = yaml.safe_load(FILE.read_text())["clouds"]["virtual"]
    made = boards_file(lab.stand_ins.ready)["clouds"]["virtual"]
    pairs = {said[key].split("/")[-2]: made[key].split("/")[-2] for key in ("rest", "provisioning")}
    pairs |= {said["network"][name]: made["network"][name] for name in said["network"]} | {said["jitp"]: made["jitp"]}
    servers = [await _forward(outer, inner) for outer, inner in pairs.items()]
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def _forward(outer: str, inner: str) -> asyncio.Server:
    host, _, port = inner.rpartition(":")

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pump(reader, back), pump(there, writer))

    return await asyncio.start_server(lead, "127.0.0.1", int(outer.rpartition(":")[2]))


def main() -> None:
    """Set up the lab of tests/boards/labgrid.yaml."""
    reason = missing()
    if reason:
        sys.exit(f"labgrid_lab: {reason}")
    folder = ROOT / ".labgrid-lab"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    lab = LabgridLab(folder, coordinator=COORDINATOR)
    try:
        print(f"make nightly BOARDS={FILE.relative_to(ROOT)}\nCtrl-C ends it.", flush=True)
        with suppress(KeyboardInterrupt):
            asyncio.run(serve_at_fixed_addresses(lab))
    finally:
        lab.close()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main()
