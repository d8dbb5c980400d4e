"""Provisioning virtual boards whose UARTs run at 115200 baud: key made on the board, certificates written and verified.

Peers: the least that the wire and the modem allow; the same job by nrfcredstore, as calls of its library and as
commands of its program, on the same board; and one board alone, for ten at once.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any
from unittest import mock

from cryptography import x509
from nrfcredstore.command_interface import ATCommandInterface
from nrfcredstore.comms import Comms
from nrfcredstore.credstore import CredStore, CredType
from serial.tools import list_ports, list_ports_common

from benchmarks.common import Row, ratio
from harness.at import AtPort, PortSettings
from harness.at.serial_link import open_link
from harness.at.stream import ByteStream
from harness.credentials import CredentialRecords, KeyOrigin, LabCa, ProvisionRequest, provision
from harness.modem import CredentialKind, Modem
from harness.timeline import Timeline
from harness.virtual.board.modem.keys import KEYGEN_SECONDS

BAUD = 115200
BITS_PER_BYTE = 10
TIME_SCALE = 0.05  # key generation takes 60 ms; as slow as a real one it would hide what the programs cost
SEC_TAG = 16842753
ROUNDS = 5
BOARDS = 10
_DEVICE_ID = "50503041-3633-4261-803d-1e2b8f70111a"
_KINDS = (CredentialKind.ROOT_CA, CredentialKind.CLIENT_CERT, CredentialKind.PRIVATE_KEY)
_LISTED_PORT = Path(__file__).parents[1] / "tests" / "interop" / "listed_port"


def run() -> list[Row]:
    """Measure; about 30 s, most of it the peer's commands."""
    with tempfile.TemporaryDirectory() as folder, _boards(BOARDS) as ports:
        job = _Job(Path(folder))
        # The fastest of some rounds: what else the computer does is nobody's merit.
        rounds = [job.ours(ports[0]) for _ in range(ROUNDS)]
        wall, bound, _ = min(rounds)
        whole = min(seconds for _, _, seconds in rounds)
        calls = min(job.nrfcredstore_calls(ports[0]) for _ in range(ROUNDS))
        commands = job.nrfcredstore_commands(ports[0])
        alone = min(job.at_once(ports[:1]) for _ in range(ROUNDS))
        together = min(job.at_once(ports) for _ in range(ROUNDS))
    what = f"provision a board at {BAUD} baud"
    return [
        Row(f"{what}, peer: bytes x 10 / baud + key generation", wall, bound, ratio(wall, bound), "<= 1.10x", "s"),
        Row(f"{what}, port opened, peer: nrfcredstore's library", whole, calls, ratio(whole, calls), "<= 0.2x", "s"),
        Row(f"{what}, port opened, peer: nrfcredstore's program", whole, commands, ratio(whole, commands), "-", "s"),
        Row(f"{what}, {BOARDS} at once, peer: one", together, alone, ratio(together, alone), "<= 1.3x", "s"),
    ]


class _Counted:
    """A stream that counts its bytes."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self.bytes = 0

    def take(self, mark: int) -> bytes:
        data = self._stream.take(mark)
        self.bytes += len(data)
        return data

    def write(self, data: bytes) -> None:
        self.bytes += len(data)
        self._stream.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Job:
    """The job in its variants: what is there deleted, a key made, two certificates written and verified by digest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca = LabCa.load_or_create(folder / "ca")
        self._root = Path(__file__).parents[1] / "harness/cloud/ca/AmazonRootCA1.pem"
        records = CredentialRecords(folder / "records")
        root_pem = self._root.read_text()
        self._request = ProvisionRequest(_DEVICE_ID, (SEC_TAG,), KeyOrigin.DEVICE, self._ca, root_pem, records)

    def ours(self, path: str, barrier: Barrier | None = None) -> tuple[float, float, float]:
        """Return the seconds of provisioning an empty sec_tag, the least that was possible, and the whole's."""
        start = time.perf_counter()
        stream = _Counted(open_link(path, "board", baudrate=BAUD, rtscts=False))
        with AtPort(stream, name="board", timeline=Timeline(), settings=PortSettings(baudrate=BAUD), url=path) as port:
            port.sync()
            modem = Modem(port, sec_tags=[SEC_TAG])
            modem.prepare()
            with modem.offline():
                for kind in _KINDS:
                    modem.credentials.delete(SEC_TAG, kind)
            if barrier:
                barrier.wait()
            before, opened = stream.bytes, time.perf_counter()
            made = provision(modem, self._request)
            done = time.perf_counter()
            assert not made.kept
            least = (stream.bytes - before) * BITS_PER_BYTE / BAUD + KEYGEN_SECONDS * TIME_SCALE
        return done - opened, least, done - start

    def at_once(self, paths: list[str]) -> float:
        """Return the seconds until the last of the boards is provisioned; their ports are open."""
        barrier = Barrier(len(paths), timeout=30)
        with ThreadPoolExecutor(len(paths)) as pool:
            return max(seconds for seconds, _, _ in pool.map(lambda path: self.ours(path, barrier), paths))

    def nrfcredstore_calls(self, path: str) -> float:
        """Return the seconds of the same job by the library, in the order in which Nordic's installer calls it."""
        with _listed(path):
            start = time.perf_counter()
            with Comms(port=path, baudrate=BAUD) as comms:
                interface = ATCommandInterface(comms)
                store = CredStore(interface)
                interface.detect_shell_mode()
                interface.enable_error_codes()
                assert interface.go_offline()
                assert interface.get_imei()
                assert interface.get_mfw_version()
                for kind in _KINDS:
                    interface.delete_credential(SEC_TAG, kind)  # False where there is nothing
                csr = _Kept()
                store.keygen(SEC_TAG, csr)
                contents = {0: self._root.read_text(), 1: self._issue(csr.content)}
                for number, content in contents.items():
                    store.write(SEC_TAG, CredType(number), io.StringIO(content))
                    _, digest = interface.check_credential_exists(SEC_TAG, number)
                    assert digest == interface.calculate_expected_hash(content.rstrip())
            return time.perf_counter() - start

    def nrfcredstore_commands(self, path: str) -> float:
        """Return the seconds of the same job by the program, one command after the other."""
        device, csr, certificate = os.path.realpath(path), self._folder / "csr.der", self._folder / "certificate.pem"
        environment = {**os.environ, "PYTHONPATH": str(_LISTED_PORT), "LISTED_PORTS": device}
        program = str(Path(sys.executable).parent / "nrfcredstore")

        def command(*arguments: object) -> None:
            subprocess.run(
                [program, device, "--cmd-type", "at", *map(str, arguments)],
                check=True,
                capture_output=True,
                env=environment,
            )

        start = time.perf_counter()
        for kind in ("ROOT_CA_CERT", "CLIENT_CERT", "CLIENT_KEY"):
            command("delete", SEC_TAG, kind)
        command("generate", SEC_TAG, csr)
        certificate.write_text(self._issue(csr.read_bytes()))
        command("write", SEC_TAG, "ROOT_CA_CERT", self._root)
        command("write", SEC_TAG, "CLIENT_CERT", certificate)
        command("list", "--tag", SEC_TAG)
        return time.perf_counter() - start

    def _issue(self, csr: bytes) -> str:
        return self._ca.issue(x509.load_der_x509_csr(csr), device_id=_DEVICE_ID)


class _Kept(io.BytesIO):
    """A file whose content outlives closing, which the peer does."""

    content = b""

    def close(self) -> None:
        self.content = self.getvalue()
        super().close()


@contextmanager
def _boards(count: int) -> Iterator[list[str]]:
    """Start virtual boards in a process of their own; yield their ports."""
    arguments = f"--no-cloud --firmware at-client --boards {count} --baud {BAUD} --time-scale {TIME_SCALE}".split()
    with (
        ExitStack() as stack,
        subprocess.Popen(
            [sys.executable, "-m", "harness.virtual", *arguments, "--die-with-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process,
    ):
        stack.callback(process.terminate)
        assert process.stdout
        yield [board["port"] for board in json.loads(process.stdout.readline())["boards"]]
        process.terminate()


@contextmanager
def _listed(path: str) -> Iterator[None]:
    """Make pyserial list the pty, as the peer opens only listed ports."""
    port = list_ports_common.ListPortInfo(os.path.realpath(path))
    with mock.patch.object(list_ports, "comports", return_value=[port]):
        yield


if __name__ == "__main__":
    from benchmarks.common import markdown_table

    print(markdown_table(run()))
